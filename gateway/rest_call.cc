// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See rest_call.h.
#include "gateway/rest_call.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/call_peer.h"
#include "base/status.h"
#include "proto/error.pb.h"
#include "proto/http_transcode.h"

namespace fairlead::gateway {
namespace {

using dataplane::HttpRequest;
using dataplane::HttpResponse;

// gRPC takes 8 KiB of metadata in all.
constexpr std::size_t kMaxAuthorizationBytes = 4096;

// What a caller who was refused for a limit should wait if the refusal does not say.
constexpr std::int64_t kRetryAfterSeconds = 5;

// In whole seconds.
std::int64_t RetryAfter(const v1::Status& error) {
  for (const google::protobuf::Any& detail : error.details()) {
    v1::RetryInfo retry;
    if (!detail.Is<v1::RetryInfo>() || !detail.UnpackTo(&retry)) continue;
    const google::protobuf::Duration& delay = retry.retry_delay();
    return std::max<std::int64_t>(1, delay.seconds() + (delay.nanos() > 0 ? 1 : 0));
  }
  return kRetryAfterSeconds;
}

HttpResponse ErrorWith(int http_status, v1::Status error) {
  HttpResponse response;
  response.status = http_status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  if (http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (http_status == 429) {
    response.headers.emplace_back("Retry-After", absl::StrCat(RetryAfter(error)));
  }
  absl::StatusOr<std::string> json = proto::ToJson(error);
  if (!json.ok()) {
    // Details of a type that is not known here.
    error.clear_details();
    json = proto::ToJson(error);
  }
  if (!json.ok()) {
    error.set_message("The call failed with a message that is not text.");
    json = proto::ToJson(error);
  }
  response.body = json.value_or("{}");
  return response;
}

HttpResponse NotAllowed(const HttpRequest& request, const std::vector<std::string>& verbs) {
  const std::string allowed = absl::StrJoin(verbs, ", ");
  HttpResponse response =
      RestError(405, absl::UnimplementedError(
                         absl::StrCat(absl::CHexEscape(request.path), " does not take ",
                                      absl::CHexEscape(request.method), ": use ", allowed, ".")));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

HttpResponse UpgradeRequired(const HttpRequest& request) {
  HttpResponse response = RestError(426, absl::FailedPreconditionError(absl::StrCat(
                                             absl::CHexEscape(request.path),
                                             " is a stream: open it as a WebSocket, subprotocol "
                                             "fairlead.watch.v1.")));
  response.headers.emplace_back("Upgrade", "websocket");
  return response;
}

// Whether the Content-Type is JSON; parameters are ignored.
bool IsJson(absl::string_view content_type) {
  const absl::string_view type = content_type.substr(0, content_type.find(';'));
  return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(type), "application/json");
}

bool IsUpgrade(const HttpRequest& request) {
  return absl::EqualsIgnoreCase(dataplane::FindHeader(request.headers, "Upgrade"), "websocket");
}

}  // namespace

absl::StatusOr<CallMetadata> MetadataFor(const HttpRequest& request) {
  CallMetadata metadata;
  const absl::string_view authorization = dataplane::FindHeader(request.headers, "Authorization");
  const bool printable = std::all_of(authorization.begin(), authorization.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  if (!printable || authorization.size() > kMaxAuthorizationBytes) {
    return absl::InvalidArgumentError(
        "The Authorization header is too long or not plain text: send \"Bearer \" and the token "
        "that login gave.");
  }
  if (!authorization.empty()) metadata.emplace_back("authorization", std::string(authorization));
  if (!request.peer.address.empty()) {
    metadata.emplace_back(kPeerAddressMetadata, request.peer.address);
  }
  return metadata;
}

std::string MethodPath(const google::protobuf::MethodDescriptor* method) {
  return absl::StrCat("/", method->service()->full_name(), "/", method->name());
}

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type) {
  const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

absl::variant<RestCall, HttpResponse> PrepareRestCall(const proto::HttpRules& rules,
                                                      const HttpRequest& request) {
  const proto::HttpRules::Found found = rules.Find(request.method, request.path);
  if (found.binding == nullptr && !found.allowed_verbs.empty()) {
    return NotAllowed(request, found.allowed_verbs);
  }
  if (found.binding == nullptr) {
    return RestError(404, absl::NotFoundError(
                              absl::StrCat("There is no ", absl::CHexEscape(request.path), ".")));
  }
  const proto::HttpBinding& binding = *found.binding;
  if (binding.method->server_streaming() && !IsUpgrade(request)) return UpgradeRequired(request);
  if (request.body.size() > kMaxRestBodyBytes) {
    return RestError(413, absl::InvalidArgumentError("The body is larger than 1 MiB."));
  }
  const bool takes_body = binding.body != proto::HttpBinding::Body::kNone;
  if (takes_body && !request.body.empty() &&
      !IsJson(dataplane::FindHeader(request.headers, "Content-Type"))) {
    return RestError(415, absl::InvalidArgumentError(
                              "The body is not said to be JSON: send the header Content-Type: "
                              "application/json."));
  }
  RestCall call;
  call.method = binding.method;
  call.request = NewMessage(binding.method->input_type());
  const absl::Status status =
      proto::FillFromRest(binding, found.values, request.query, request.body, call.request.get());
  if (!status.ok()) return RestError(400, status);
  return call;
}

HttpResponse RestError(int http_status, const absl::Status& status) {
  v1::Status error;
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  return ErrorWith(http_status, std::move(error));
}

HttpResponse RestErrorFromGrpc(const grpc::Status& status) {
  v1::Status error;
  v1::Status details;
  if (details.ParseFromString(status.error_details())) {
    *error.mutable_details() = std::move(*details.mutable_details());
  }
  error.set_code(status.error_code());
  error.set_message(status.error_message());
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  return ErrorWith(HttpStatusFromCode(code), std::move(error));
}

}  // namespace fairlead::gateway
