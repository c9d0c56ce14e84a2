// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::device {
namespace {

StateDir::StepHook step_hook = nullptr;
int step_count = 0;

void Step() {
  if (step_hook != nullptr) step_hook(step_count++);
}

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t count = write(fd, contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("writing", path);
    contents.remove_prefix(static_cast<std::size_t>(count));
  }
  return absl::OkStatus();
}

// A temporary file with its contents safely on the disk.
absl::Status WriteTemporary(const std::string& path, absl::string_view contents) {
  Step();
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return SystemError("making", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  Step();
  FAIRLEAD_RETURN_IF_ERROR(WriteAll(fd, contents.substr(0, contents.size() / 2), path));
  Step();
  FAIRLEAD_RETURN_IF_ERROR(WriteAll(fd, contents.substr(contents.size() / 2), path));
  Step();
  if (fsync(fd) != 0) return SystemError("writing to disk", path);
  return absl::OkStatus();
}

}  // namespace

void StateDir::SetStepHookForTest(StepHook hook) {
  step_hook = hook;
  step_count = 0;
}

absl::StatusOr<StateDir> StateDir::Open(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("making the state folder ", path, ": ", error.message()));
  }
  if (made) chmod(path.c_str(), 0700);
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("opening the state folder", path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("another agent uses the state folder ", path,
                     "; stop it, or give this one a folder of its own with --state_dir"));
  }
  return StateDir(path, fd);
}

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateDir::~StateDir() {
  if (fd_ >= 0) close(fd_);
}

std::string StateDir::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<std::string> StateDir::Read(absl::string_view name) const {
  const std::string path = PathOf(name);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError("reading", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  std::string contents;
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("reading", path);
    if (count == 0) return contents;
    contents.append(buffer, static_cast<std::size_t>(count));
  }
}

absl::Status StateDir::Write(absl::string_view name, absl::string_view contents) const {
  const std::string path = PathOf(name);
  const std::string temporary = absl::StrCat(path, ".tmp");
  const absl::Status written = WriteTemporary(temporary, contents);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  Step();
  if (rename(temporary.c_str(), path.c_str()) != 0) return SystemError("replacing", path);
  return SyncFolder();
}

absl::Status StateDir::Rename(absl::string_view from, absl::string_view to) const {
  Step();
  if (rename(PathOf(from).c_str(), PathOf(to).c_str()) != 0) {
    return SystemError("replacing", PathOf(to));
  }
  return SyncFolder();
}

absl::Status StateDir::SyncFolder() const {
  Step();
  if (fsync(fd_) != 0) return SystemError("writing to disk", path_);
  return absl::OkStatus();
}

}  // namespace fairlead::device
