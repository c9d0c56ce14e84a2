// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Opens a terminal on a device: asks the server for a session, dials the tunnel, serves it on this
// process's standard streams.
#ifndef FAIRLEAD_CONSOLE_CONNECT_H_
#define FAIRLEAD_CONSOLE_CONNECT_H_

#include <string>

#include "absl/status/statusor.h"
#include "console/api_client.h"
#include "console/open_session.h"

namespace fairlead::console {

// Opens and serves a terminal on this process's standard streams. Returns the exit code for the
// process: the program's, 128 + signal, 0 when an OS 11 device ended the session (Telnet tells no
// exit code), or 255 when the terminal ended otherwise (told on standard error).
// Errors: those of CreateSession and of dialling.
// Source: design, the four flows.
absl::StatusOr<int> Connect(ApiClient& api, const std::string& token, const ServerAddress& server,
                            const ConnectRequest& request);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_CONNECT_H_
