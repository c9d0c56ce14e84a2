// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See grpc_fd_channel.h.
#include "base/grpc_fd_channel.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

namespace fairlead {

void KeepGrpc() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

std::shared_ptr<grpc::Channel> ChannelOverFd(const std::string& name, int fd, ChannelPings pings) {
  KeepGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(pings.interval)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(pings.timeout)));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(kMaxLinkMessageBytes);
  return grpc::CreateCustomInsecureChannelFromFd(name, fd, arguments);
}

}  // namespace fairlead
