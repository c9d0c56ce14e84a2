// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the question for a secret on a real controlling terminal, in a process of its own: what is
// typed is not shown, and whatever ends it leaves the terminal as it was.
#include "console/tty.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

// A terminal, and a process on it that asks for a secret and ends with 0 if it is "secret".
class AskSecretTest : public ::testing::Test {
 protected:
  AskSecretTest() {
    EXPECT_EQ(openpty(&master_, &slave_, nullptr, nullptr, nullptr), 0);
    child_ = fork();
    if (child_ == 0) {
      setsid();
      ioctl(slave_, TIOCSCTTY, 0);
      const absl::StatusOr<std::string> secret = AskSecret("Password: ");
      _exit(secret.ok() && *secret == "secret" ? 0 : 1);
    }
  }
  ~AskSecretTest() override {
    close(master_);
    close(slave_);
  }

  void AwaitShown(const std::string& text) {
    char bytes[256];
    while (!absl::StrContains(shown_, text)) {
      const ssize_t n = read(master_, bytes, sizeof(bytes));
      ASSERT_GT(n, 0);
      shown_.append(bytes, static_cast<std::size_t>(n));
    }
  }
  void Type(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // How the process ended.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    return status;
  }
  bool Echoes() const {
    termios now{};
    tcgetattr(slave_, &now);
    return (now.c_lflag & ECHO) != 0;
  }

  int master_ = -1;
  int slave_ = -1;
  pid_t child_ = -1;
  std::string shown_;
};

TEST_F(AskSecretTest, ReadsALineUnseen) {
  AwaitShown("Password: ");
  EXPECT_FALSE(Echoes());
  Type("secret\n");
  const int status = Wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(Echoes());
  AwaitShown("\r\n");
  EXPECT_FALSE(absl::StrContains(shown_, "secret"));
}

TEST_F(AskSecretTest, AnInterruptEndsItAndTheTerminalShowsWhatIsTypedAgain) {
  AwaitShown("Password: ");
  Type("half\x03");
  const int status = Wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  EXPECT_TRUE(Echoes());
}

TEST_F(AskSecretTest, SoDoesATermination) {
  AwaitShown("Password: ");
  kill(child_, SIGTERM);
  const int status = Wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_TRUE(Echoes());
}

}  // namespace
}  // namespace fairlead::console
