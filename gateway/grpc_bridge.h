// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// gRPC behind our TLS: each connection that speaks h2 is joined by a socketpair with the process's
// one grpc::Server. Used by the server's and the ICG's main as the listener's RawHandler.
#ifndef FAIRLEAD_GATEWAY_GRPC_BRIDGE_H_
#define FAIRLEAD_GATEWAY_GRPC_BRIDGE_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/peer.h"
#include "dataplane/tls_stream.h"
#include "gateway/call_peers.h"

namespace fairlead::gateway {

// Sets on `builder` what a server behind the bridge needs: pings after every `ping_interval` of
// silence, which end a dead or stalled connection after another one, so that a link is found dead
// within 30 s; leave for clients to ping as often as every 10 s; at most 100 calls a connection;
// messages up to kMaxLinkMessageBytes.
void ConfigureServer(grpc::ServerBuilder* builder,
                     absl::Duration ping_interval = absl::Seconds(12));

// Thread: any. Lifetime: `server` and `peers` must outlive it and every Serve. To end what is
// served, shut the server down.
class GrpcBridge {
 public:
  GrpcBridge(grpc::Server& server, CallPeers& peers) : server_(server), peers_(peers) {}

  // Serves a connection until either side ends it.
  // Thread: `tls`'s executor.
  dataplane::net::awaitable<void> Serve(std::unique_ptr<dataplane::TlsStream> tls,
                                        dataplane::PeerInfo peer);

  // Connections being served.
  std::size_t open_now() const { return open_now_.load(); }

 private:
  grpc::Server& server_;
  CallPeers& peers_;
  std::atomic<std::size_t> open_now_{0};
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_GRPC_BRIDGE_H_
