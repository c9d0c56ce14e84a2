// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A gRPC channel over a connected descriptor: one end of the socketpair behind which our own TLS
// runs. Used by the console's --grpc and by the server's links to ICGs.
#ifndef FAIRLEAD_BASE_GRPC_FD_CHANNEL_H_
#define FAIRLEAD_BASE_GRPC_FD_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace fairlead {

// How soon a channel finds its peer dead: a ping after so much silence, and so long for its answer.
// Our servers allow a ping every 10 s.
struct ChannelPings {
  absl::Duration interval = absl::Seconds(20);
  absl::Duration timeout = absl::Seconds(20);
};

// The largest message of a link to an edge, in bytes: a configuration names every revoked
// certificate.
inline constexpr int kMaxLinkMessageBytes = 16 << 20;

// Keeps gRPC's own threads until the process ends. Otherwise they end with its last object, which
// waits for a poll of theirs that may last 10 s. To be called before a channel or server is made.
void KeepGrpc();

// Takes `fd` over. The channel is this one connection: calls after its loss fail with UNAVAILABLE.
// Dropping it closes the descriptor.
std::shared_ptr<grpc::Channel> ChannelOverFd(const std::string& name, int fd, ChannelPings pings);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_GRPC_FD_CHANNEL_H_
