// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A program of ours as a child process: started with arguments, its output kept in a file, killed
// or waited for under a deadline. Used by the end-to-end tests.
#ifndef FAIRLEAD_TESTS_SUPPORT_PROCESS_H_
#define FAIRLEAD_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace fairlead::tests {

// How a process ended.
struct ExitStatus {
  bool exited = false;
  // The exit code, or the signal's number.
  int value = 0;
};

// Thread: one. Lifetime: the destructor kills the process and reaps it.
class Process {
 public:
  struct Options {
    // Program and arguments; no shell is involved.
    std::vector<std::string> argv;
    // "NAME=value" entries on top of this process's environment.
    std::vector<std::string> environment;
    // Standard output and error go here; empty leaves them alone.
    std::string log_path;
    // Read as standard input; empty for /dev/null.
    std::string stdin_path;
    // Where standard output goes if not into the log.
    std::string stdout_path;
  };

  // Ends the test program with a message if the process cannot be started.
  static std::unique_ptr<Process> Start(const Options& options);
  ~Process();

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // Waits for the end; nothing when `limit` passes before.
  absl::optional<ExitStatus> Wait(absl::Duration limit);

 private:
  Process(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  const pid_t pid_;
  const int pidfd_;
  absl::optional<ExitStatus> ended_;
};

// The whole file, or nothing if there is none.
absl::optional<std::string> ReadFile(const std::string& path);

// The path of a program or data file that the test lists in `data`, for example "control/server".
std::string Runfile(const std::string& path);

// Waits until `done` returns true, looking again whenever something may have changed; gives up and
// returns false after `limit`.
bool Eventually(absl::Duration limit, const std::function<bool()>& done);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_PROCESS_H_
