// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/pty_child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace fairlead::device {
namespace {

// Where the report pipe is put, right above standard input, output and error.
constexpr int kReportFd = 3;

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Fail(int report, ChildStep step) {
  ChildFailure failure;
  failure.step = step;
  failure.error = errno;
  [[maybe_unused]] const ssize_t ignored = write(report, &failure, sizeof failure);
  _exit(127);
}

// Exec keeps ignored signals and the mask; the program must start with neither.
void ResetSignals() {
  // The kernel's own structure, in which zeros mean SIG_DFL; the C library's function refuses the
  // two signals that it keeps to itself, which a parent may have left ignored.
  const unsigned long defaults[8] = {};
  constexpr std::size_t kKernelMaskBytes = 8;
  for (int signal = 1; signal <= 64; ++signal) {
    syscall(SYS_rt_sigaction, signal, defaults, nullptr, kKernelMaskBytes);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Makes the terminal standard input, output and error, and closes all else but the report pipe.
void SetDescriptors(const ChildPlan& plan) {
  // Out of the way of 0 to 3, whatever numbers they have now.
  const int slave = fcntl(plan.slave, F_DUPFD, 10);
  const int report = fcntl(plan.report, F_DUPFD, 10);
  if (slave < 0 || report < 0) Fail(plan.report, ChildStep::kTerminal);
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(slave, fd) < 0) Fail(report, ChildStep::kTerminal);
  }
  if (dup3(report, kReportFd, O_CLOEXEC) < 0) Fail(report, ChildStep::kTerminal);
  if (close_range(kReportFd + 1, ~0U, 0) == 0) return;
  // A kernel before 5.9 has no close_range.
  const int limit = static_cast<int>(sysconf(_SC_OPEN_MAX));
  for (int fd = kReportFd + 1; fd < (limit > 0 ? limit : 1024); ++fd) close(fd);
}

void BecomeUser(const Credentials& user) {
  // The system calls themselves: the library's functions would speak to other threads, and there
  // are none in this process.
  if (syscall(SYS_setgroups, user.groups.size(), user.groups.data()) != 0) {
    Fail(kReportFd, ChildStep::kGroups);
  }
  if (syscall(SYS_setgid, user.gid) != 0) Fail(kReportFd, ChildStep::kGroup);
  if (syscall(SYS_setuid, user.uid) != 0) Fail(kReportFd, ChildStep::kUser);
}

}  // namespace

std::string DescribeChildStep(ChildStep step, absl::string_view path,
                              absl::string_view working_directory) {
  switch (step) {
    case ChildStep::kSession:
      return "cannot start a session of processes";
    case ChildStep::kTerminal:
      return "cannot take the pseudo-terminal";
    case ChildStep::kGroups:
      return "cannot set the groups of the profile's user";
    case ChildStep::kGroup:
      return "cannot set the main group of the profile's user";
    case ChildStep::kUser:
      return "cannot become the profile's user";
    case ChildStep::kDeathSignal:
      return "cannot tie the program to the agent";
    case ChildStep::kDirectory:
      return absl::StrCat("cannot change to the folder ", working_directory);
    case ChildStep::kExec:
      return absl::StrCat("cannot run ", path);
  }
  return "cannot start the program";
}

ChildPlan::ChildPlan(const Program& program_to_run, int slave_fd, int report_fd)
    : program(program_to_run),
      argv(Pointers(program_to_run.argv)),
      environment(Pointers(program_to_run.environment)),
      slave(slave_fd),
      report(report_fd),
      parent(getpid()) {}

void RunChild(const ChildPlan& plan) {
  // Handlers are reset before signals are let in, so that none of the agent's runs here.
  if (setsid() < 0) Fail(plan.report, ChildStep::kSession);
  if (ioctl(plan.slave, TIOCSCTTY, 0) != 0) Fail(plan.report, ChildStep::kTerminal);
  ResetSignals();
  SetDescriptors(plan);
  umask(022);
  if (plan.program.credentials.has_value()) {
    // The terminal belongs to its user, so that programs may open it by name.
    [[maybe_unused]] const int ignored = fchown(0, plan.program.credentials->uid, -1);
    BecomeUser(*plan.program.credentials);
  }
  // After the change of user, which clears it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail(kReportFd, ChildStep::kDeathSignal);
  // The agent may have died before that.
  if (getppid() != plan.parent) _exit(127);
  if (chdir(plan.program.working_directory.c_str()) != 0) Fail(kReportFd, ChildStep::kDirectory);
  execve(plan.program.path.c_str(), plan.argv.data(), plan.environment.data());
  Fail(kReportFd, ChildStep::kExec);
}

}  // namespace fairlead::device
