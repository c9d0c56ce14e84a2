// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See flag_checks.h.
#include "base/flag_checks.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace fairlead {

absl::Status BadFlag(absl::string_view flag, absl::string_view value, absl::string_view takes) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", value, ": wants ", takes));
}

absl::Status CheckRange(absl::string_view flag, int value, int least, int most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return BadFlag(flag, absl::StrCat(value), absl::StrCat("a number from ", least, " to ", most));
}

absl::Status CheckHostPort(absl::string_view flag, absl::string_view value, int least_port) {
  const std::size_t colon = value.rfind(':');
  int port = -1;
  const bool good =
      colon != absl::string_view::npos && colon > 0 &&
      absl::SimpleAtoi(value.substr(colon + 1), &port) && port >= least_port && port <= 65535 &&
      (absl::StartsWith(value, "[") ? value[colon - 1] == ']'
                                    : !absl::StrContains(value.substr(0, colon), ":"));
  if (good) return absl::OkStatus();
  return BadFlag(flag, value, "host:port, for example 0.0.0.0:8443 or [::]:8443");
}

absl::Status CheckGiven(absl::string_view flag, absl::string_view value, absl::string_view what) {
  if (!value.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", what, " is missing"));
}

absl::Status CheckLogLevel(absl::string_view value) {
  for (const absl::string_view level : {"debug", "info", "warn", "error"}) {
    if (value == level) return absl::OkStatus();
  }
  return BadFlag("log_level", value, "debug, info, warn or error");
}

absl::StatusOr<bool> ReadMetricsFlag(absl::string_view value) {
  if (value != "open" && value != "off") return BadFlag("metrics", value, "open or off");
  return value == "open";
}

absl::StatusOr<std::vector<std::string>> ReadListenFlag(absl::string_view value) {
  const std::vector<std::string> addresses = absl::StrSplit(value, ',', absl::SkipWhitespace());
  if (addresses.empty()) return BadFlag("listen", "", "at least one host:port");
  for (const std::string& address : addresses) {
    FAIRLEAD_RETURN_IF_ERROR(CheckHostPort("listen", address, 0));
  }
  return addresses;
}

}  // namespace fairlead
