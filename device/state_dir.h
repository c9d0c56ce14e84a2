// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The agent's state on disk: small files that are replaced as a whole, so that a crash or a power
// cut at any moment leaves the old or the new contents. Used by Identity and UnifiedClient.
#ifndef FAIRLEAD_DEVICE_STATE_DIR_H_
#define FAIRLEAD_DEVICE_STATE_DIR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead::device {

// The CA certificates that EST gave at enrolment, PEM: those of devices, servers and ICGs.
inline constexpr char kEnrolledCaFile[] = "ca.pem";

// Thread: one; one process at a time (Open takes a lock).
class StateDir {
 public:
  // Makes the folder if need be (mode 0700) and locks it.
  // Errors: FAILED_PRECONDITION another agent uses it; else why it cannot be used.
  static absl::StatusOr<StateDir> Open(const std::string& path);
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  ~StateDir();

  // Errors: NOT_FOUND there is no such file; else why it cannot be read.
  absl::StatusOr<std::string> Read(absl::string_view name) const;

  // Replaces or makes a file, mode 0600: temporary file, fsync, rename, fsync of the folder.
  // Errors: RESOURCE_EXHAUSTED the disk is full, and so on; then the old contents stay.
  absl::Status Write(absl::string_view name, absl::string_view contents) const;

  // Makes `to` what `from` is, and removes `from`, in one step.
  absl::Status Rename(absl::string_view from, absl::string_view to) const;

  // Called before each step of Write and Rename; tests end the process there.
  using StepHook = void (*)(int step);
  static void SetStepHookForTest(StepHook hook);

 private:
  StateDir(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string PathOf(absl::string_view name) const;
  absl::Status SyncFolder() const;

  std::string path_;
  // Of the folder; holds the lock.
  int fd_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_STATE_DIR_H_
