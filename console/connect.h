// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Opens a terminal on a device: asks the server for a session, dials the tunnel, serves it.
#ifndef FAIRLEAD_CONSOLE_CONNECT_H_
#define FAIRLEAD_CONSOLE_CONNECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "console/api_client.h"

namespace fairlead::console {

struct ConnectRequest {
  // The unit ID, or "devices/{unit_id}".
  std::string device;
  std::string profile;
  std::string reason;
};

// Opens and serves a terminal on this process's standard streams. Returns the exit code for the
// process: the program's, 128 + signal, or 255 when the terminal ended otherwise (told on standard
// error).
// Errors: those of CreateSession and of dialling.
// Source: design, flow OS 12 direct, steps 1 and 5.
absl::StatusOr<int> Connect(ApiClient& api, const std::string& token,
                            const dataplane::TlsTrust& trust, const ConnectRequest& request);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_CONNECT_H_
