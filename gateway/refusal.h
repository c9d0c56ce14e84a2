// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Small things that the routes of an edge share: refusals for the audit log, sentences that fit a
// close frame, subprotocols, times in protos.
#ifndef FAIRLEAD_GATEWAY_REFUSAL_H_
#define FAIRLEAD_GATEWAY_REFUSAL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/router.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// A refusal's record. `actor` empty means "anonymous".
v1::EdgeRefusal MakeRefusal(absl::string_view action, absl::string_view actor,
                            absl::string_view resource, const absl::Status& why,
                            absl::string_view peer_address);

// "devices/<unit ID>" if `peer` showed a device's certificate, else empty.
std::string ActorOf(const dataplane::PeerInfo& peer);

// `text` cut, between characters, to what a close frame can carry (123 bytes).
std::string ClipReason(absl::string_view text);

bool OffersSubprotocol(const dataplane::PendingUpgrade& upgrade, absl::string_view subprotocol);

google::protobuf::Timestamp ToProto(absl::Time time);

absl::Duration FromProto(const google::protobuf::Duration& duration);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_REFUSAL_H_
