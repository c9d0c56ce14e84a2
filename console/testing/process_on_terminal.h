// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A process with a terminal of its own, at which the test sits. Used by the tests of what people
// meet at a terminal: questions, Ctrl-C, and how the terminal is left behind.
#ifndef FAIRLEAD_CONSOLE_TESTING_PROCESS_ON_TERMINAL_H_
#define FAIRLEAD_CONSOLE_TESTING_PROCESS_ON_TERMINAL_H_

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace fairlead::console {

// Thread: one, before any other is started: it forks.
// Lifetime: the process ends with it.
class ProcessOnTerminal {
 public:
  // Runs `work` in the process, which ends with its result.
  explicit ProcessOnTerminal(const std::function<int()>& work) {
    EXPECT_EQ(openpty(&master_, &slave_, nullptr, nullptr, nullptr), 0);
    child_ = fork();
    if (child_ == 0) {
      setsid();
      ioctl(slave_, TIOCSCTTY, 0);
      for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(slave_, fd);
      _exit(work());
    }
  }
  ~ProcessOnTerminal() {
    if (!waited_) {
      Signal(SIGKILL);
      Wait();
    }
    close(master_);
    close(slave_);
  }
  ProcessOnTerminal(const ProcessOnTerminal&) = delete;
  ProcessOnTerminal& operator=(const ProcessOnTerminal&) = delete;

  void AwaitShown(const std::string& text) {
    char bytes[256];
    while (!absl::StrContains(shown_, text)) {
      const ssize_t n = read(master_, bytes, sizeof(bytes));
      ASSERT_GT(n, 0);
      shown_.append(bytes, static_cast<std::size_t>(n));
    }
  }
  const std::string& shown() const { return shown_; }

  void Type(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Signal(int number) { kill(child_, number); }

  // How the process ended, as a shell tells it: its exit code, or 128 + signal.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    waited_ = true;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  // Whether the terminal shows what is typed, and whether it takes it by lines and heeds Ctrl-C.
  bool Echoes() const { return (LocalModes() & ECHO) != 0; }
  bool IsCooked() const { return (LocalModes() & ICANON) != 0 && (LocalModes() & ISIG) != 0; }

 private:
  tcflag_t LocalModes() const {
    termios now{};
    EXPECT_EQ(tcgetattr(slave_, &now), 0);
    return now.c_lflag;
  }

  int master_ = -1;
  int slave_ = -1;
  pid_t child_ = -1;
  bool waited_ = false;
  std::string shown_;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TESTING_PROCESS_ON_TERMINAL_H_
