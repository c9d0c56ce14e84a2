// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See grpc_channel.h.
#include "console/grpc_channel.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/grpc_fd_channel.h"
#include "dataplane/fd_splice.h"
#include "dataplane/tls_stream.h"

namespace fairlead::console {

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
  const absl::StatusOr<int> fd = dataplane::SpliceToFd(*std::move(tls));
  if (!fd.ok()) co_return fd.status();
  co_return ChannelOverFd(name, *fd, ChannelPings());
}

}  // namespace fairlead::console
