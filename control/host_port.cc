// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See host_port.h.
#include "control/host_port.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMaxBytes = 255;

bool IsHost(absl::string_view host) {
  if (host.empty() || host.front() == '.' || host.front() == '-') return false;
  return std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

absl::optional<HostPort> ParseHostPort(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (text.size() > kMaxBytes || colon == absl::string_view::npos) return absl::nullopt;
  const absl::string_view digits = text.substr(colon + 1);
  int port = 0;
  // SimpleAtoi alone would take blanks and signs.
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port < 1 || port > 65535) {
    return absl::nullopt;
  }
  HostPort result;
  result.port = static_cast<std::uint16_t>(port);
  absl::string_view host = text.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]") && host.size() > 2) {
    result.host = std::string(host.substr(1, host.size() - 2));
    return IsIpv6(result.host) ? absl::make_optional(result) : absl::nullopt;
  }
  result.host = std::string(host);
  return IsHost(host) ? absl::make_optional(result) : absl::nullopt;
}

}  // namespace fairlead::control
