// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See state_file.h.
#include "base/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace fairlead {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

// An open file. Closed at the end of its scope.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status FileError(absl::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("Cannot ", what, " ", path, ": ", std::strerror(error),
                                           "; check the folder's owner, mode and free space.");
  return error == ENOENT ? absl::NotFoundError(message) : absl::InternalError(message);
}

absl::Status WriteAll(int fd, absl::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError("write", path);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return fsync(fd) == 0 ? absl::OkStatus() : FileError("flush", path);
}

absl::Status WriteTemporary(const std::string& path, absl::string_view content, mode_t mode) {
  // A crash may have left one behind, with another mode.
  unlink(path.c_str());
  const File file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (file.fd() < 0) return FileError("create", path);
  // The process's umask does not matter.
  if (fchmod(file.fd(), mode) != 0) return FileError("set the mode of", path);
  return WriteAll(file.fd(), content, path);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status EnsureFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) return FileError("create the folder", folder);
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) return FileError("look at", folder);
  if (S_ISDIR(info.st_mode)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(folder, " is not a folder; name another one."));
}

absl::StatusOr<std::string> ReadStateFile(const std::string& path) {
  const File file(path, O_RDONLY);
  if (file.fd() < 0) return FileError("open", path);
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t n = read(file.fd(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError("read", path);
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > kMaxFileBytes) {
      return absl::InternalError(absl::StrCat(path, " is larger than 1 MiB; it is not ours."));
    }
  }
}

absl::Status WriteStateFile(const std::string& path, absl::string_view content, mode_t mode) {
  const std::string temporary = absl::StrCat(path, ".new");
  absl::Status status = WriteTemporary(temporary, content, mode);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = FileError("rename a file to", path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return absl::InternalError(status.message());
  }
  // The rename itself must survive a loss of power.
  const File folder(FolderOf(path), O_RDONLY | O_DIRECTORY);
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return FileError("flush the folder of", path);
  return absl::OkStatus();
}

}  // namespace fairlead
