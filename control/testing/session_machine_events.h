// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions and events for the tests of the session machine.
#ifndef FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_EVENTS_H_
#define FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_EVENTS_H_

#include <initializer_list>
#include <vector>

#include "control/session_machine.h"

namespace fairlead::control {

inline const absl::Time kTestStart = absl::FromUnixSeconds(1'800'000'000);

inline constexpr SessionEvent::Type kAllSessionEvents[] = {
    SessionEvent::Type::kRequested,       SessionEvent::Type::kRecorded,
    SessionEvent::Type::kRecordFailed,    SessionEvent::Type::kEdgeAccepted,
    SessionEvent::Type::kDeviceAttached,  SessionEvent::Type::kConsoleAttached,
    SessionEvent::Type::kDataFlowing,     SessionEvent::Type::kTunnelEnded,
    SessionEvent::Type::kDeviceRefused,   SessionEvent::Type::kProgramEnded,
    SessionEvent::Type::kDeviceGone,      SessionEvent::Type::kEdgeGone,
    SessionEvent::Type::kEdgeForgot,      SessionEvent::Type::kTerminated,
    SessionEvent::Type::kCallerGone,      SessionEvent::Type::kDeadline,
    SessionEvent::Type::kDeviceRequested, SessionEvent::Type::kServerStopping};

inline v1::Session NewSession(v1::Session::Flow flow) {
  const bool over_icg = flow == v1::Session::OS12_ICG || flow == v1::Session::OS11_ICG;
  const bool os11 = flow == v1::Session::OS11_DIRECT || flow == v1::Session::OS11_ICG;
  v1::Session session;
  session.set_name("sessions/s1");
  session.set_device("devices/d1");
  session.set_user("users/admin");
  session.set_flow(flow);
  session.set_stream(os11 ? v1::Session::TELNET : v1::Session::PTY);
  if (over_icg) session.set_icg("icgs/berlin");
  return session;
}

inline SessionMachine NewMachine(v1::Session::Flow flow = v1::Session::OS12_DIRECT) {
  return SessionMachine(NewSession(flow), "device d1", SessionDeadlines());
}

inline SessionEvent EventOf(SessionEvent::Type type) {
  using Type = SessionEvent::Type;
  SessionEvent event{.type = type, .time = kTestStart};
  event.message = "because";
  if (type == Type::kRecordFailed) event.status = absl::InternalError("disk full");
  if (type == Type::kDeviceRefused) event.status = absl::FailedPreconditionError("refused");
  if (type == Type::kTunnelEnded) {
    event.tunnel.set_ended_by(v1::TunnelEvent::DEVICE);
    event.tunnel.set_close_code(1000);
    event.tunnel.set_bytes_to_console(5);
  }
  if (type == Type::kProgramEnded) event.result.set_exit_code(7);
  return event;
}

// Lets all of it happen to the machine.
inline void ApplyAll(SessionMachine& machine, const std::vector<SessionEvent::Type>& types) {
  for (SessionEvent::Type type : types) machine.Apply(EventOf(type));
}

inline std::vector<v1::TimelineEntry::Step> StepsOf(const v1::Session& session) {
  std::vector<v1::TimelineEntry::Step> steps;
  for (const v1::TimelineEntry& entry : session.timeline()) steps.push_back(entry.step());
  return steps;
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_EVENTS_H_
