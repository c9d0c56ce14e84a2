// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// DialWebSocket of client.h.
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dataplane/beast_websocket.h"
#include "dataplane/client.h"
#include "dataplane/stream_peer.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {

net::awaitable<absl::StatusOr<WebSocketDialResult>> DialWebSocket(
    Endpoint endpoint, DialOptions options, std::vector<std::string> subprotocols,
    HttpHeaders headers) {
  auto dialled = co_await DialTls(endpoint, options);
  if (!dialled.ok()) co_return dialled.status();
  std::unique_ptr<TlsStream> stream = *std::move(dialled);
  WebSocketHandshake handshake;
  handshake.host = HostHeader(endpoint);
  handshake.target = endpoint.target;
  handshake.subprotocols = subprotocols;
  handshake.headers = std::move(headers);
  handshake.timeout = options.timeout;
  PeerInfo peer = PeerOf(stream->socket());
  peer.certificate = stream->peer_certificate();
  auto upgraded =
      co_await HandshakeWebSocket(std::move(stream), std::move(peer), std::move(handshake));
  if (!upgraded.ok()) co_return upgraded.status();
  WebSocketDialResult result;
  result.websocket = std::move(upgraded->websocket);
  result.subprotocol = std::move(upgraded->subprotocol);
  // RFC 6455 section 4.1: a subprotocol that was not offered fails the connection.
  if (!result.subprotocol.empty() && !absl::c_linear_search(subprotocols, result.subprotocol)) {
    result.websocket->Abort();
    co_return absl::FailedPreconditionError(absl::StrCat(
        endpoint.host, " selected a WebSocket subprotocol that was not offered; check the URL"));
  }
  co_return result;
}

}  // namespace fairlead::dataplane
