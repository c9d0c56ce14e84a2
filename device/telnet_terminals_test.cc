// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// OS 11 terminals with real programs over a WebSocket in memory: the stream is Telnet from its
// first byte, nothing but binary frames leaves the device, and the end is the tunnel's.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/testing/run.h"
#include "device/terminals.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "terminal/telnet_client.h"

namespace fairlead::device {
namespace {

using dataplane::FrameKind;
using dataplane::WebSocket;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Result = v1::OpenTerminalResult;

const char kTicket[] = "0123456789012345678901234567890123456789012";
const std::string kOffers("\xFF\xFB\x01\xFF\xFB\x03\xFF\xFD\x1F", 9);

// The relay and a Telnet client as one: the far end of a tunnel.
class TelnetConsole : public TunnelDialer {
 public:
  explicit TelnetConsole(net::any_io_executor executor) : executor_(executor), wake_(executor) {}

  net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> Dial(std::string /*ticket*/) override {
    co_return Open();
  }

  // The device's end of a new tunnel.
  std::unique_ptr<WebSocket> Open() {
    dataplane::FakeWebSocketPair pair = dataplane::MakeFakeWebSocketPair(executor_);
    tunnel_ = std::move(pair.second);
    net::co_spawn(executor_, Read(*this), net::detached);
    net::co_spawn(executor_, Write(*this), net::detached);
    return std::move(pair.first);
  }

  void Say(FrameKind kind, std::string payload) {
    queue_.emplace_back(kind, std::move(payload));
    wake_.Notify();
  }
  void Type(absl::string_view keys) { Say(FrameKind::kBinary, client_.Encode(keys)); }
  void Resize(int columns, int rows) {
    Say(FrameKind::kBinary,
        client_.Resize(terminal::ClampWindowSize(static_cast<std::uint32_t>(columns),
                                                 static_cast<std::uint32_t>(rows))));
  }
  void Abort() { tunnel_->Abort(); }
  // Takes no part in the negotiation.
  void BeRaw() { raw_ = true; }
  void PauseReading(bool paused) {
    paused_ = paused;
    read_.Notify();
  }

  const std::string& output() const { return output_; }
  const std::string& bytes() const { return bytes_; }
  const std::string& texts() const { return texts_; }
  bool closed() const { return closed_; }
  const dataplane::CloseReason& close() const { return close_; }

 private:
  static net::awaitable<void> Read(TelnetConsole& self) {
    for (;;) {
      while (self.paused_) co_await self.read_.Wait(absl::Hours(1));
      const dataplane::Message message = co_await self.tunnel_->ReadMessage();
      if (!message.open) {
        self.close_ = message.close;
        break;
      }
      if (message.kind == FrameKind::kText) {
        self.texts_ += message.payload;
        continue;
      }
      self.bytes_ += message.payload;
      terminal::TelnetClient::Received received = self.client_.Receive(message.payload);
      self.output_ += received.output;
      if (!self.raw_ && !received.answers.empty()) {
        self.Say(FrameKind::kBinary, std::move(received.answers));
      }
    }
    self.closed_ = true;
    self.wake_.Notify();
  }

  static net::awaitable<void> Write(TelnetConsole& self) {
    while (!self.closed_) {
      if (self.queue_.empty()) {
        co_await self.wake_.Wait(absl::Hours(1));
        continue;
      }
      const auto [kind, payload] = std::move(self.queue_.front());
      self.queue_.erase(self.queue_.begin());
      const net::const_buffer buffer = net::buffer(payload);
      (void)co_await self.tunnel_->WriteSome(buffer, kind, dataplane::Fin::kLast);
    }
  }

  net::any_io_executor executor_;
  Wake wake_;
  Wake read_{executor_};
  terminal::TelnetClient client_{"xterm", terminal::WindowSize{120, 40}};
  std::unique_ptr<WebSocket> tunnel_;
  std::vector<std::pair<FrameKind, std::string>> queue_;
  std::string output_;
  std::string bytes_;
  std::string texts_;
  bool raw_ = false;
  bool paused_ = false;
  bool closed_ = false;
  dataplane::CloseReason close_;
};

class TelnetTerminalsTest : public testing::Test {
 protected:
  TelnetTerminalsTest() : console_(context_.get_executor()) {
    timeouts_.hang_up = absl::Milliseconds(300);
    timeouts_.attach = absl::Seconds(20);
  }

  // A profile "p" that runs `script`, which must not hold quotes other than single ones.
  void UseScript(const std::string& script) {
    auto parsed = Profiles::Parse(
        "profiles { name: 'p' working_directory: '/' argv: '/bin/sh' argv: '-c' argv: \"" + script +
        "\" environment { key: 'LC_ALL' value: 'C' } }");
    ASSERT_THAT(parsed, IsOk());
    terminals_ = std::make_unique<Terminals>(
        context_.get_executor(), *parsed, console_,
        [this](v1::DeviceMessage message) { sent_.push_back(std::move(message)); }, SystemClock(),
        timeouts_, StreamKind::kTelnet);
  }

  void Open() {
    v1::OpenTerminal request;
    request.set_session_id("s1");
    request.set_ticket(kTicket);
    request.set_columns(100);
    request.set_rows(30);
    terminals_->Open(request);
    RunUntil([this] { return !console_.bytes().empty() || console_.closed(); });
    console_.Say(FrameKind::kText, R"({"attached":{}})");
  }

  void OpenDirect() {
    net::co_spawn(context_, terminals_->ServeTelnet(console_.Open()), net::detached);
  }

  template <class Condition>
  void RunUntil(const Condition& condition) {
    ASSERT_TRUE(dataplane::testing::RunUntil(context_, condition))
        << "output: " << console_.output().substr(0, 500);
  }
  void AwaitOutput(const std::string& text) {
    RunUntil([&] { return absl::StrContains(console_.output(), text); });
  }
  void AwaitGone() {
    RunUntil([this] { return console_.closed() && terminals_->idle(); });
  }

  net::io_context context_;
  TerminalTimeouts timeouts_;
  TelnetConsole console_;
  std::vector<v1::DeviceMessage> sent_;
  std::unique_ptr<Terminals> terminals_;
};

TEST_F(TelnetTerminalsTest, RunsAProgramToItsEnd) {
  UseScript("stty size; exit 7");
  console_.BeRaw();
  Open();
  AwaitGone();
  EXPECT_THAT(console_.bytes(), StartsWith(kOffers));
  EXPECT_EQ(console_.output(), "30 100\r\n");
  EXPECT_EQ(console_.texts(), "");
  EXPECT_EQ(console_.close().code, 1000);
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(sent_[0].open_terminal_result().refusal(), Result::REFUSAL_UNSPECIFIED);
  EXPECT_EQ(sent_[1].terminal_ended().exit_code(), 7);
  EXPECT_EQ(sent_[1].terminal_ended().total_bytes(), console_.bytes().size());
}

TEST_F(TelnetTerminalsTest, TakesLinesSizesAndInterrupts) {
  UseScript("stty -echo; echo ready; read x; echo got $x; stty size; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console_.Resize(132, 43);
  console_.Type("hello\r");
  AwaitOutput("got hello\r\n43 132\r\n");
  console_.Say(FrameKind::kBinary, "\xFF\xF4");
  AwaitGone();
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGINT");
}

TEST_F(TelnetTerminalsTest, AClientThatNegotiatesNothingWorksToo) {
  UseScript("stty -echo; echo ready; read x; echo got $x");
  console_.BeRaw();
  Open();
  AwaitOutput("ready");
  console_.Say(FrameKind::kBinary, "plain\r\n");
  AwaitGone();
  EXPECT_THAT(console_.output(), HasSubstr("got plain\r\n"));
}

TEST_F(TelnetTerminalsTest, TextFramesOfTheConsoleAreIgnored) {
  UseScript("stty -echo; echo ready; read x; stty size");
  Open();
  AwaitOutput("ready");
  console_.Say(FrameKind::kText, R"({"resize":{"columns":50,"rows":20}})");
  console_.Say(FrameKind::kText, R"({"close":{}})");
  console_.Say(FrameKind::kText, R"({"ack":{"receivedBytes":"99999999"}})");
  console_.Say(FrameKind::kText, "{nonsense");
  console_.Say(FrameKind::kText, std::string(200'000, ' '));
  console_.Type("\r");
  AwaitGone();
  EXPECT_THAT(console_.output(), Not(HasSubstr("20 50")));
  EXPECT_EQ(sent_.back().terminal_ended().exit_code(), 0);
  EXPECT_EQ(console_.texts(), "");
}

TEST_F(TelnetTerminalsTest, AHundredKibibytesPassUnchangedBothWays) {
  UseScript("stty raw -echo; echo ready; head -c 102400");
  Open();
  AwaitOutput("ready\n");
  std::string bytes;
  for (int i = 0; i < 102400; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 256));
  for (int i = 5000; i < 6000; ++i) bytes[static_cast<std::size_t>(i)] = '\xFF';
  for (std::size_t at = 0; at < bytes.size(); at += 999) console_.Type(bytes.substr(at, 999));
  AwaitGone();
  ASSERT_GE(console_.output().size(), bytes.size());
  EXPECT_TRUE(console_.output().substr(console_.output().size() - bytes.size()) == bytes);
}

TEST_F(TelnetTerminalsTest, FiftyMebibytesOfOutputAreComplete) {
  UseScript("stty -opost; head -c 52428800 /dev/zero | tr '\\\\000' '\\\\377'; exit 3");
  Open();
  AwaitGone();
  EXPECT_EQ(console_.output().size(), 52428800u);
  EXPECT_EQ(sent_.back().terminal_ended().exit_code(), 3);
}

TEST_F(TelnetTerminalsTest, AStormThatNobodyReadsTheAnswersOfIsNotListenedToForEver) {
  UseScript("echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console_.PauseReading(true);
  std::string storm;
  for (int i = 0; i < 20'000; ++i) storm += "\xFF\xF6";
  for (int i = 0; i < 200; ++i) console_.Say(FrameKind::kBinary, storm);
  for (int i = 0; i < 500; ++i) {
    context_.restart();
    context_.run_one_for(std::chrono::milliseconds(1));
  }
  console_.PauseReading(false);
  console_.Say(FrameKind::kBinary, "\x03");
  AwaitGone();
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGINT");
}

TEST_F(TelnetTerminalsTest, LosingTheTunnelEndsTheProgram) {
  UseScript("trap '' HUP; echo ready; while :; do sleep 0.1; done");
  Open();
  AwaitOutput("ready");
  RunUntil([this] { return !sent_.empty(); });
  console_.Abort();
  AwaitGone();
  EXPECT_EQ(sent_.back().terminal_ended().signal(), "SIGKILL");
}

TEST_F(TelnetTerminalsTest, AStreamOpenedToTheDeviceIsATerminalAtOnce) {
  UseScript("stty -echo; echo ready; read x; echo got $x; exit 5");
  OpenDirect();
  AwaitOutput("ready");
  EXPECT_THAT(terminals_->running(), IsEmpty());
  EXPECT_FALSE(terminals_->idle());
  console_.Type("it\r");
  AwaitGone();
  EXPECT_THAT(console_.bytes(), StartsWith(kOffers));
  EXPECT_THAT(console_.output(), HasSubstr("got it\r\n"));
  EXPECT_EQ(console_.close().code, 1000);
  // The server did not ask, so it is not told.
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(TelnetTerminalsTest, WhatWasTypedBeforeTheProgramRanIsNotLost) {
  UseScript("stty -echo; read x; echo got $x");
  OpenDirect();
  console_.Say(FrameKind::kBinary, std::string(3000, 'a') + "\r");
  AwaitGone();
  EXPECT_THAT(console_.output(), HasSubstr("got " + std::string(3000, 'a')));
}

TEST_F(TelnetTerminalsTest, ARefusalIsALineOnTheStreamItself) {
  UseScript("exit 0");
  v1::TerminalSettings settings;
  settings.set_enabled(false);
  terminals_->Apply(settings);
  OpenDirect();
  AwaitGone();
  EXPECT_EQ(console_.output(),
            "Terminals are disabled on this device; enable them in its terminal settings.\r\n");
  EXPECT_EQ(console_.close().code, 1000);
}

TEST_F(TelnetTerminalsTest, AProgramThatCannotRunIsALineToo) {
  auto parsed = Profiles::Parse("profiles { name: 'p' argv: '/no/such' working_directory: '/' }");
  ASSERT_THAT(parsed, IsOk());
  terminals_ = std::make_unique<Terminals>(
      context_.get_executor(), *parsed, console_, [](v1::DeviceMessage) {}, SystemClock());
  OpenDirect();
  AwaitGone();
  EXPECT_THAT(console_.output(), HasSubstr("cannot run /no/such: No such file or directory.\r\n"));
}

TEST_F(TelnetTerminalsTest, StopEndsStreamsThatWereOpenedToTheDevice) {
  UseScript("echo ready; exec sleep 1000");
  OpenDirect();
  AwaitOutput("ready");
  bool stopped = false;
  net::co_spawn(context_, terminals_->Stop(), [&stopped](std::exception_ptr) { stopped = true; });
  RunUntil([&] { return stopped; });
  AwaitGone();
}

}  // namespace
}  // namespace fairlead::device
