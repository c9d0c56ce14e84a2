// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See status.h.
#include "base/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace fairlead {
namespace {

constexpr absl::string_view kReasonUrl = "type.fairlead/reason";
constexpr absl::string_view kRetryDelayUrl = "type.fairlead/retry-delay";

}  // namespace

absl::Status ErrorWithReason(absl::StatusCode code, absl::string_view reason,
                             absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryDelayUrl, absl::Cord(absl::FormatDuration(delay)));
  return status;
}

absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryDelayUrl);
  absl::Duration delay;
  if (!payload.has_value() || !absl::ParseDuration(std::string(*payload), &delay)) {
    return absl::nullopt;
  }
  return delay;
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status result(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&result](absl::string_view url, const absl::Cord& payload) {
    result.SetPayload(url, payload);
  });
  return result;
}

int HttpStatusFromCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

std::uint16_t CloseCodeFromCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 1000;
    case absl::StatusCode::kUnavailable:
      return 1013;
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return 1011;
    default:
      return static_cast<std::uint16_t>(4000 + HttpStatusFromCode(code));
  }
}

absl::StatusCode CodeFromCloseCode(std::uint16_t close_code) {
  // Where several codes share a close code, the first here is the one that tells what to do.
  for (const absl::StatusCode code :
       {absl::StatusCode::kOk, absl::StatusCode::kInternal, absl::StatusCode::kCancelled,
        absl::StatusCode::kInvalidArgument, absl::StatusCode::kUnauthenticated,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kNotFound,
        absl::StatusCode::kAborted, absl::StatusCode::kResourceExhausted,
        absl::StatusCode::kUnimplemented, absl::StatusCode::kDeadlineExceeded}) {
    if (CloseCodeFromCode(code) == close_code) return code;
  }
  return absl::StatusCode::kUnavailable;
}

}  // namespace fairlead
