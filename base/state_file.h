// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Small files that a role keeps, written so that a crash leaves the old or the new content and
// never half of it. Used for keys, certificates, the first password,
// ports and bundles.
#ifndef FAIRLEAD_BASE_STATE_FILE_H_
#define FAIRLEAD_BASE_STATE_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead {

// Makes the folder with mode 0700 unless it is there. Errors: INTERNAL.
absl::Status EnsureFolder(const std::string& folder);

// The whole file, at most 1 MiB. Errors: NOT_FOUND no such file; INTERNAL it cannot be read.
absl::StatusOr<std::string> ReadStateFile(const std::string& path);

// Writes beside `path`, flushes to the disk, and renames. Errors: INTERNAL.
absl::Status WriteStateFile(const std::string& path, absl::string_view content, mode_t mode);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_STATE_FILE_H_
