// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Logging: spdlog to standard error, one line an event, with the fields a person needs to find the
// object again. No secret, no terminal byte and no unescaped string of a peer is ever logged.
#ifndef FAIRLEAD_BASE_LOG_H_
#define FAIRLEAD_BASE_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "spdlog/spdlog.h"

namespace fairlead {

// Sets up the process's log: standard error, UTC, `level` one of "debug", "info", "warn", "error".
// Errors: INVALID_ARGUMENT an unknown level.
absl::Status InitLog(absl::string_view program, absl::string_view level);

// A peer's string made safe for a log line: printable ASCII, the rest escaped, cut at 200 bytes.
std::string Printable(absl::string_view text);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_LOG_H_
