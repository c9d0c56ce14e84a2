// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The console's commands about ICGs. Used by the command line.
#ifndef FAIRLEAD_CONSOLE_ICG_COMMANDS_H_
#define FAIRLEAD_CONSOLE_ICG_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "console/command_support.h"
#include "console/secret_file.h"
#include "proto/icg.pb.h"

namespace fairlead::console {

// "5m", "1h30m", or "300" for seconds.
// Errors: INVALID_ARGUMENT neither, or negative.
absl::StatusOr<absl::Duration> ParsePeriod(absl::string_view text);

// Registers an ICG and writes the bundle with which it starts, which holds its private key, to the
// file `bundle_path` of mode 0600.
// Errors: ALREADY_EXISTS the file, or the ICG, is there already; UNAVAILABLE the file cannot be
// written. Nothing is registered before it is sure that the file can be written.
absl::Status RegisterIcg(CommandContext& context, const v1::RegisterIcgRequest& request,
                         const std::string& bundle_path, Overwrite overwrite);
absl::Status ListIcgs(CommandContext& context);
absl::Status DeleteIcg(CommandContext& context, const std::string& name);

// All ICGs, by name.
absl::StatusOr<v1::ListIcgsResponse> FetchIcgs(CommandContext& context);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_ICG_COMMANDS_H_
