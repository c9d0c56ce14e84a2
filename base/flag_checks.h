// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Checks of flags' values that the roles have in common, with sentences that name the flag, its
// value and what it takes. Used by the roles' options.
#ifndef FAIRLEAD_BASE_FLAG_CHECKS_H_
#define FAIRLEAD_BASE_FLAG_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead {

// INVALID_ARGUMENT "--flag=value: wants ...".
absl::Status BadFlag(absl::string_view flag, absl::string_view value, absl::string_view takes);

// These give OK or INVALID_ARGUMENT with a sentence that names the flag.
absl::Status CheckRange(absl::string_view flag, int value, int least, int most);

// "host:port", "192.0.2.1:port" or "[::1]:port", with a port from `least_port` on.
absl::Status CheckHostPort(absl::string_view flag, absl::string_view value, int least_port);

// --flag, which takes a `what`, for example "FILE": it may not be left out.
absl::Status CheckGiven(absl::string_view flag, absl::string_view value, absl::string_view what);

absl::Status CheckLogLevel(absl::string_view value);

// --metrics: whether /metrics is served.
absl::StatusOr<bool> ReadMetricsFlag(absl::string_view value);

// --listen: host:port each, separated by commas.
absl::StatusOr<std::vector<std::string>> ReadListenFlag(absl::string_view value);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_FLAG_CHECKS_H_
