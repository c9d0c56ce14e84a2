// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A file with a secret: mode 0600, written whole or not at all, and shown to be writable before the
// secret is asked for. Used for the saved state and for an ICG's bundle.
#ifndef FAIRLEAD_CONSOLE_SECRET_FILE_H_
#define FAIRLEAD_CONSOLE_SECRET_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fairlead::console {

// What becomes of a file that is in the way.
enum class Overwrite { kNo, kYes };

// Thread: one. Lifetime: without Commit nothing is left behind.
class SecretFile {
 public:
  // Errors: ALREADY_EXISTS there is a file at `path`; UNAVAILABLE none can be made there.
  static absl::StatusOr<SecretFile> Prepare(const std::string& path, Overwrite overwrite);
  SecretFile(SecretFile&& other) noexcept;
  SecretFile& operator=(SecretFile&&) = delete;
  ~SecretFile();

  // Writes `text` and puts the file in its place. Once.
  // Errors: ALREADY_EXISTS somebody made a file there meanwhile; UNAVAILABLE it cannot be written.
  absl::Status Commit(const std::string& text);

 private:
  SecretFile(std::string path, Overwrite overwrite);

  std::string path_;
  // Where it is written; empty once moved from.
  std::string temporary_;
  Overwrite overwrite_;
  int fd_ = -1;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_SECRET_FILE_H_
