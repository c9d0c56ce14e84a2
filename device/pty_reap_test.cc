// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a program that has ended and cannot be reaped, since a tracer holds it: nothing waits.
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "base/status_matchers.h"
#include "device/pty.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

// A process that traces `traced`, which so stays until this process has ended.
class Tracer {
 public:
  explicit Tracer(pid_t traced) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      const char attached = ptrace(PTRACE_SEIZE, traced, nullptr, nullptr) == 0 ? 'y' : 'n';
      (void)!write(ready[1], &attached, 1);
      for (;;) pause();
    }
    char attached = 'n';
    EXPECT_EQ(read(ready[0], &attached, 1), 1);
    attached_ = attached == 'y';
    close(ready[0]);
    close(ready[1]);
  }
  ~Tracer() { End(); }

  // False where the system's settings forbid it (kernel.yama.ptrace_scope).
  bool attached() const { return attached_; }
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool attached_ = false;
};

std::unique_ptr<Pty> StartSleep() {
  Program program;
  program.path = "/bin/sleep";
  program.argv = {"sleep", "1000"};
  program.working_directory = "/";
  absl::StatusOr<std::unique_ptr<Pty>> started = Pty::Start(program, terminal::WindowSize());
  EXPECT_THAT(started, IsOk());
  return started.ok() ? *std::move(started) : nullptr;
}

TEST(PtyReap, AProgramThatATracerHoldsIsNotWaitedFor) {
  const std::unique_ptr<Pty> pty = StartSleep();
  ASSERT_NE(pty, nullptr);
  const pid_t pid = pty->pid();
  Tracer tracer(pid);
  if (!tracer.attached()) GTEST_SKIP() << "this system lets no process trace another";

  pty->KillSession();
  pollfd ended{pty->exit_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&ended, 1, 20'000), 1);
  EXPECT_FALSE(pty->PollExit().has_value());
  EXPECT_FALSE(pty->Reap());

  tracer.End();
  EXPECT_TRUE(pty->Reap());
  EXPECT_TRUE(pty->Reap());
  // The number may be another's by now.
  pty->KillSession();
  pty->HangUp();
}

TEST(PtyReap, DestroyingItDoesNotWaitEither) {
  std::unique_ptr<Pty> pty = StartSleep();
  ASSERT_NE(pty, nullptr);
  const pid_t pid = pty->pid();
  Tracer tracer(pid);
  if (!tracer.attached()) GTEST_SKIP() << "this system lets no process trace another";
  pty.reset();

  tracer.End();
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

}  // namespace
}  // namespace fairlead::device
