// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A gRPC channel over our own TLS: dials with ALPN h2 and gives gRPC one end of a socketpair. Used
// by the console's --grpc and by tests.
#ifndef FAIRLEAD_CONSOLE_GRPC_CHANNEL_H_
#define FAIRLEAD_CONSOLE_GRPC_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "dataplane/asio.h"
#include "dataplane/client.h"

namespace fairlead::console {

// Dials. The TlsClientContext of `options` must have been made with ALPN {"h2"}. The channel is
// this one connection: calls after its loss fail with UNAVAILABLE; dial again. Errors: as
// dataplane::DialTls; FAILED_PRECONDITION the server does not speak gRPC there. Lifetime: the
// executor must run for as long as the channel is used; dropping the channel ends the connection.
dataplane::net::awaitable<absl::StatusOr<std::shared_ptr<grpc::Channel>>> DialGrpc(
    dataplane::Endpoint endpoint, dataplane::DialOptions options);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_GRPC_CHANNEL_H_
