// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What is typed and pasted into terminals with real programs: it never blocks output nor an
// interrupt, however much of it nobody reads.
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "device/testing/terminals_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::HasSubstr;

class TerminalsInputTest : public TerminalsFixture {};

TEST_F(TerminalsInputTest, PastesTenMebibytesIntoAProgramThatReads) {
  UseScript("stty raw -echo; echo ready; head -c 10485760 | cksum");
  Open();
  AwaitOutput("ready");
  std::string paste;
  for (int i = 0; i < 10 << 20; ++i) paste.push_back(static_cast<char>(i * 7 + i / 256));
  for (std::size_t at = 0; at < paste.size(); at += 65536) console().Type(paste.substr(at, 65536));
  AwaitAllGone();
  EXPECT_THAT(console().output(), HasSubstr(" 10485760"));
  EXPECT_EQ(console().end().result()->exit_code, 0);
}

TEST_F(TerminalsInputTest, EchoesTenMebibytesUnchanged) {
  UseScript("stty raw -echo; echo ready; exec cat");
  Open();
  AwaitOutput("ready\n");
  std::string paste;
  for (int i = 0; i < 10 << 20; ++i) paste.push_back(static_cast<char>(i * 7 + i / 256));
  for (std::size_t at = 0; at < paste.size(); at += 65536) console().Type(paste.substr(at, 65536));
  RunUntil([&] { return console().output().size() >= paste.size() + 6; });
  EXPECT_TRUE(console().output().substr(console().output().size() - paste.size()) == paste);
  console().Text(R"({"close":{}})");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGHUP");
}

class InterruptTest : public TerminalsFixture, public testing::WithParamInterface<const char*> {};

TEST_P(InterruptTest, OvertakesTenMebibytesThatNobodyReads) {
  UseScript(GetParam());
  Open();
  AwaitOutput("ready");
  const std::string lines = [] {
    std::string text;
    while (text.size() < 65536) text += "a line that nobody reads\n";
    return text;
  }();
  for (int i = 0; i < 160; ++i) console().Type(lines);
  RunUntil([&] { return console().all_written(); });
  console().Type("\x03");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGINT");
}

INSTANTIATE_TEST_SUITE_P(All, InterruptTest,
                         testing::Values("echo ready; exec sleep 1000",
                                         "stty -echo; echo ready; exec sleep 1000",
                                         "stty -icanon; echo ready; exec sleep 1000",
                                         "stty -icanon -echo; echo ready; exec sleep 1000",
                                         "echo ready; exec yes"));

TEST_F(TerminalsInputTest, AnInterruptBehindAPasteInOneFrameWorks) {
  UseScript("stty -icanon; echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console().Type(std::string(60'000, 'x') + "\x03");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGINT");
}

TEST_F(TerminalsInputTest, BlockedInputDoesNotBlockOutput) {
  UseScript("stty raw -echo; echo ready; exec yes");
  Open();
  RunUntil([&] { return !dialer_.consoles().empty(); });
  console().StopAcknowledging();
  AwaitOutput("ready");
  for (int i = 0; i < 400; ++i) console().Type(std::string(65536, 'x'));
  const std::size_t before = console().output().size();
  RunUntil([&] { return console().output().size() > before + (8 << 20); });
  // 25 MiB do not fit: the device has stopped reading, and still it sends.
  EXPECT_FALSE(console().all_written());
  console().Abort();
  AwaitAllGone();
}

TEST_F(TerminalsInputTest, AConsoleThatHeedsAcknowledgementsIsHeardWhateverItPastes) {
  UseScript("stty raw -echo; echo ready; exec yes");
  Open();
  AwaitOutput("ready");
  console().HeedAcknowledgements();
  RunUntil([&] { return absl::StrContains(console().output(), "y"); });
  console().Type("x");
  RunUntil([&] { return absl::StrContains(console().texts(), "ack"); });
  for (int i = 0; i < 400; ++i) console().Type(std::string(65536, 'x'));
  const std::size_t before = console().output().size();
  RunUntil([&] { return console().output().size() > before + (8 << 20); });
  EXPECT_FALSE(console().all_written());
  EXPECT_LE(console().end().sent_bytes(), kMaxQueuedInput);
  console().Text(R"({"close":{}})");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGHUP");
}

TEST_F(TerminalsInputTest, ASlowConsoleStopsTheProgramNotTheDevice) {
  constexpr std::size_t kPiece = 65536;
  constexpr std::size_t kOthers = 32u << 20;
  // What may lie between a program and its Console: the window, a piece that is being written, and
  // the terminal's, the device's and the tunnel's buffers.
  constexpr std::size_t kLimit = terminal::kSendWindow + kPiece + (256u << 10);
  const std::string folder = testing::TempDir() + "/slow_console";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  // The first terminal's program adds a byte to a file for each piece that it has written; the
  // second one's writes much, and ends.
  UseScript(absl::StrCat("cd ", folder, "; stty raw -echo; if mkdir first; then echo ready; while ",
                         "head -c ", kPiece, " /dev/zero; do printf x >> pieces; done; else exec ",
                         "head -c ", kOthers, " /dev/zero; fi 2>/dev/null"));
  const auto written = [&] {
    std::error_code missing;
    const auto pieces = std::filesystem::file_size(folder + "/pieces", missing);
    return missing ? 0 : pieces * kPiece;
  };
  Open();
  AwaitOutput("ready");
  console().PauseReading(true);
  const std::size_t handled = console().received();
  RunUntil([&] { return written() > 0; });

  Open("s2");
  RunUntil([&] { return dialer_.consoles().size() == 2 && console(1).received() >= kOthers; });
  EXPECT_LE(written(), handled + kLimit);

  console().PauseReading(false);
  RunUntil([&] { return console().received() > handled + (4u << 20); });
  console().Text(R"({"close":{}})");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGHUP");
  EXPECT_EQ(console().end().outcome().kind, terminal::ConsoleEnd::Outcome::Kind::kComplete);
}

}  // namespace
}  // namespace fairlead::device
