// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The first start: without any user, the first administrator is created. Used by server_main.
#ifndef FAIRLEAD_CONTROL_BOOTSTRAP_H_
#define FAIRLEAD_CONTROL_BOOTSTRAP_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "control/audit_log.h"
#include "control/password.h"
#include "control/store.h"

namespace fairlead::control {

struct BootstrapOptions {
  // The first administrator's name.
  std::string username = "admin";
  // The password, 12 to 1024 bytes; empty to have one made and written to
  // <state_dir>/admin_password, mode 0600.
  std::string password;
  std::string state_dir;
};

struct BootstrapResult {
  // Whether a user was created.
  bool created = false;
  // Where the made password lies; empty if none was made.
  std::string password_file;
};

// Creates the first administrator if there is no user. A crash in between is mended by the next
// start.
//
// Errors: INVALID_ARGUMENT a bad name or password; INTERNAL the store or the file failed.
absl::StatusOr<BootstrapResult> EnsureFirstAdministrator(const BootstrapOptions& options,
                                                         Store& store, AuditLog& audit,
                                                         const Clock& clock,
                                                         PasswordHasher& hasher);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_BOOTSTRAP_H_
