// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the relay reports of a session, as the events that the server is told. Used by EdgeServer,
// which adds the time.
#ifndef FAIRLEAD_GATEWAY_TUNNEL_EVENTS_H_
#define FAIRLEAD_GATEWAY_TUNNEL_EVENTS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dataplane/relay.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// An event that tells nothing but its type.
v1::TunnelEvent TunnelEventOf(absl::string_view session_id, v1::TunnelEvent::Type type);

v1::TunnelEvent AttachedEvent(absl::string_view session_id, dataplane::Side side);

v1::TunnelEvent EndedEvent(absl::string_view session_id, const dataplane::RelayEnd& end);

// The end of a session that could not be registered, for the reason `why`.
v1::TunnelEvent NotRegisteredEvent(absl::string_view session_id, const absl::Status& why);

// The refusal of a leg, for the audit log.
v1::EdgeRefusal RefusalOf(absl::string_view session_id, dataplane::Side side,
                          const dataplane::PeerInfo& peer, const dataplane::CloseReason& reason);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TUNNEL_EVENTS_H_
