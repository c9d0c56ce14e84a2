// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The one grpc::Server of a process: no port of its own, for the gateway hands it connections;
// reflection and health checking included. Used by the mains of server and ICG.
#ifndef FAIRLEAD_GATEWAY_GRPC_SERVER_H_
#define FAIRLEAD_GATEWAY_GRPC_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <vector>

namespace fairlead::gateway {

// Starts a server with `services`, which must outlive it. Null if gRPC cannot.
std::unique_ptr<grpc::Server> BuildGrpcServer(const std::vector<grpc::Service*>& services);

// Ends all calls, after 2 s at the latest, and waits for their handlers.
void ShutDownGrpcServer(grpc::Server& server);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_GRPC_SERVER_H_
