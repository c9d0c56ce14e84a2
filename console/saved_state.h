// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the console remembers between commands: the server logged in to, how it is trusted, and the
// token. One file of mode 0600 below the XDG state folder. Used by login and every later command.
#ifndef FAIRLEAD_CONSOLE_SAVED_STATE_H_
#define FAIRLEAD_CONSOLE_SAVED_STATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fairlead::console {

struct SavedState {
  // "https://host:port".
  std::string server;
  std::string ca_pem;
  std::string fingerprint;
  // The bearer token.
  std::string token;
  // "admin".
  std::string username;
};

// $XDG_STATE_HOME/fairlead/console.json, else ~/.local/state/fairlead/console.json.
// Errors: FAILED_PRECONDITION neither variable is set.
absl::StatusOr<std::string> SavedStatePath();

// Errors: NOT_FOUND nothing is saved; PERMISSION_DENIED others may read or write the file;
// DATA_LOSS it is damaged: log in again.
absl::StatusOr<SavedState> LoadState(const std::string& path);

// Writes a new file and puts it in place of the old one; makes the folder (0700) if needed.
// Errors: UNAVAILABLE it cannot be written; names the path and why.
absl::Status SaveState(const std::string& path, const SavedState& state);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_SAVED_STATE_H_
