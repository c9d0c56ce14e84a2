// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the coordinator keeps of a session that is not yet forgotten. For the coordinator's own
// files alone.
#ifndef FAIRLEAD_CONTROL_SESSION_LIVE_H_
#define FAIRLEAD_CONTROL_SESSION_LIVE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "control/session_coordinator.h"

namespace fairlead::control {

inline std::string NameOfSession(absl::string_view id) { return absl::StrCat("sessions/", id); }
// `name` is a session's name.
inline std::string IdOfSession(absl::string_view name) {
  return std::string(name.substr(sizeof("sessions")));
}

// Thread: the serial executor.
struct SessionCoordinator::Live {
  explicit Live(SessionMachine session_machine) : machine(std::move(session_machine)) {}

  SessionMachine machine;
  std::string id;
  std::string unit_id;
  std::string edge;
  SessionActor actor;
  v1::RegisterSession registration;
  // How the device is asked: over its standing connection, or by being dialled. The other is empty.
  v1::OpenTerminal open_terminal;
  v1::DialDevice dial;
  // How the server's own edge lets the Console through; empty if it may not.
  v1::ForwardConsole forward;
  std::string console_ticket;
  // The caller of Open, until answered.
  Callback done;
  // Those who ended it, until that is in the store.
  std::vector<Waiter> waiters;
  // What the audit log lacks: written together with the session itself.
  std::vector<AuditEntry> unrecorded;
  TimerId timer = 0;
  // Tells a deadline that was replaced while it was about to run.
  std::uint64_t deadline_number = 0;
  // A store task of this session is queued or runs.
  bool storing = false;
  // It changed since that task was queued.
  bool dirty = false;
  // The device has said whether it opened the terminal.
  bool answered = false;
  // It is in the store.
  bool stored = false;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_LIVE_H_
