// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See grpc_bridge.h.
#include "gateway/grpc_bridge.h"

#include <grpcpp/server_posix.h>

#include <string>
#include <utility>

#include "base/grpc_fd_channel.h"
#include "base/log.h"
#include "dataplane/fd_splice.h"

namespace fairlead::gateway {
namespace {

// Clients may ping every 10 s; less, so that a timer's jitter is no offence.
constexpr int kShortestClientPingMs = 5'000;
constexpr int kMaxCallsPerConnection = 100;

}  // namespace

void ConfigureServer(grpc::ServerBuilder* builder, absl::Duration ping_interval) {
  KeepGrpc();
  const int ping_ms = static_cast<int>(absl::ToInt64Milliseconds(ping_interval));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, ping_ms);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ping_ms);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              kShortestClientPingMs);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
  builder->SetMaxReceiveMessageSize(kMaxLinkMessageBytes);
}

dataplane::net::awaitable<void> GrpcBridge::Serve(std::unique_ptr<dataplane::TlsStream> tls,
                                                  dataplane::PeerInfo peer) {
  absl::StatusOr<dataplane::FdPair> pair = dataplane::MakeFdPair();
  if (!pair.ok()) {
    spdlog::error("gRPC connection from {} refused: {}", peer.address,
                  std::string(pair.status().message()));
    tls->Close();
    co_return;
  }
  const int fd = peers_.Renumber(pair->theirs);
  const std::uint64_t entry = peers_.Add(fd, peer);
  ++open_now_;
  grpc::AddInsecureChannelFromFd(&server_, fd);
  co_await dataplane::Splice(std::move(tls), pair->ours);
  --open_now_;
  peers_.Remove(fd, entry);
}

}  // namespace fairlead::gateway
