// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Asks the server how a program ended whose stream had no word for it: a Telnet device tells its
// server, if it has a connection to it, not its Console. Used by connect and listen.
#ifndef FAIRLEAD_CONSOLE_ASK_OUTCOME_H_
#define FAIRLEAD_CONSOLE_ASK_OUTCOME_H_

#include <string>

#include "absl/time/time.h"
#include "console/api_client.h"
#include "console/terminal_outcome.h"
#include "proto/session.pb.h"

namespace fairlead::console {

// How long, and how often, the server is asked.
struct AskOptions {
  // The server shows a session's end within 500 ms, and its result when the device has told it.
  absl::Duration patience = absl::Seconds(2);
  absl::Duration interval = absl::Milliseconds(100);
};

// `outcome`, or what the server knows if that says more. Asks only if `outcome` is that of a stream
// that ended untold; then waits for the session's end, and for its result unless the device was
// dialled and has no connection on which to tell it.
// Source: design, section 4, Session.end.
TerminalOutcome AskOutcome(ApiClient& api, const std::string& token, const v1::Session& session,
                           TerminalOutcome outcome, const AskOptions& options = AskOptions());

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_ASK_OUTCOME_H_
