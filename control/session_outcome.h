// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How sessions end, in words: causes from what an edge said, statuses from a device's refusal, and
// sentences for the audit log. Used by the session machine and by the coordinator. No I/O.
#ifndef FAIRLEAD_CONTROL_SESSION_OUTCOME_H_
#define FAIRLEAD_CONTROL_SESSION_OUTCOME_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/audit.pb.h"
#include "proto/edge.pb.h"
#include "proto/session.pb.h"
#include "proto/unified.pb.h"

namespace fairlead::control {

// Why a session ended, from what its edge said. A code with which a peer closed its own tunnel
// tells of that peer alone. `was_active`: both tunnels had been in place.
v1::SessionEnd::Cause CauseOfTunnelEnd(const v1::TunnelEvent& event, bool was_active);

// What the edge said of the end, as a sentence for people. The words of a peer are quoted and told
// as its own, for it may write what it likes; those of the edge stand for themselves. Empty if
// there is nothing to say.
std::string SentenceOfTunnelEnd(const v1::TunnelEvent& event, v1::Session::Flow flow);

// Keeps what a device says of how its program ended, as far as it can be true: an exit code of 0 to
// 255, or the name of a signal.
void TakeResult(const v1::TerminalEnded& result, v1::SessionEnd& end);

// The status with which a device's refusal is told to the caller.
absl::Status StatusOfRefusal(const v1::OpenTerminalResult& result, absl::string_view device_label);

// Whether a rule refused the request, or something failed.
v1::AuditEvent::Outcome OutcomeOf(const absl::Status& status);

// An ended session's end, for the log and the audit log.
std::string EndSentence(const v1::Session& session);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_OUTCOME_H_
