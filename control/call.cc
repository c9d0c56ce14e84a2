// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See call.h.
#include "control/call.h"

#include "absl/types/optional.h"
#include "base/status.h"
#include "control/proto_time.h"
#include "proto/error.pb.h"

namespace fairlead::control {
namespace {

// gRPC's and Abseil's codes are the same numbers.
static_assert(static_cast<int>(absl::StatusCode::kCancelled) == grpc::StatusCode::CANCELLED);
static_assert(static_cast<int>(absl::StatusCode::kInvalidArgument) ==
              grpc::StatusCode::INVALID_ARGUMENT);
static_assert(static_cast<int>(absl::StatusCode::kNotFound) == grpc::StatusCode::NOT_FOUND);
static_assert(static_cast<int>(absl::StatusCode::kPermissionDenied) ==
              grpc::StatusCode::PERMISSION_DENIED);
static_assert(static_cast<int>(absl::StatusCode::kResourceExhausted) ==
              grpc::StatusCode::RESOURCE_EXHAUSTED);
static_assert(static_cast<int>(absl::StatusCode::kUnimplemented) ==
              grpc::StatusCode::UNIMPLEMENTED);
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) ==
              grpc::StatusCode::UNAUTHENTICATED);

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  const std::string reason = ReasonOf(status);
  if (reason.empty()) return grpc::Status(code, message);
  v1::ErrorInfo info;
  info.set_reason(reason);
  v1::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  details.add_details()->PackFrom(info);
  if (const absl::optional<absl::Duration> delay = RetryDelayOf(status)) {
    v1::RetryInfo retry;
    *retry.mutable_retry_delay() = ToDuration(*delay);
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(code, message, details.SerializeAsString());
}

absl::Status WorkersBusy() {
  return ErrorWithReason(absl::StatusCode::kUnavailable, "SERVER_BUSY",
                         "The server is busy or stopping; try again in a few seconds.");
}

}  // namespace fairlead::control
