// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The pure part of the REST and WebSocket adapters: from an HTTP request to the method and message
// it means, and from a gRPC status to the HTTP error. Without I/O, so that it can be fuzzed.
#ifndef FAIRLEAD_GATEWAY_REST_CALL_H_
#define FAIRLEAD_GATEWAY_REST_CALL_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/variant.h"
#include "dataplane/http.h"
#include "gateway/call_metadata.h"
#include "proto/http_rule.h"

namespace fairlead::gateway {

// The largest body of a REST request, in bytes.
inline constexpr std::size_t kMaxRestBodyBytes = 1 << 20;

// A request that may be called.
struct RestCall {
  const google::protobuf::MethodDescriptor* method = nullptr;
  // Filled from path, query and body.
  std::unique_ptr<google::protobuf::Message> request;
};

// Metadata for the gRPC call: the Authorization header as it is, and the client's address.
// Errors: INVALID_ARGUMENT the header is too long or not printable ASCII.
absl::StatusOr<CallMetadata> MetadataFor(const dataplane::HttpRequest& request);

// "/package.Service/Method".
std::string MethodPath(const google::protobuf::MethodDescriptor* method);

// An empty message of a generated type.
std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type);

// The call that `request` means, or the answer that refuses it: 404, 405 with Allow, 413, 415, 400
// with a sentence, 426 for a streaming method.
absl::variant<RestCall, dataplane::HttpResponse> PrepareRestCall(
    const proto::HttpRules& rules, const dataplane::HttpRequest& request);

// An answer {"code","message","details"} with `http_status` in place of the one of the code.
dataplane::HttpResponse RestError(int http_status, const absl::Status& status);

// The same for a failed call, with its error details, if it has any.
dataplane::HttpResponse RestErrorFromGrpc(const grpc::Status& status);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_REST_CALL_H_
