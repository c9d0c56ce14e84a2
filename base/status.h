// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The error model: absl::Status inside, mapped to HTTP and WebSocket close codes at the edges, with
// an optional machine-readable reason. Used by every folder.
#ifndef FAIRLEAD_BASE_STATUS_H_
#define FAIRLEAD_BASE_STATUS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fairlead {

// Makes a status that carries `reason`, an UPPER_SNAKE_CASE constant that programs may compare
// (ErrorInfo.reason in proto/error.proto), beside the sentence for people.
absl::Status ErrorWithReason(absl::StatusCode code, absl::string_view reason,
                             absl::string_view message);

// The reason given to ErrorWithReason; empty if there is none.
std::string ReasonOf(const absl::Status& status);

// `status`, a failure, with the advice to try again after `delay`.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// The delay given to WithRetryDelay; nothing if there is none.
absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// Puts "context: " before the message of a failed `status`, keeping code, reason and delay. OK
// stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// The HTTP status for a gRPC status code, after google/rpc/code.proto.
int HttpStatusFromCode(absl::StatusCode code);

// The WebSocket close code for a failed call or handshake: 4000 + HTTP status, except where RFC
// 6455 section 7.4 has the exact word.
std::uint16_t CloseCodeFromCode(absl::StatusCode code);

// What a WebSocket's close code means to a call that it carried: the reverse of CloseCodeFromCode
// as far as there is one; UNAVAILABLE for whatever else ended it.
absl::StatusCode CodeFromCloseCode(std::uint16_t close_code);

}  // namespace fairlead

// Returns from the enclosing function (absl::Status or StatusOr) if `expr` is not OK.
#define FAIRLEAD_RETURN_IF_ERROR(expr)                                    \
  do {                                                                    \
    if (absl::Status fairlead_status_ = (expr); !fairlead_status_.ok()) { \
      return fairlead_status_;                                            \
    }                                                                     \
  } while (false)

#define FAIRLEAD_CONCAT_INNER_(a, b) a##b
#define FAIRLEAD_CONCAT_(a, b) FAIRLEAD_CONCAT_INNER_(a, b)

// Declares or assigns `lhs` from the value of a StatusOr, or returns its status.
#define FAIRLEAD_ASSIGN_OR_RETURN(lhs, expr) \
  FAIRLEAD_ASSIGN_OR_RETURN_IMPL_(FAIRLEAD_CONCAT_(fairlead_statusor_, __LINE__), lhs, expr)
#define FAIRLEAD_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr) \
  auto statusor = (expr);                                    \
  if (!statusor.ok()) return statusor.status();              \
  lhs = std::move(statusor).value()

#endif  // FAIRLEAD_BASE_STATUS_H_
