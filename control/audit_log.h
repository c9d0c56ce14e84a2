// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The audit log: every log-in, enrolment, session and refusal, with who, what, from where and how
// it ended. Used by every service and by the edge links.
#ifndef FAIRLEAD_CONTROL_AUDIT_LOG_H_
#define FAIRLEAD_CONTROL_AUDIT_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "control/store.h"
#include "proto/audit.pb.h"

namespace fairlead::control {

// One thing that happened. actor and action must not be empty.
struct AuditEntry {
  std::string actor;
  std::string action;
  std::string resource;
  v1::AuditEvent::Outcome outcome = v1::AuditEvent::SUCCEEDED;
  std::string peer_address;
  std::string detail;
  // When it happened; now, if nothing is set.
  absl::optional<absl::Time> time = absl::nullopt;
};

// Thread: any that may block on the store. Lifetime: store and clock outlive it.
class AuditLog {
 public:
  AuditLog(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Appends; within a Store::Transact it takes part in the transaction. A failure is also logged.
  absl::Status Append(const AuditEntry& entry);

 private:
  Store& store_;
  const Clock& clock_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_AUDIT_LOG_H_
