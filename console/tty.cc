// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tty.h.
#include "console/tty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"

namespace fairlead::console {

RawMode::RawMode() {
  if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &saved_) != 0) return;
  termios raw = saved_;
  cfmakeraw(&raw);
  active_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawMode::~RawMode() { Restore(); }

void RawMode::Restore() {
  if (active_) tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
  active_ = false;
}

terminal::WindowSize TtySize() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
      return terminal::ClampWindowSize(size.ws_col, size.ws_row);
    }
  }
  return terminal::WindowSize();
}

absl::StatusOr<std::string> AskSecret(const std::string& prompt) {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) {
    return absl::FailedPreconditionError(
        "there is no terminal to ask for the password on; use --password_file");
  }
  absl::Cleanup close_tty = [tty] { close(tty); };
  termios saved{};
  tcgetattr(tty, &saved);
  termios silent = saved;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(tty, TCSAFLUSH, &silent);
  absl::Cleanup restore = [tty, &saved] { tcsetattr(tty, TCSAFLUSH, &saved); };
  if (write(tty, prompt.data(), prompt.size()) < 0) {
    return absl::FailedPreconditionError("the terminal takes no prompt; use --password_file");
  }
  std::string line;
  char c = 0;
  while (line.size() < 1024) {
    const ssize_t n = read(tty, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') break;
    line.push_back(c);
  }
  if (write(tty, "\n", 1) < 0) line.clear();
  return line;
}

}  // namespace fairlead::console
