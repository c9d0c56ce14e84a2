// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Learns the CA of a server that is trusted by fingerprint, so that ICGs, which have certificates
// of the same CA, can be trusted too. Used by login.
#ifndef FAIRLEAD_CONSOLE_LEARN_CA_H_
#define FAIRLEAD_CONSOLE_LEARN_CA_H_

#include <string>

#include "absl/status/statusor.h"
#include "console/api_client.h"

namespace fairlead::console {

// The server's CA certificates, PEM, asked for over a connection that `server.trust` vouches for.
// Errors: those of dataplane::Fetch; UNAVAILABLE or INVALID_ARGUMENT the answer is of no use.
// Source: design section 3, EST's cacerts (RFC 7030 section 4.1).
absl::StatusOr<std::string> LearnCa(const ServerAddress& server);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_LEARN_CA_H_
