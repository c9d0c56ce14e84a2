// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See audit_log.h.
#include "control/audit_log.h"

#include "base/log.h"
#include "control/proto_time.h"

namespace fairlead::control {

absl::Status AuditLog::Append(const AuditEntry& entry) {
  if (entry.actor.empty() || entry.action.empty()) {
    return absl::InternalError("An audit entry without actor or action; this is a program error.");
  }
  v1::AuditEvent event;
  *event.mutable_time() = ToTimestamp(clock_.Now());
  event.set_actor(entry.actor);
  event.set_action(entry.action);
  event.set_resource(entry.resource);
  event.set_outcome(entry.outcome);
  event.set_peer_address(entry.peer_address);
  event.set_detail(entry.detail);
  absl::Status status = store_.AppendAuditEvent(&event);
  if (!status.ok()) {
    spdlog::error("Cannot write the audit record of {} by {}: {}", entry.action,
                  Printable(entry.actor), std::string(status.message()));
  }
  return status;
}

}  // namespace fairlead::control
