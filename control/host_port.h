// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// "host:port" as people type it, checked. Used by the services that take addresses.
#ifndef FAIRLEAD_CONTROL_HOST_PORT_H_
#define FAIRLEAD_CONTROL_HOST_PORT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace fairlead::control {

struct HostPort {
  // A DNS name, an IPv4 address, or an IPv6 address without brackets.
  std::string host;
  std::uint16_t port = 0;
};

// Reads "name:port", "192.0.2.1:port" or "[2001:db8::1]:port", at most 255 characters, port 1 to
// 65535. Nothing if `text` is none of these.
absl::optional<HostPort> ParseHostPort(absl::string_view text);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_HOST_PORT_H_
