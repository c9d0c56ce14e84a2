// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tty.h.
#include "console/tty.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "absl/cleanup/cleanup.h"

namespace fairlead::console {
namespace {

constexpr std::array<int, 4> kEndingSignals = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t caught_signal = 0;

void CatchSignal(int number) { caught_signal = number; }

// Holds back what ends the process for as long as it lives: it may interrupt Await, and acts at the
// end.
class DelayedSignals {
 public:
  DelayedSignals() {
    caught_signal = 0;
    sigset_t held;
    sigemptyset(&held);
    for (const int number : kEndingSignals) sigaddset(&held, number);
    pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
    struct sigaction action {};
    action.sa_handler = CatchSignal;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      sigaction(kEndingSignals[i], &action, &before_[i]);
    }
  }
  ~DelayedSignals() {
    for (std::size_t i = 0; i < before_.size(); ++i) {
      sigaction(kEndingSignals[i], &before_[i], nullptr);
    }
    if (caught_signal != 0) raise(caught_signal);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  DelayedSignals(const DelayedSignals&) = delete;
  DelayedSignals& operator=(const DelayedSignals&) = delete;

  // Waits until `fd` can be read; false if a signal came instead, however early.
  bool Await(int fd) const {
    pollfd readable{fd, POLLIN, 0};
    while (ppoll(&readable, 1, nullptr, &mask_before_) < 0) {
      if (errno != EINTR || caught_signal != 0) return false;
    }
    return true;
  }

 private:
  sigset_t mask_before_;
  std::array<struct sigaction, kEndingSignals.size()> before_{};
};

}  // namespace

RawMode::RawMode() {
  if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &saved_) != 0) return;
  termios raw = saved_;
  cfmakeraw(&raw);
  active_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawMode::~RawMode() {
  if (active_) tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
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
  // Destroyed after the terminal is as it was.
  const DelayedSignals signals;
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
  while (line.size() < 1024 && signals.Await(tty)) {
    const ssize_t n = read(tty, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') break;
    line.push_back(c);
  }
  if (write(tty, "\n", 1) < 0) line.clear();
  if (caught_signal != 0) return absl::CancelledError("no password was given");
  return line;
}

}  // namespace fairlead::console
