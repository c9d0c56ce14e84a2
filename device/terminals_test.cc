// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Terminals with real programs over a WebSocket in memory: what is told to server and Console, how
// they end, and that nothing is left behind. Their input is in terminals_input_test.cc.
#include "device/terminals.h"

#include <malloc.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "device/testing/descriptors.h"
#include "device/testing/terminals_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using dataplane::CloseReason;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Result = v1::OpenTerminalResult;

CloseReason Reason(int code, const std::string& text) {
  CloseReason reason;
  reason.code = static_cast<std::uint16_t>(code);
  reason.text = text;
  return reason;
}

class TerminalsTest : public TerminalsFixture {};

TEST_F(TerminalsTest, RunsAProgramToItsEnd) {
  UseScript("stty size; exit 7");
  Open();
  AwaitAllGone();

  EXPECT_EQ(console().output(), "30 100\r\n");
  EXPECT_EQ(console().end().result()->exit_code, 7);
  EXPECT_EQ(console().end().outcome().kind, terminal::ConsoleEnd::Outcome::Kind::kComplete);
  EXPECT_EQ(console().close().code, 1000);
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::REFUSAL_UNSPECIFIED);
  EXPECT_EQ(sent_[0].open_terminal_result().session_id(), "s1");
  EXPECT_EQ(sent_[1].terminal_ended().exit_code(), 7);
  EXPECT_EQ(sent_[1].terminal_ended().total_bytes(), 8u);
}

TEST_F(TerminalsTest, AConsoleThatNeverAcknowledgesGetsEverythingToo) {
  UseScript("stty -opost; head -c 5000000 /dev/zero; exit 3");
  Open();
  RunUntil([&] { return !dialer_.consoles().empty(); });
  console().StopAcknowledging();
  AwaitAllGone();
  EXPECT_EQ(console().output().size(), 5'000'000u);
  EXPECT_EQ(console().end().result()->exit_code, 3);
  EXPECT_EQ(console().close().code, 1000);
}

TEST_F(TerminalsTest, AHundredMebibytesAreComplete) {
  UseScript("stty -opost; head -c 104857600 /dev/zero; exit 3");
  Open();
  AwaitAllGone();
  EXPECT_EQ(console().output().size(), 104857600u);
  EXPECT_EQ(console().end().outcome().kind, terminal::ConsoleEnd::Outcome::Kind::kComplete);
}

TEST_F(TerminalsTest, NoLastByteIsLostInManyRuns) {
  terminals_.reset();
  UseScript("printf x; exit 7");
  for (int run = 0; run < 300; ++run) {
    Open("s" + std::to_string(run));
    if (run % 10 == 9) AwaitAllGone();
  }
  for (const auto& console : dialer_.consoles()) {
    ASSERT_EQ(console->output(), "x");
    ASSERT_EQ(console->close().code, 1000) << console->close().text;
    ASSERT_TRUE(console->end().result().has_value());
    ASSERT_EQ(console->end().result()->exit_code, 7);
  }
}

// Its coroutines, its descriptors' registrations, its input buffer of 4 KiB, and the fake Console
// with a buffer to read messages; but no buffer for output. (A sanitizer's heap does not tell: 0.)
TEST_F(TerminalsTest, ATerminalAtRestHoldsLittle) {
  constexpr int kCount = 12;
  UseScript("stty raw -echo; head -c 1000000 /dev/zero; cat");
  const auto open_and_await = [this](const std::string& id) {
    Open(id);
    RunUntil([this] {
      for (const auto& console : dialer_.consoles()) {
        if (console->received() < 1'000'000 || !console->all_written()) return false;
      }
      return dialer_.consoles().size() == terminals_->running().size();
    });
    for (const auto& console : dialer_.consoles()) console->ForgetOutput();
  };
  open_and_await("first");
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (int i = 0; i < kCount; ++i) open_and_await(std::to_string(i));
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT((after - before) / kCount, 48 * 1024u);
}

TEST_F(TerminalsTest, SignalsAreNamed) {
  UseScript("kill -KILL $$");
  Open();
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGKILL");
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGKILL");
}

TEST_F(TerminalsTest, ResizesAndTypes) {
  UseScript("stty -echo; echo ready; read x; echo got $x; stty size");
  Open();
  AwaitOutput("ready");
  console().Text(R"({"resize":{"columns":5000,"rows":0}})");
  console().Type("hello\n");
  AwaitAllGone();
  EXPECT_THAT(console().output(), HasSubstr("got hello\r\n1 1000\r\n"));
  EXPECT_THAT(console().texts(), HasSubstr(R"({"ack":{"receivedBytes":"6"}})"));
}

TEST_F(TerminalsTest, LosingTheTunnelEndsTheProgram) {
  UseScript("trap '' HUP; echo ready; while :; do sleep 0.1; done");
  Open("lost");
  AwaitOutput("ready");
  console().Abort();
  RunUntil([&] { return terminals_->running().empty(); });
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGKILL");
}

TEST_F(TerminalsTest, AConsoleThatClosesHangsUp) {
  UseScript("echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console().Close(Reason(1000, ""));
  RunUntil([&] { return terminals_->running().empty(); });
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGHUP");
}

TEST_F(TerminalsTest, TheServerHangsUp) {
  UseScript("trap 'echo bye; exit 9' HUP; echo ready; while :; do sleep 0.05; done");
  Open();
  AwaitOutput("ready");
  v1::CloseTerminal close;
  close.set_session_id("unknown");
  terminals_->Close(close);
  close.set_session_id("s1");
  terminals_->Close(close);
  AwaitAllGone();
  EXPECT_THAT(console().output(), HasSubstr("bye"));
  EXPECT_EQ(console().end().result()->exit_code, 9);
}

TEST_F(TerminalsTest, ABackgroundProcessDoesNotHoldTheEnd) {
  UseScript("(trap '' HUP; exec yes) & sleep 0.05; echo end; exit 4");
  Open();
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->exit_code, 4);
  EXPECT_EQ(console().close().code, 1000);
}

TEST_F(TerminalsTest, MalformedControlFramesCloseWith4400) {
  UseScript("echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console().Text("{nonsense");
  AwaitAllGone();
  EXPECT_EQ(console().close().code, 4400);
  // It arrives whole: a close frame has room for 123 bytes.
  EXPECT_THAT(console().close().text, EndsWith("{\"resize\":{\"columns\":80,\"rows\":24}}"));
  EXPECT_LE(console().close().text.size(), 123u);
}

TEST_F(TerminalsTest, OversizeControlFramesCloseWith4400) {
  UseScript("echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console().Text(std::string(200'000, ' '));
  AwaitAllGone();
  EXPECT_EQ(console().close().code, 4400);
}

TEST_F(TerminalsTest, RefusesWhatTheSettingsForbid) {
  UseScript("echo ready; exec sleep 1000");
  v1::TerminalSettings settings;
  settings.set_enabled(false);
  terminals_->Apply(settings);
  Open();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::DISABLED);
  EXPECT_THAT(sent_[0].open_terminal_result().message(), HasSubstr("disabled"));

  settings.set_enabled(true);
  settings.set_max_sessions(1);
  terminals_->Apply(settings);
  Open("first");
  Open("second");
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(sent_[1].open_terminal_result().session_id(), "second");
  EXPECT_EQ(sent_[1].open_terminal_result().refusal(), Result::TOO_MANY_SESSIONS);

  AwaitOutput("ready");
  console().Close(Reason(1000, ""));
  RunUntil([&] { return terminals_->running().empty(); });
}

TEST_F(TerminalsTest, RefusesUnknownProfilesAndBadTickets) {
  UseScript("exit 0");
  v1::OpenTerminal request = Request("a");
  request.set_profile("nope");
  terminals_->Open(request);
  EXPECT_EQ(sent_.back().open_terminal_result().refusal(), Result::UNKNOWN_PROFILE);
  request = Request("b");
  request.set_ticket("x\r\nEvil: header");
  terminals_->Open(request);
  EXPECT_EQ(sent_.back().open_terminal_result().refusal(), Result::TUNNEL_FAILED);
  EXPECT_THAT(terminals_->running(), IsEmpty());
}

TEST_F(TerminalsTest, AProgramThatCannotRunIsASentence) {
  Use("profiles { name: 'p' argv: '/no/such/program' working_directory: '/' }");
  Open();
  AwaitAllGone();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::START_FAILED);
  EXPECT_THAT(sent_[0].open_terminal_result().message(),
              HasSubstr("cannot run /no/such/program: No such file or directory"));
}

TEST_F(TerminalsTest, ATunnelThatCannotBeOpenedEndsTheProgram) {
  UseScript("exec sleep 1000");
  dialer_.FailWith(absl::UnavailableError("nobody answers at ums.example:8443"));
  Open();
  RunUntil([&] { return terminals_->running().empty(); });
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::TUNNEL_FAILED);
  EXPECT_THAT(sent_[0].open_terminal_result().message(), HasSubstr("nobody answers"));
}

TEST_F(TerminalsTest, ARefusedTicketEndsTheProgram) {
  UseScript("exec sleep 1000");
  dialer_.RefuseWith(Reason(4401, "The ticket was used before."));
  Open();
  AwaitAllGone();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::TUNNEL_FAILED);
  EXPECT_EQ(sent_[0].open_terminal_result().message(),
            "The device could not open its tunnel: The ticket was used before.");
}

TEST_F(TerminalsTest, ASilentRelayEndsTheProgram) {
  timeouts_.attach = absl::Milliseconds(50);
  UseScript("exec sleep 1000");
  dialer_.NeverAttach();
  Open();
  AwaitAllGone();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::TUNNEL_FAILED);
}

TEST_F(TerminalsTest, StopEndsAllAndRefusesMore) {
  UseScript("echo ready; exec sleep 1000");
  for (int i = 0; i < 8; ++i) Open("s" + std::to_string(i));
  AwaitOutput("ready");
  bool stopped = false;
  net::co_spawn(context_, terminals_->Stop(), [&stopped](std::exception_ptr) { stopped = true; });
  RunUntil([&] { return stopped; });
  EXPECT_THAT(terminals_->running(), IsEmpty());
  Open("late");
  EXPECT_EQ(sent_.back().open_terminal_result().refusal(), Result::STOPPING);
  AwaitAllGone();
}

TEST_F(TerminalsTest, LeavesNoDescriptorBehind) {
  UseScript("echo ready; exec sleep 1000");
  const auto round = [this] {
    Open("x" + std::to_string(dialer_.consoles().size()));
    const std::size_t index = dialer_.consoles().size();
    RunUntil([&] { return dialer_.consoles().size() > index; });
    RunUntil([&] { return absl::StrContains(console(index).output(), "ready"); });
    console(index).Close(Reason(1000, ""));
    RunUntil([&] { return terminals_->running().empty(); });
    // Cancelled waits hold the session until they are told so.
    context_.restart();
    context_.poll();
  };
  round();
  const int before = OpenDescriptors();
  for (int i = 0; i < 20; ++i) round();
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace fairlead::device
