// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See audit_log.h.
#include "control/audit_log.h"

#include "base/log.h"
#include "base/plain_text.h"
#include "base/utf8.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

// An event is recorded whatever bytes a peer put into it.
std::string Recordable(const std::string& text) { return IsUtf8(text) ? text : PlainText(text); }

}  // namespace

absl::Status AuditLog::Append(const AuditEntry& entry) {
  if (entry.actor.empty() || entry.action.empty()) {
    return absl::InternalError("An audit entry without actor or action; this is a program error.");
  }
  v1::AuditEvent event;
  *event.mutable_time() = ToTimestamp(entry.time.has_value() ? *entry.time : clock_.Now());
  event.set_actor(Recordable(entry.actor));
  event.set_action(entry.action);
  event.set_resource(Recordable(entry.resource));
  event.set_outcome(entry.outcome);
  event.set_peer_address(Recordable(entry.peer_address));
  event.set_detail(Recordable(entry.detail));
  absl::Status status = store_.AppendAuditEvent(&event);
  if (!status.ok()) {
    spdlog::error("Cannot write the audit record of {} by {}: {}", entry.action,
                  Printable(entry.actor), std::string(status.message()));
  }
  return status;
}

}  // namespace fairlead::control
