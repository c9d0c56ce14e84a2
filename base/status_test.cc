// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the error model: reasons, annotation, and the maps to HTTP and WebSocket, code by code.
#include "base/status.h"

#include "base/status_matchers.h"
#include "gtest/gtest.h"

namespace fairlead {
namespace {

using ::testing::HasSubstr;

struct Mapping {
  absl::StatusCode code;
  int http;
  int close;
};

// All 17 codes: google/rpc/code.proto, and 4000 + HTTP unless RFC 6455 has the exact word.
constexpr Mapping kMappings[] = {
    {absl::StatusCode::kOk, 200, 1000},
    {absl::StatusCode::kCancelled, 499, 4499},
    {absl::StatusCode::kUnknown, 500, 1011},
    {absl::StatusCode::kInvalidArgument, 400, 4400},
    {absl::StatusCode::kDeadlineExceeded, 504, 4504},
    {absl::StatusCode::kNotFound, 404, 4404},
    {absl::StatusCode::kAlreadyExists, 409, 4409},
    {absl::StatusCode::kPermissionDenied, 403, 4403},
    {absl::StatusCode::kResourceExhausted, 429, 4429},
    {absl::StatusCode::kFailedPrecondition, 400, 4400},
    {absl::StatusCode::kAborted, 409, 4409},
    {absl::StatusCode::kOutOfRange, 400, 4400},
    {absl::StatusCode::kUnimplemented, 501, 4501},
    {absl::StatusCode::kInternal, 500, 1011},
    {absl::StatusCode::kUnavailable, 503, 1013},
    {absl::StatusCode::kDataLoss, 500, 1011},
    {absl::StatusCode::kUnauthenticated, 401, 4401},
};

TEST(Status, EveryCodeHasItsHttpStatusAndCloseCode) {
  static_assert(std::size(kMappings) == 17);
  for (const Mapping& mapping : kMappings) {
    EXPECT_EQ(HttpStatusFromCode(mapping.code), mapping.http)
        << absl::StatusCodeToString(mapping.code);
    EXPECT_EQ(CloseCodeFromCode(mapping.code), mapping.close)
        << absl::StatusCodeToString(mapping.code);
  }
}

TEST(Status, ReasonTravelsWithTheStatus) {
  const absl::Status status =
      ErrorWithReason(absl::StatusCode::kFailedPrecondition, "DEVICE_OFFLINE", "it is offline");

  EXPECT_EQ(ReasonOf(status), "DEVICE_OFFLINE");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(absl::NotFoundError("x")), "");
}

TEST(Status, AnnotationKeepsCodeAndReason) {
  const absl::Status status = Annotate(
      ErrorWithReason(absl::StatusCode::kNotFound, "NO_DEVICE", "no such device"), "opening");

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("opening: no such device")));
  EXPECT_EQ(ReasonOf(status), "NO_DEVICE");
  EXPECT_THAT(Annotate(absl::OkStatus(), "opening"), IsOk());
}

TEST(Status, ADelayTravelsWithTheStatus) {
  const absl::Status status = WithRetryDelay(
      ErrorWithReason(absl::StatusCode::kResourceExhausted, "LIMIT", "wait"), absl::Seconds(20));

  EXPECT_EQ(RetryDelayOf(Annotate(status, "opening")), absl::Seconds(20));
  EXPECT_EQ(ReasonOf(status), "LIMIT");
  EXPECT_EQ(RetryDelayOf(absl::NotFoundError("x")), absl::nullopt);
}

TEST(Status, CloseCodesReadBackAsWhatTheyMean) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kOk, absl::StatusCode::kUnavailable, absl::StatusCode::kInternal,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kAborted,
        absl::StatusCode::kResourceExhausted, absl::StatusCode::kDeadlineExceeded}) {
    EXPECT_EQ(CodeFromCloseCode(CloseCodeFromCode(code)), code) << absl::StatusCodeToString(code);
  }
  // Lost, going away, draining, and what nobody sends.
  for (const int code : {1006, 1001, 4503, 1005, 7}) {
    EXPECT_EQ(CodeFromCloseCode(static_cast<std::uint16_t>(code)), absl::StatusCode::kUnavailable);
  }
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  FAIRLEAD_ASSIGN_OR_RETURN(const int half, Half(value));
  FAIRLEAD_RETURN_IF_ERROR(half > 100 ? absl::OutOfRangeError("big") : absl::OkStatus());
  return Half(half);
}

TEST(Status, MacrosReturnTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_THAT(Quarter(3), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Quarter(400), StatusIs(absl::StatusCode::kOutOfRange));
}

}  // namespace
}  // namespace fairlead
