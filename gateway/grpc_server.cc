// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See grpc_server.h.
#include "gateway/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>

#include "gateway/grpc_bridge.h"
#include "third_party/grpc_health/health.pb.h"

namespace fairlead::gateway {

std::unique_ptr<grpc::Server> BuildGrpcServer(const std::vector<grpc::Service*>& services) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // gRPC serves the health service without its descriptor; this one is for reflection.
  grpc::health::v1::HealthCheckRequest::descriptor();
  grpc::ServerBuilder builder;
  ConfigureServer(&builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  return builder.BuildAndStart();
}

void ShutDownGrpcServer(grpc::Server& server) {
  server.Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  server.Wait();
}

}  // namespace fairlead::gateway
