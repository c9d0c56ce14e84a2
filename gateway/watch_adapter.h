// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// WebSocket to gRPC stream: an upgrade of a path whose method streams becomes a call, each of its
// messages one text frame of JSON. Generic over descriptors. Used by the server's main.
#ifndef FAIRLEAD_GATEWAY_WATCH_ADAPTER_H_
#define FAIRLEAD_GATEWAY_WATCH_ADAPTER_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>

#include "dataplane/asio.h"
#include "dataplane/router.h"
#include "gateway/async_call.h"
#include "gateway/rest_adapter.h"
#include "gateway/rest_call.h"
#include "proto/http_rule.h"

namespace fairlead::gateway {

// What a client offers, and gets selected.
inline constexpr char kWatchSubprotocol[] = "fairlead.watch.v1";
// Before a bearer token that a browser offers as a subprotocol, for want of a header.
inline constexpr char kBearerSubprotocolPrefix[] = "fairlead.bearer.";

// Thread: any. Lifetime: `rules` must outlive it; the executors of Serve's callers too. Stop it
// before the gRPC server goes.
class WatchAdapter {
 public:
  // Further streams than `max_streams` are closed with 4429.
  WatchAdapter(const proto::HttpRules& rules, std::shared_ptr<grpc::Channel> channel,
               std::size_t max_streams = 4096);

  // Serves one upgrade until the stream or the client ends. A path that is no stream is refused
  // with an HTTP answer; a bad request, token or stream is accepted and closed with a code after
  // base/status.h and a sentence, since a browser cannot see an HTTP status. The next message is
  // taken from the stream only after the one before was written.
  net::awaitable<void> Serve(dataplane::HttpRequest request,
                             std::unique_ptr<dataplane::PendingUpgrade> upgrade);

  // Cancels what is in flight and waits for it; the WebSockets then close. Idempotent.
  void Stop() { calls_.Stop(); }

  // Streams being served.
  std::size_t in_flight() const { return calls_.in_flight(); }

 private:
  const proto::HttpRules& rules_;
  AsyncCalls calls_;
};

// The route of both adapters. Lifetime: they must outlive the router's use of it.
dataplane::Route ApiRoute(RestAdapter& rest, WatchAdapter& watch);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_WATCH_ADAPTER_H_
