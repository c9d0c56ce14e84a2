// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where to dial, and the texts in which people say so: URLs, proxies, addresses. Used by clients
// of every kind.
#ifndef FAIRLEAD_DATAPLANE_ENDPOINT_H_
#define FAIRLEAD_DATAPLANE_ENDPOINT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead::dataplane {

// Where to dial, parsed from "https://host:port/path" or "wss://...".
struct Endpoint {
  std::string host;
  std::uint16_t port = 8443;
  // With query, at least "/".
  std::string target = "/";
};

// Errors: INVALID_ARGUMENT not such a URL; names what is wrong with it.
absl::StatusOr<Endpoint> ParseUrl(absl::string_view url);

// An HTTP proxy, "http://host:port"; a "/" may follow.
// Errors: INVALID_ARGUMENT not such a URL; names what is wrong with it.
absl::StatusOr<Endpoint> ParseProxy(absl::string_view url);

// "host:port", an IPv6 address in brackets.
// Errors: INVALID_ARGUMENT not such an address; names what is wrong with it.
absl::StatusOr<Endpoint> ParseAddress(absl::string_view address);

// The value of the Host field: "host:port", an IPv6 address in brackets.
inline std::string HostHeader(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_ENDPOINT_H_
