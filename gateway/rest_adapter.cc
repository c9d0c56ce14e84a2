// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See rest_adapter.h.
#include "gateway/rest_adapter.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/http_transcode.h"

namespace fairlead::gateway {
namespace {

using dataplane::HttpRequest;
using dataplane::HttpResponse;

HttpResponse ToResponse(const google::protobuf::MethodDescriptor* method,
                        const UnaryResult& result) {
  if (!result.status.ok()) return RestErrorFromGrpc(result.status);
  const auto message = NewMessage(method->output_type());
  if (!FromByteBuffer(result.response, message.get())) {
    return RestError(500, absl::InternalError("The result of the call cannot be read."));
  }
  absl::StatusOr<std::string> json = proto::ToJson(*message);
  if (!json.ok()) return RestError(500, json.status());
  HttpResponse response;
  // Replies hold tokens and tickets.
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = *std::move(json);
  return response;
}

}  // namespace

RestAdapter::RestAdapter(const proto::HttpRules& rules, std::shared_ptr<grpc::Channel> channel,
                         RestOptions options)
    : rules_(rules), options_(options), calls_(std::move(channel), options.max_calls) {}

net::awaitable<HttpResponse> RestAdapter::Handle(HttpRequest request) {
  absl::variant<RestCall, HttpResponse> prepared = PrepareRestCall(rules_, request);
  if (absl::holds_alternative<HttpResponse>(prepared)) {
    co_return absl::get<HttpResponse>(std::move(prepared));
  }
  const RestCall& call = absl::get<RestCall>(prepared);
  absl::StatusOr<CallMetadata> metadata = MetadataFor(request);
  if (!metadata.ok()) co_return RestError(400, metadata.status());
  std::string method = MethodPath(call.method);
  grpc::ByteBuffer message = ToByteBuffer(*call.request);
  const UnaryResult result = co_await calls_.Unary(std::move(method), *std::move(metadata),
                                                   std::move(message), options_.call_timeout);
  // A token or a password was good: the connection is no longer one of strangers.
  if (result.status.ok()) request.peer.MarkAuthenticated();
  co_return ToResponse(call.method, result);
}

}  // namespace fairlead::gateway
