// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// ApiClient over the typed gRPC services: one connection, generic calls by method name. See
// api_client.h.
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "console/api_client.h"
#include "console/grpc_channel.h"
#include "console/run.h"
#include "dataplane/client.h"
#include "dataplane/io_threads.h"

namespace fairlead::console {
namespace {

using google::protobuf::Message;

// "/fairlead.v1.AuthService/Login" for "fairlead.v1.AuthService.Login".
std::string MethodPath(absl::string_view method) {
  const std::size_t dot = method.rfind('.');
  return absl::StrCat("/", method.substr(0, dot), "/", method.substr(dot + 1));
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

class GrpcClient : public ApiClient {
 public:
  GrpcClient(dataplane::Endpoint endpoint, dataplane::DialOptions options, absl::Duration timeout)
      : ApiClient(timeout), endpoint_(std::move(endpoint)), options_(std::move(options)) {}

  ~GrpcClient() override {
    // The channel's connection lives on the thread.
    channel_.reset();
    threads_.Stop();
  }

  absl::Status CallWithin(absl::Duration timeout, absl::string_view method, absl::string_view token,
                          const Message& request, Message* response) override {
    FAIRLEAD_RETURN_IF_ERROR(Connect());
    grpc::ByteBuffer sent;
    bool own_buffer = false;
    grpc::Status status =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(request, &sent, &own_buffer);
    if (!status.ok()) return ToAbsl(status);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    grpc::ByteBuffer received;
    absl::Notification done;
    grpc::GenericStub stub(channel_);
    stub.UnaryCall(&context, MethodPath(method), grpc::StubOptions(), &sent, &received,
                   [&status, &done](grpc::Status result) {
                     status = std::move(result);
                     done.Notify();
                   });
    done.WaitForNotification();
    if (!status.ok()) return ToAbsl(status);
    return ToAbsl(grpc::GenericDeserialize<grpc::ProtoBufferReader, Message>(&received, response));
  }

 private:
  absl::Status Connect() {
    if (channel_ != nullptr) return absl::OkStatus();
    auto dialled = dataplane::net::co_spawn(threads_.executor(0), DialGrpc(endpoint_, options_),
                                            dataplane::net::use_future)
                       .get();
    if (!dialled.ok()) return dialled.status();
    channel_ = *std::move(dialled);
    return absl::OkStatus();
  }

  const dataplane::Endpoint endpoint_;
  const dataplane::DialOptions options_;
  dataplane::IoThreads threads_{1};
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ApiClient>> NewGrpcClient(const ServerAddress& server) {
  FAIRLEAD_ASSIGN_OR_RETURN(dataplane::Endpoint endpoint, dataplane::ParseUrl(server.url));
  dataplane::DialOptions options;
  options.proxy = server.proxy;
  options.timeout = std::min(options.timeout, server.call_timeout);
  FAIRLEAD_ASSIGN_OR_RETURN(options.tls,
                            dataplane::TlsClientContext::Create(server.trust, nullptr, {"h2"}));
  return std::make_unique<GrpcClient>(std::move(endpoint), std::move(options), server.call_timeout);
}

}  // namespace fairlead::console
