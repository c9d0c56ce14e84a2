// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// GoogleMock matchers for absl::Status and absl::StatusOr. Used by tests only.
#ifndef FAIRLEAD_BASE_STATUS_MATCHERS_H_
#define FAIRLEAD_BASE_STATUS_MATCHERS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace fairlead {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

// Matches a Status or StatusOr that is OK.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// Matches a Status or StatusOr with `code`.
MATCHER_P(StatusIs, code, "") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

// Matches a Status or StatusOr with `code` whose message matches `message`.
MATCHER_P2(StatusIs, code, message, "") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(message, std::string(StatusOf(arg).message()),
                                       result_listener);
}

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_STATUS_MATCHERS_H_
