// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Real programs on real pseudo-terminals: what they see at start, what passes, and that no byte of
// theirs is lost at their end.
#include "device/pty.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_matchers.h"
#include "device/testing/descriptors.h"
#include "device/testing/driven_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::HasSubstr;

TEST(Pty, FirstCommandSeesTheSize) {
  Driven program(Shell("stty size"), Size(132, 43));
  EXPECT_EQ(program.Finish(), Exit(0));
  EXPECT_EQ(program.output(), "43 132\r\n");
}

TEST(Pty, ResizeIsSeenAndSignalled) {
  Driven program(Shell("trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.05; done"));
  program.AwaitOutput("ready");
  program.pty().Resize(Size(1000, 1));
  EXPECT_EQ(program.Finish(), Exit(4));
  EXPECT_THAT(program.output(), HasSubstr("1 1000\r\n"));
}

TEST(Pty, GivesExactlyTheEnvironmentArgumentsAndFolder) {
  Program program = Shell("");
  program.path = "/usr/bin/env";
  program.argv = {"env"};
  program.environment = {"A=1", "B=two words", "TERM=xterm-256color"};
  Driven env(program);
  EXPECT_EQ(env.Finish(), Exit(0));
  EXPECT_EQ(env.output(), "A=1\r\nB=two words\r\nTERM=xterm-256color\r\n");

  Program where = Shell("pwd; echo \"$0|$1|$2\"");
  where.argv.insert(where.argv.end(), {"name", "a b", "$(reboot)"});
  where.working_directory = "/usr";
  Driven folder(where);
  EXPECT_EQ(folder.Finish(), Exit(0));
  EXPECT_EQ(folder.output(), "/usr\r\nname|a b|$(reboot)\r\n");
}

TEST(Pty, ProgramStartsWithCleanDescriptorsSignalsAndSession) {
  signal(SIGPIPE, SIG_IGN);
  Driven program(
      Shell("ls /proc/$$/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status;"
            "ps -o pid=,pgid=,sid=,tpgid= -p $$ | tr -s ' '; echo $$"));
  EXPECT_EQ(program.Finish(), Exit(0));
  // The shell itself may add one descriptor, 10 or 255, for its own ends.
  EXPECT_THAT(program.output(), HasSubstr("0 1 2"));
  EXPECT_EQ(program.output().find(" 3 "), std::string::npos) << program.output();
  EXPECT_THAT(program.output(), HasSubstr("SigIgn:\t0000000000000000"));
  EXPECT_THAT(program.output(), HasSubstr("SigBlk:\t0000000000000000"));
  signal(SIGPIPE, SIG_DFL);
}

TEST(Pty, ExecFailuresAreSentences) {
  Program missing = Shell("");
  missing.path = "/no/such/program";
  EXPECT_THAT(Driven(missing).exec(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "cannot run /no/such/program: No such file or directory"));

  Program folder = Shell("");
  folder.working_directory = "/no/such/folder";
  EXPECT_THAT(Driven(folder).exec(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "cannot change to the folder /no/such/folder: No such file or directory"));

  Program forbidden = Shell("");
  forbidden.path = "/etc/passwd";
  EXPECT_THAT(Driven(forbidden).exec(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                 "cannot run /etc/passwd: Permission denied"));
}

TEST(Pty, RootBecomesTheProfilesUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  // A sandbox's user namespace may forbid it even to its root.
  std::string allowed;
  std::ifstream("/proc/self/setgroups") >> allowed;
  if (allowed == "deny") GTEST_SKIP() << "needs setgroups";
  Program program = Shell("id -u; id -g; id -G; test -w $(tty) && echo mine");
  program.credentials.emplace();
  program.credentials->uid = 65534;
  program.credentials->gid = 65533;
  program.credentials->groups = {65533, 12345};
  Driven id(program);
  ASSERT_THAT(id.exec(), IsOk());
  EXPECT_EQ(id.Finish(), Exit(0));
  EXPECT_EQ(id.output(), "65534\r\n65533\r\n65533 12345\r\nmine\r\n");
}

TEST(Pty, TellsExitCodesAndSignalsApart) {
  EXPECT_EQ(Driven(Shell("exit 0")).Finish(), Exit(0));
  EXPECT_EQ(Driven(Shell("exit 255")).Finish(), Exit(255));
  EXPECT_EQ(Driven(Shell("kill -KILL $$")).Finish(), Killed("SIGKILL"));
  EXPECT_EQ(Driven(Shell("kill -TERM $$")).Finish(), Killed("SIGTERM"));
  EXPECT_EQ(Driven(Shell("exit $((128 + 9))")).Finish(), Exit(137));
}

TEST(Pty, All256BytesPassBothWaysInRawMode) {
  std::string all;
  for (int round = 0; round < 8; ++round) {
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  }
  Driven program(Shell(absl::StrCat("stty raw -echo; echo ready; head -c ", all.size())));
  program.AwaitOutput("ready\n");
  program.Type(all);
  EXPECT_EQ(program.Finish(), Exit(0));
  EXPECT_EQ(program.output().substr(program.output().find("ready\n") + 6), all);
}

// Many at once, so that ends and reads interleave in every way.
void RunMany(const std::string& script, std::size_t expected_size, int code) {
  constexpr int kRuns = 1000;
  constexpr int kAtOnce = 20;
  for (int done = 0; done < kRuns; done += kAtOnce) {
    std::vector<std::unique_ptr<Driven>> programs;
    for (int i = 0; i < kAtOnce; ++i) programs.push_back(std::make_unique<Driven>(Shell(script)));
    for (auto& program : programs) {
      ASSERT_EQ(program->Finish(), Exit(code));
      ASSERT_EQ(program->output().size(), expected_size);
    }
  }
}

TEST(Pty, NoLastByteIsLostInAThousandRuns) { RunMany("printf x; exit 7", 1, 7); }

TEST(Pty, NoByteOfAMebibyteIsLostInAThousandRuns) {
  RunMany("stty -opost; head -c 1048576 /dev/zero; exit 3", 1 << 20, 3);
}

TEST(Pty, DiscardInputLetsAnInterruptThrough) {
  Driven program(Shell("echo ready; sleep 1000; echo after"));
  program.AwaitOutput("ready");
  // Lines that nobody reads fill the kernel's buffers.
  const std::string line(63, 'x');
  std::size_t count = 1;
  for (int quiet = 0; quiet < 3;) {
    if (program.pty().Write(line + "\n", &count) == Pty::Io::kWouldBlock) {
      ++quiet;
      Await(program.pty().master_fd(), POLLOUT, absl::Milliseconds(20));
    }
    program.ReadSome();
  }
  EXPECT_TRUE(program.pty().InputWaits());
  EXPECT_TRUE(program.pty().Keys().enabled);

  program.pty().DiscardInput();
  EXPECT_FALSE(program.pty().InputWaits());
  program.Type("\x03");
  EXPECT_EQ(program.Finish(), Killed("SIGINT"));
}

TEST(Pty, KeysFollowTheTerminalsMode) {
  Driven program(Shell("stty intr ^P; echo one; read x; stty raw; echo two; read x"));
  program.AwaitOutput("one");
  EXPECT_TRUE(program.pty().Keys().enabled);
  EXPECT_EQ(program.pty().Keys().interrupt, 'P' & 0x1F);
  program.Type("\n");
  program.AwaitOutput("two");
  EXPECT_FALSE(program.pty().Keys().enabled);
}

TEST(Pty, LeaksNoDescriptor) {
  { Driven warm_up(Shell("exit 0")); }
  const int before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    Driven ended(Shell("exit 0"));
    ended.Finish();
    Driven running(Shell("sleep 1000"));
    Program missing = Shell("");
    missing.path = "/no/such/program";
    Driven failed(missing);
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace fairlead::device
