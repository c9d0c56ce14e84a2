// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The link as a WebSocket, at the server: a gRPC channel whose EdgeService.Link is carried by a
// WebSocket to an ICG, so that control knows channels alone. Used by the dialer.
#ifndef FAIRLEAD_GATEWAY_WEBSOCKET_CHANNEL_H_
#define FAIRLEAD_GATEWAY_WEBSOCKET_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "dataplane/websocket.h"

namespace fairlead::gateway {

// The channel carries one link; further calls, and those after its end, fail with UNAVAILABLE. When
// the WebSocket ends, the link ends with the code that stands for the close code and with its
// sentence. Dropping the channel closes the WebSocket; that must not be done on a gRPC callback
// thread. Errors: INTERNAL gRPC cannot.
// Thread: the WebSocket's executor; the channel: any. Lifetime: the executor must outlive it.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelOverWebSocket(
    std::unique_ptr<dataplane::WebSocket> websocket);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_WEBSOCKET_CHANNEL_H_
