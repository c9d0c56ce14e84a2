// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Answers a WebSocket handshake and makes the connection a leg of the relay. Used by the HTTP
// connection; the request was read and checked before.
#ifndef FAIRLEAD_DATAPLANE_TUNNEL_ACCEPT_H_
#define FAIRLEAD_DATAPLANE_TUNNEL_ACCEPT_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "dataplane/peer.h"
#include "dataplane/tls_stream.h"
#include "dataplane/tunnel_leg.h"

namespace fairlead::dataplane {

// The head of the answer to a handshake with `key` (RFC 6455 section 4.2.2), which selects
// `subprotocol` unless that is empty.
std::string WebSocketAnswer(absl::string_view key, absl::string_view subprotocol);

// Answers with 101, in one piece with what the leg sends first.
std::unique_ptr<TunnelLeg> AcceptTunnel(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                        absl::string_view key, absl::string_view subprotocol,
                                        TunnelLegOptions options = TunnelLegOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TUNNEL_ACCEPT_H_
