// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Makes WebSockets of TLS streams, in either role. Used by the HTTP connection (server) and by
// DialWebSocket (client); nobody else needs to know that Beast does the framing.
#ifndef FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_H_
#define FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/http.h"
#include "dataplane/keepalive.h"
#include "dataplane/peer.h"
#include "dataplane/tls_stream.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// Answers a WebSocket handshake, whose request has been read and found good, with 101.
// `key` is its Sec-WebSocket-Key; `subprotocol` is selected unless empty.
// Errors: UNAVAILABLE the connection was lost, or did not take the answer within `timeout`.
net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> AcceptWebSocket(
    std::unique_ptr<TlsStream> stream, PeerInfo peer, std::string key, std::string subprotocol,
    absl::Duration timeout, KeepAliveOptions keep_alive = KeepAliveOptions());

// The client's side of a handshake.
struct WebSocketHandshake {
  // For the Host field: "host:port".
  std::string host;
  std::string target;
  std::vector<std::string> subprotocols;
  HttpHeaders headers;
  absl::Duration timeout = absl::Seconds(10);
};

// What the server selected and answered.
struct WebSocketHandshakeResult {
  std::unique_ptr<WebSocket> websocket;
  std::string subprotocol;
};

// Upgrades a connection to a WebSocket.
// Errors: UNAVAILABLE lost half-way; DEADLINE_EXCEEDED; for a refusal the code that stands for its
// HTTP status, with the server's message.
net::awaitable<absl::StatusOr<WebSocketHandshakeResult>> HandshakeWebSocket(
    std::unique_ptr<TlsStream> stream, PeerInfo peer, WebSocketHandshake handshake,
    KeepAliveOptions keep_alive = KeepAliveOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_BEAST_WEBSOCKET_H_
