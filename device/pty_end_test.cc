// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The ends of real programs on real pseudo-terminals: hung up, killed, or left behind; none of them
// outlives its session.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "device/pty.h"
#include "device/session_processes.h"
#include "device/testing/driven_program.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

TEST(Pty, ABackgroundProcessDoesNotKeepTheEndAway) {
  Driven program(Shell("trap '' HUP; sleep 1000 & echo started; exit 5"));
  EXPECT_EQ(program.Finish(), Exit(5));
  EXPECT_EQ(program.output(), "started\r\n");
  EXPECT_TRUE(program.pty().SessionAlive());
  program.pty().KillSession();
}

TEST(Pty, HangUpEndsForegroundAndBackground) {
  Driven program(Shell("sleep 1000 & sleep 1000 & echo started; exec sleep 1000"));
  program.AwaitOutput("started");
  program.pty().HangUp();
  EXPECT_EQ(program.Finish(), Killed("SIGHUP"));
}

TEST(Pty, HangUpReachesAStoppedProgram) {
  Driven program(Shell("echo $$; kill -STOP $$; exit 0"));
  program.AwaitOutput("\r\n");
  program.pty().HangUp();
  EXPECT_EQ(program.Finish(), Killed("SIGHUP"));
}

// Waits for the other processes of a session to end; their exit reaches nobody we can wait for.
void AwaitSessionGone(const Pty& pty) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (pty.SessionAlive()) {
    ASSERT_LT(absl::Now(), deadline);
    poll(nullptr, 0, 1);
  }
}

TEST(Pty, KillSessionEndsWhatIgnoresHangUp) {
  Driven program(
      Shell("trap '' HUP; (sleep 1000 & exec sleep 1000) & echo started; "
            "while :; do sleep 1; done"));
  program.AwaitOutput("started");
  program.pty().HangUp();
  EXPECT_FALSE(Await(program.pty().exit_fd(), POLLIN, absl::Milliseconds(100)));
  program.pty().KillSession();
  EXPECT_EQ(program.Finish(), Killed("SIGKILL"));
  AwaitSessionGone(program.pty());
}

TEST(Pty, ClosingTheTerminalHangsUpWhatRunsInTheForeground) {
  Driven program(Shell("echo started; exec sleep 1000"));
  program.AwaitOutput("started");
  program.pty().CloseMaster();
  ASSERT_TRUE(Await(program.pty().exit_fd(), POLLIN));
  EXPECT_EQ(program.pty().PollExit(), Killed("SIGHUP"));
}

TEST(Pty, TheProgramDiesWithTheAgent) {
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t agent = fork();
  if (agent == 0) {
    auto pty =
        Pty::Start(Shell("trap '' HUP; echo started; while :; do sleep 1; done"), Size(80, 24));
    const pid_t pid = (*pty)->pid();
    Await((*pty)->master_fd(), POLLIN);
    [[maybe_unused]] const ssize_t ignored = write(report[1], &pid, sizeof pid);
    pause();
    _exit(0);
  }
  pid_t shell = 0;
  ASSERT_EQ(read(report[0], &shell, sizeof shell), static_cast<ssize_t>(sizeof shell));
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
  const absl::Time deadline = absl::Now() + kPatience;
  // It may remain as a zombie if nobody reaps orphans here.
  const auto runs = [shell] {
    const auto processes = ProcessesOfSession(shell);
    return std::any_of(processes.begin(), processes.end(), [shell](const auto& process) {
      return process.pid == shell && !process.ended;
    });
  };
  while (runs()) {
    ASSERT_LT(absl::Now(), deadline);
    poll(nullptr, 0, 1);
  }
  close(report[0]);
  close(report[1]);
}

}  // namespace
}  // namespace fairlead::device
