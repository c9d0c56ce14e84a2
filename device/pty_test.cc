// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Real programs on real pseudo-terminals: what they see at start, that no byte of theirs is lost at
// their end, and that none of them outlives its session.
#include "device/pty.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_matchers.h"
#include "device/session_processes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(30);

Program Shell(const std::string& script) {
  Program program;
  program.path = "/bin/sh";
  program.argv = {"sh", "-c", script};
  program.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "TERM=xterm-256color", "LC_ALL=C"};
  program.working_directory = "/";
  return program;
}

terminal::WindowSize Size(std::uint32_t columns, std::uint32_t rows) {
  return terminal::ClampWindowSize(columns, rows);
}

// Waits for a descriptor; false when patience is at its end.
bool Await(int fd, short events, absl::Duration patience = kPatience) {
  pollfd entry = {fd, events, 0};
  return poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) > 0;
}

// A program that is driven by a test with blocking calls.
class Driven {
 public:
  explicit Driven(const Program& program, terminal::WindowSize size = Size(80, 24)) {
    auto pty = Pty::Start(program, size);
    EXPECT_THAT(pty, IsOk());
    pty_ = std::move(*pty);
    EXPECT_TRUE(Await(pty_->exec_fd(), POLLIN));
    exec_ = pty_->ExecResult();
  }

  Pty& pty() { return *pty_; }
  const absl::Status& exec() const { return exec_; }
  const std::string& output() const { return output_; }

  // Reads what there is; false if nobody holds the other side.
  bool ReadSome() {
    char buffer[65536];
    std::size_t count = 0;
    const Pty::Io io = pty_->Read(buffer, sizeof buffer, &count);
    output_.append(buffer, count);
    return io != Pty::Io::kGone;
  }

  void AwaitOutput(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      ASSERT_TRUE(Await(pty_->master_fd(), POLLIN)) << "have: " << output_;
      ASSERT_TRUE(ReadSome()) << "have: " << output_;
    }
  }

  void Type(absl::string_view text) {
    while (!text.empty()) {
      std::size_t count = 0;
      ASSERT_NE(pty_->Write(text, &count), Pty::Io::kGone);
      text.remove_prefix(count);
      if (count == 0) {
        ASSERT_TRUE(Await(pty_->master_fd(), POLLOUT));
      }
    }
  }

  // Reads until the program's end, then all that it left.
  terminal::ProgramResult Finish() {
    for (;;) {
      pollfd entries[2] = {{pty_->exit_fd(), POLLIN, 0}, {pty_->master_fd(), POLLIN, 0}};
      if (poll(entries, 2, 30'000) <= 0) {
        ADD_FAILURE() << "no end; have: " << output_;
        return terminal::ProgramResult();
      }
      if (entries[0].revents != 0) break;
      ReadSome();
    }
    const auto result = pty_->PollExit();
    std::size_t before = 0;
    do {
      before = output_.size();
      ReadSome();
    } while (output_.size() != before);
    return result.value_or(terminal::ProgramResult());
  }

 private:
  std::unique_ptr<Pty> pty_;
  absl::Status exec_;
  std::string output_;
};

terminal::ProgramResult Exit(int code) {
  terminal::ProgramResult result;
  result.exit_code = code;
  return result;
}

terminal::ProgramResult Killed(const std::string& signal) {
  terminal::ProgramResult result;
  result.signal = signal;
  return result;
}

int OpenDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

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

TEST(ParseProcessStat, ReadsNamesOfAnyShape) {
  SessionProcess process;
  ASSERT_TRUE(ParseProcessStat("12 (a) b (c)) S 1 34 56 34816 -1", &process));
  EXPECT_EQ(process.pid, 12);
  EXPECT_EQ(process.group, 34);
  EXPECT_EQ(process.session, 56);
  EXPECT_FALSE(process.ended);
  ASSERT_TRUE(ParseProcessStat("12 (x) Z 1 34 56 0", &process));
  EXPECT_TRUE(process.ended);
  for (const char* line :
       {"", "12", "12 (x", "12 (x) ", "12 (x) S", "x (y) S 1 2 3", "1 (y) S 1 a 3"}) {
    EXPECT_FALSE(ParseProcessStat(line, &process)) << line;
  }
}

}  // namespace
}  // namespace fairlead::device
