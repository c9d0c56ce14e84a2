// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The checks that doctor makes of one address: from its name to the WebSocket of a tunnel, each
// bounded in time, each with a sentence that says what to do. Used by doctor.
#ifndef FAIRLEAD_CONSOLE_DOCTOR_CHECKS_H_
#define FAIRLEAD_CONSOLE_DOCTOR_CHECKS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "dataplane/client.h"

namespace fairlead::console {

// The most that one check takes.
inline constexpr absl::Duration kCheckTimeout = absl::Seconds(5);

// What one check found.
struct Check {
  enum class Result {
    kOk,
    kFail,
    // It could not be made, for a reason that is no failure.
    kSkipped,
  };
  // "server", "icgs/berlin", "devices/00E0C514325B".
  std::string leg;
  // "name", "port", "tls", "certificate", "clock", ...
  std::string name;
  Result result = Result::kOk;
  // One sentence; of a failure also what to do.
  std::string message;
};

// An address to check.
struct CheckedAddress {
  std::string leg;
  dataplane::Endpoint endpoint;
  dataplane::TlsTrust trust;
  // "http://host:port" or empty.
  std::string proxy;
  // Whether /healthz and /readyz are asked too.
  bool is_server = false;
  absl::Duration timeout = kCheckTimeout;
  // This host's clock.
  std::function<absl::Time()> now = absl::Now;
};

// Checks name, port, TLS, certificate, clock, health and the tunnels' WebSocket, in this order;
// what depends on a check that failed is left out.
std::vector<Check> CheckAddress(const CheckedAddress& address);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_DOCTOR_CHECKS_H_
