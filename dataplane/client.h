// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The client side: dials TLS, then speaks HTTP/1.1, WebSocket, or hands the stream to gRPC. Used by
// the agent, the console, tests, and the server's links.
#ifndef FAIRLEAD_DATAPLANE_CLIENT_H_
#define FAIRLEAD_DATAPLANE_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/endpoint.h"
#include "dataplane/http.h"
#include "dataplane/send_queue.h"
#include "dataplane/tls_context.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

class TlsStream;

struct DialOptions {
  std::shared_ptr<TlsClientContext> tls;
  // For name look-up, connecting, the proxy's answer and the TLS handshake together.
  absl::Duration timeout = absl::Seconds(10);
  // "http://host:port" of a proxy that is asked to CONNECT, and looks the endpoint's name up; empty
  // for none.
  std::string proxy = {};
  // Used for this dial in place of the trust with which `tls` was made.
  std::optional<TlsTrust> trust = std::nullopt;
  SendQueue send_queue = SendQueue::kSystems;
};

// Looks up, connects (each address in turn, IPv6 and IPv4) and shakes hands.
// Errors: NOT_FOUND the name does not resolve; UNAVAILABLE nobody answers at host:port, or not in
// time; FAILED_PRECONDITION (TLS_UNTRUSTED) the certificate is not trusted, expired, not yet valid,
// or for another name: the message says which and what to do. With a proxy also INVALID_ARGUMENT it
// is not one, and UNAVAILABLE it refuses or does not answer as one; both name it.
// Thread: the calling coroutine's executor.
net::awaitable<absl::StatusOr<std::unique_ptr<TlsStream>>> DialTls(Endpoint endpoint,
                                                                   DialOptions options);

// Dials and sends one request, reads the whole response (at most 8 MiB), closes. The request's path
// and query are used; if the path is empty, the endpoint's target is.
// `timeout` is for all of it. Errors: as DialTls; UNAVAILABLE lost half-way; DEADLINE_EXCEEDED;
// RESOURCE_EXHAUSTED the response is too large. An HTTP error is a response; StatusFromResponse
// makes a status of it.
net::awaitable<absl::StatusOr<HttpResponse>> Fetch(Endpoint endpoint, DialOptions options,
                                                   HttpRequest request, absl::Duration timeout);

// A refused WebSocket handshake keeps its HTTP answer.
struct WebSocketDialResult {
  std::unique_ptr<WebSocket> websocket;
  std::string subprotocol;
};

// Dials and upgrades to a WebSocket, offering `subprotocols`.
// Errors: as DialTls; the gRPC code for the HTTP status of a refusal, with its message.
net::awaitable<absl::StatusOr<WebSocketDialResult>> DialWebSocket(
    Endpoint endpoint, DialOptions options, std::vector<std::string> subprotocols,
    HttpHeaders headers);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_CLIENT_H_
