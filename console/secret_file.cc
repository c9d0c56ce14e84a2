// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See secret_file.h.
#include "console/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fairlead::console {
namespace {

absl::Status CannotWrite(const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

absl::Status InTheWay(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, " is there already: name another file, or give --force to replace it"));
}

absl::Status WriteAll(int fd, const std::string& text, const std::string& path) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno != EINTR) return CannotWrite(path);
    if (n > 0) written += static_cast<std::size_t>(n);
  }
  return fsync(fd) == 0 ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace

SecretFile::SecretFile(std::string path, Overwrite overwrite)
    : path_(std::move(path)),
      temporary_(absl::StrCat(path_, ".", getpid())),
      overwrite_(overwrite) {}

SecretFile::SecretFile(SecretFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, "")),
      overwrite_(other.overwrite_),
      fd_(std::exchange(other.fd_, -1)) {}

SecretFile::~SecretFile() {
  if (fd_ >= 0) close(fd_);
  if (fd_ >= 0) unlink(temporary_.c_str());
}

absl::StatusOr<SecretFile> SecretFile::Prepare(const std::string& path, Overwrite overwrite) {
  SecretFile file(path, overwrite);
  struct stat info {};
  if (overwrite == Overwrite::kNo && lstat(path.c_str(), &info) == 0) return InTheWay(path);
  file.fd_ = open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file.fd_ < 0) return CannotWrite(path);
  return file;
}

absl::Status SecretFile::Commit(const std::string& text) {
  if (const absl::Status written = WriteAll(fd_, text, path_); !written.ok()) return written;
  if (overwrite_ == Overwrite::kYes) {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return CannotWrite(path_);
  } else {
    // Unlike rename, this replaces nothing.
    if (link(temporary_.c_str(), path_.c_str()) != 0) {
      return errno == EEXIST ? InTheWay(path_) : CannotWrite(path_);
    }
  }
  return absl::OkStatus();
}

}  // namespace fairlead::console
