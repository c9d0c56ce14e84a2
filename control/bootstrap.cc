// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See bootstrap.h.
#include "control/bootstrap.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/state_file.h"
#include "base/status.h"
#include "base/unit_id.h"
#include "control/certificate_authority.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMinPasswordBytes = 12;
constexpr std::size_t kMaxPasswordBytes = 1024;
constexpr mode_t kPrivateMode = 0600;

absl::Status CheckOptions(const BootstrapOptions& options) {
  // The characters of a unit ID also fit a user's name: they need no quoting anywhere.
  if (!IsUnitId(options.username)) {
    return absl::InvalidArgumentError(
        "The administrator's name must have 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and "
        "'-'.");
  }
  const std::size_t size = options.password.size();
  if (size == 0 || (size >= kMinPasswordBytes && size <= kMaxPasswordBytes)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "The administrator's first password must have 12 to 1024 bytes; choose another.");
}

}  // namespace

absl::StatusOr<BootstrapResult> EnsureFirstAdministrator(const BootstrapOptions& options,
                                                         Store& store, AuditLog& audit,
                                                         const Clock& clock,
                                                         PasswordHasher& hasher) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::int64_t users, store.CountUsers());
  if (users > 0) return BootstrapResult();
  FAIRLEAD_RETURN_IF_ERROR(CheckOptions(options));
  BootstrapResult result;
  std::string password = options.password;
  if (password.empty()) {
    password = RandomSecret();
    result.password_file = absl::StrCat(options.state_dir, "/admin_password");
    FAIRLEAD_RETURN_IF_ERROR(EnsureFolder(options.state_dir));
    // Before the user: else a crash in between would leave a user whose password nobody knows.
    FAIRLEAD_RETURN_IF_ERROR(
        WriteStateFile(result.password_file, absl::StrCat(password, "\n"), kPrivateMode));
  }
  UserRecord user;
  user.username = options.username;
  FAIRLEAD_ASSIGN_OR_RETURN(user.password_hash, hasher.Hash(password));
  user.roles = {"roles/administrator"};
  user.create_time = clock.Now();
  const auto create = [&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(store.PutUser(user));
    AuditEntry entry;
    entry.actor = "server";
    entry.action = "user.create";
    entry.resource = absl::StrCat("users/", user.username);
    entry.detail = "First start: the first administrator was created.";
    return audit.Append(entry);
  };
  FAIRLEAD_RETURN_IF_ERROR(store.Transact(create));
  result.created = true;
  return result;
}

}  // namespace fairlead::control
