// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the question for a secret on a real controlling terminal, in a process of its own: what is
// typed is not shown, and whatever ends it leaves the terminal as it was.
#include "console/tty.h"

#include <csignal>
#include <string>

#include "absl/strings/match.h"
#include "console/testing/process_on_terminal.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

// Ends with 0 if "secret" was the answer.
int Ask() {
  const absl::StatusOr<std::string> secret = AskSecret("Password: ");
  return secret.ok() && *secret == "secret" ? 0 : 1;
}

TEST(AskSecret, ReadsALineUnseen) {
  ProcessOnTerminal process(Ask);
  process.AwaitShown("Password: ");
  EXPECT_FALSE(process.Echoes());
  process.Type("secret\n");
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_TRUE(process.Echoes());
  process.AwaitShown("\r\n");
  EXPECT_FALSE(absl::StrContains(process.shown(), "secret"));
}

TEST(AskSecret, AnInterruptEndsItAndTheTerminalShowsWhatIsTypedAgain) {
  ProcessOnTerminal process(Ask);
  process.AwaitShown("Password: ");
  process.Type("half\x03");
  EXPECT_EQ(process.Wait(), 128 + SIGINT);
  EXPECT_TRUE(process.Echoes());
}

TEST(AskSecret, SoDoesATermination) {
  ProcessOnTerminal process(Ask);
  process.AwaitShown("Password: ");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 128 + SIGTERM);
  EXPECT_TRUE(process.Echoes());
}

}  // namespace
}  // namespace fairlead::console
