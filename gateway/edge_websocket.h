// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The link as a WebSocket, at the ICG: for servers behind proxies that pass HTTP/1.1 alone. The
// same messages as EdgeService.Link, one a binary frame, the same certificates; behind it is a call
// of that very method in-process.
#ifndef FAIRLEAD_GATEWAY_EDGE_WEBSOCKET_H_
#define FAIRLEAD_GATEWAY_EDGE_WEBSOCKET_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "dataplane/asio.h"
#include "dataplane/keepalive.h"
#include "dataplane/router.h"
#include "gateway/async_call.h"

namespace fairlead::gateway {

inline constexpr char kLinkPath[] = "/device-connector/server/ws-connect";
inline constexpr char kLinkSubprotocol[] = "fairlead.edge.v1";

// The periods of a link's WebSocket, at both ends: a dead peer is found out within 30 s.
dataplane::KeepAliveOptions LinkKeepAlive();

// Whether `peer` showed a server's certificate.
// Errors: UNAUTHENTICATED it showed none; PERMISSION_DENIED another one.
absl::Status CheckServer(const dataplane::PeerInfo& peer);

// Thread: any. Lifetime: the executors of Serve's callers must outlive it. Stop it before the gRPC
// server goes.
class EdgeWebSocket {
 public:
  // `channel` reaches EdgeService in-process, where no certificate is asked for: Serve does that.
  explicit EdgeWebSocket(std::shared_ptr<grpc::Channel> channel);

  // Serves kLinkPath: refuses with 401 (no certificate), 403 (not a server's) or 400 (wrong
  // subprotocol), else carries a link until either side ends it. Each side is read from as fast as
  // the other one takes it. A link that the edge ends is closed with the code for its status
  // (base/status.h) and the sentence.
  net::awaitable<void> Serve(dataplane::HttpRequest request,
                             std::unique_ptr<dataplane::PendingUpgrade> upgrade);

  // Cancels what is in flight and waits for it; the WebSockets then close. Idempotent.
  void Stop() { calls_.Stop(); }

 private:
  AsyncCalls calls_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_WEBSOCKET_H_
