// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See grpc_channel.h.
#include "console/grpc_channel.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/fd_splice.h"
#include "dataplane/tls_stream.h"

namespace fairlead::console {
namespace {

// Servers allow a ping every 10 s.
constexpr int kPingIntervalMs = 20'000;
constexpr int kPingTimeoutMs = 20'000;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return arguments;
}

}  // namespace

dataplane::net::awaitable<absl::StatusOr<std::shared_ptr<grpc::Channel>>> DialGrpc(
    dataplane::Endpoint endpoint, dataplane::DialOptions options) {
  const std::string name = absl::StrCat(endpoint.host, ":", endpoint.port);
  absl::StatusOr<std::unique_ptr<dataplane::TlsStream>> tls =
      co_await dataplane::DialTls(std::move(endpoint), std::move(options));
  if (!tls.ok()) co_return tls.status();
  if ((*tls)->alpn() != "h2") {
    co_return absl::FailedPreconditionError(
        absl::StrCat(name, " does not speak gRPC: check the address, or use REST."));
  }
  absl::StatusOr<dataplane::FdPair> pair = dataplane::MakeFdPair();
  if (!pair.ok()) co_return pair.status();
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomInsecureChannelFromFd(name, pair->theirs, Arguments());
  const dataplane::net::any_io_executor executor = (*tls)->get_executor();
  dataplane::net::co_spawn(executor, dataplane::Splice(*std::move(tls), pair->ours),
                           dataplane::net::detached);
  co_return channel;
}

}  // namespace fairlead::console
