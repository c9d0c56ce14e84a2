// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What happens in a new process between fork and exec: system calls alone, all that they need
// prepared before. Used by Pty.
#ifndef FAIRLEAD_DEVICE_PTY_CHILD_H_
#define FAIRLEAD_DEVICE_PTY_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "device/program.h"

namespace fairlead::device {

// The steps that can fail, in their order.
enum class ChildStep : int {
  kSession,
  kTerminal,
  kGroups,
  kGroup,
  kUser,
  kDeathSignal,
  kDirectory,
  kExec,
};

// What a child reports through its pipe when it cannot go on.
struct ChildFailure {
  ChildStep step = ChildStep::kSession;
  int error = 0;
};

// "cannot run /bin/x", and so on.
std::string DescribeChildStep(ChildStep step, absl::string_view path,
                              absl::string_view working_directory);

// Everything the child needs, in the form that system calls take.
// Lifetime: `program` must outlive it.
struct ChildPlan {
  ChildPlan(const Program& program, int slave_fd, int report_fd);

  const Program& program;
  std::vector<char*> argv;
  std::vector<char*> environment;
  int slave = -1;
  int report = -1;
  pid_t parent = 0;
};

// Runs in the child and never returns. Async-signal-safe.
[[noreturn]] void RunChild(const ChildPlan& plan);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_PTY_CHILD_H_
