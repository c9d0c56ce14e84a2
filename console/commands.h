// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The console's commands behind the command line: each calls the server and prints. Used by
// cli_main.
#ifndef FAIRLEAD_CONSOLE_COMMANDS_H_
#define FAIRLEAD_CONSOLE_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "console/command_support.h"
#include "proto/enrollment.pb.h"

namespace fairlead::console {

// Asks for a token, and saves it together with the server's address and trust.
absl::Status Login(CommandContext& context, const std::string& password);
// Revokes the token and forgets it.
absl::Status Logout(CommandContext& context);
// The sessions that `filter` selects, newest first, at most `limit`.
absl::Status Sessions(CommandContext& context, const std::string& filter, int limit);
absl::Status Terminate(CommandContext& context, const std::string& session,
                       const std::string& reason);
absl::Status CreateKey(CommandContext& context, const v1::FirstAuthenticationKey& key);
absl::Status ListKeys(CommandContext& context);
absl::Status DisableKey(CommandContext& context, const std::string& name);
absl::Status DeleteKey(CommandContext& context, const std::string& name);
// The audit events that `filter` selects, newest first, at most `limit`.
absl::Status Audit(CommandContext& context, const std::string& filter, int limit);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_COMMANDS_H_
