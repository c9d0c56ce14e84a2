// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Terminals with real programs over a WebSocket in memory: what is told to server and Console, that
// input never blocks output nor an interrupt, and that nothing is left behind.
#include "device/terminals.h"

#include <dirent.h>
#include <malloc.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <set>

#include "absl/strings/match.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "terminal/console_end.h"

namespace fairlead::device {
namespace {

using dataplane::CloseReason;
using dataplane::WebSocket;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Result = v1::OpenTerminalResult;

const char kTicket[] = "0123456789012345678901234567890123456789012";

CloseReason Reason(int code, const std::string& text) {
  CloseReason reason;
  reason.code = static_cast<std::uint16_t>(code);
  reason.text = text;
  return reason;
}

// The relay and the Console as one: the far end of a tunnel.
class FakeConsole : public std::enable_shared_from_this<FakeConsole> {
 public:
  FakeConsole(net::any_io_executor executor, std::unique_ptr<WebSocket> tunnel)
      : executor_(executor), tunnel_(std::move(tunnel)), wake_(executor), read_(executor) {}

  void Start() {
    net::co_spawn(executor_, Read(shared_from_this()), net::detached);
    net::co_spawn(executor_, Write(shared_from_this()), net::detached);
  }

  void Text(std::string frame) { Queue(dataplane::FrameKind::kText, std::move(frame)); }
  void Type(std::string bytes) { Queue(dataplane::FrameKind::kBinary, std::move(bytes)); }
  void Close(CloseReason reason) {
    closing_ = true;
    reason_ = std::move(reason);
    wake_.Notify();
  }
  void Abort() { tunnel_->Abort(); }
  void PauseReading(bool paused) {
    paused_ = paused;
    read_.Notify();
  }
  void StopAcknowledging() { acknowledges_ = false; }
  // From now on as a Console should: little unacknowledged input, and acknowledgements pass it.
  void HeedAcknowledgements() { heeds_ = true; }

  const std::string& output() const { return output_; }
  // Frees what was collected; it counts on from here.
  void ForgetOutput() {
    forgotten_ += output_.size();
    std::string().swap(output_);
  }
  std::size_t received() const { return forgotten_ + output_.size(); }
  const std::string& texts() const { return texts_; }
  const terminal::ConsoleEnd& end() const { return end_; }
  bool closed() const { return closed_; }
  bool all_written() const { return queue_.empty() && !writing_; }
  const CloseReason& close() const { return close_; }

 private:
  struct Frame {
    dataplane::FrameKind kind;
    std::string payload;
  };

  void Queue(dataplane::FrameKind kind, std::string payload) {
    Frame frame;
    frame.kind = kind;
    frame.payload = std::move(payload);
    queue_.push_back(std::move(frame));
    wake_.Notify();
  }

  static net::awaitable<void> Read(std::shared_ptr<FakeConsole> self) {
    for (;;) {
      while (self->paused_) co_await self->read_.Wait(absl::Hours(1));
      const dataplane::Message message = co_await self->tunnel_->ReadMessage();
      if (!message.open) {
        self->closed_ = true;
        self->close_ = message.close;
        self->wake_.Notify();
        co_return;
      }
      self->OnMessage(message);
    }
  }

  void OnMessage(const dataplane::Message& message) {
    if (message.kind == dataplane::FrameKind::kBinary) {
      output_ += message.payload;
      end_.OnOutputHandled(message.payload.size());
    } else {
      texts_ += message.payload;
      EXPECT_THAT(end_.OnText(message.payload), IsOk()) << message.payload;
      wake_.Notify();
      if (absl::StrContains(message.payload, "ack")) return;
    }
    if (!acknowledges_) return;
    if (auto ack = end_.TakeAck(terminal::ConsoleEnd::Output::kIdle)) Text(*ack);
  }

  // The first frame that may be sent now.
  std::size_t NextFrame() const {
    for (std::size_t i = 0; i < queue_.size(); ++i) {
      const bool text = queue_[i].kind == dataplane::FrameKind::kText;
      if (text || !heeds_ || end_.InputAllowance() >= queue_[i].payload.size()) return i;
    }
    return queue_.size();
  }

  static net::awaitable<void> Write(std::shared_ptr<FakeConsole> self) {
    while (!self->closed_) {
      if (self->queue_.empty() && self->closing_) {
        co_await self->tunnel_->Close(self->reason_);
        co_return;
      }
      const std::size_t next = self->NextFrame();
      if (next == self->queue_.size()) {
        co_await self->wake_.Wait(absl::Hours(1));
        continue;
      }
      const Frame frame = std::move(self->queue_[next]);
      self->queue_.erase(self->queue_.begin() + static_cast<std::ptrdiff_t>(next));
      self->writing_ = true;
      if (frame.kind == dataplane::FrameKind::kBinary) self->end_.OnInputSent(frame.payload.size());
      const net::const_buffer buffer = net::buffer(frame.payload);
      (void)co_await self->tunnel_->WriteSome(buffer, frame.kind, dataplane::Fin::kLast);
      self->writing_ = false;
    }
  }

  net::any_io_executor executor_;
  std::unique_ptr<WebSocket> tunnel_;
  Wake wake_;
  Wake read_;
  terminal::ConsoleEnd end_;
  std::deque<Frame> queue_;
  std::string output_;
  std::size_t forgotten_ = 0;
  std::string texts_;
  CloseReason reason_;
  CloseReason close_;
  bool writing_ = false;
  bool closing_ = false;
  bool paused_ = false;
  bool acknowledges_ = true;
  bool heeds_ = false;
  bool closed_ = false;
};

class FakeDialer : public TunnelDialer {
 public:
  explicit FakeDialer(net::any_io_executor executor) : executor_(executor) {}

  net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> Dial(std::string ticket) override {
    EXPECT_EQ(ticket, kTicket);
    if (!failure_.ok()) co_return failure_;
    dataplane::FakeWebSocketPair pair = dataplane::MakeFakeWebSocketPair(executor_);
    auto console = std::make_shared<FakeConsole>(executor_, std::move(pair.second));
    console->Start();
    if (attaches_) console->Text(R"({"attached":{}})");
    if (refusal_.code != dataplane::kCloseLost) console->Close(refusal_);
    consoles_.push_back(console);
    co_return std::move(pair.first);
  }

  void FailWith(absl::Status failure) { failure_ = std::move(failure); }
  void RefuseWith(CloseReason refusal) {
    attaches_ = false;
    refusal_ = std::move(refusal);
  }
  void NeverAttach() { attaches_ = false; }
  const std::vector<std::shared_ptr<FakeConsole>>& consoles() const { return consoles_; }

 private:
  net::any_io_executor executor_;
  absl::Status failure_;
  CloseReason refusal_;
  bool attaches_ = true;
  std::vector<std::shared_ptr<FakeConsole>> consoles_;
};

int OpenDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class TerminalsTest : public testing::Test {
 protected:
  TerminalsTest() : dialer_(context_.get_executor()) {
    timeouts_.hang_up = absl::Milliseconds(300);
    // Under a sanitizer, starting ten programs in a row takes a third of a second.
    timeouts_.attach = absl::Seconds(20);
  }

  void Use(const std::string& profiles) {
    auto parsed = Profiles::Parse(profiles);
    ASSERT_THAT(parsed, IsOk());
    terminals_ = std::make_unique<Terminals>(
        context_.get_executor(), *parsed, dialer_,
        [this](v1::DeviceMessage message) { sent_.push_back(std::move(message)); }, SystemClock(),
        timeouts_);
  }

  // A profile "p" that runs `script`, which must not hold quotes other than single ones.
  void UseScript(const std::string& script) {
    Use("profiles { name: 'p' working_directory: '/' argv: '/bin/sh' argv: '-c' argv: \"" + script +
        "\" environment { key: 'LC_ALL' value: 'C' } }");
  }

  v1::OpenTerminal Request(const std::string& id) {
    v1::OpenTerminal request;
    request.set_session_id(id);
    request.set_ticket(kTicket);
    request.set_columns(100);
    request.set_rows(30);
    return request;
  }

  void Open(const std::string& id = "s1") { terminals_->Open(Request(id)); }

  FakeConsole& console(std::size_t index = 0) { return *dialer_.consoles().at(index); }

  template <class Condition>
  void RunUntil(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline)
          << "output: " << (dialer_.consoles().empty() ? "" : console().output().substr(0, 500));
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(10));
    }
  }

  void AwaitOutput(const std::string& text) {
    RunUntil(
        [&] { return !dialer_.consoles().empty() && absl::StrContains(console().output(), text); });
  }
  // Until nothing of any terminal is left.
  void AwaitAllGone() {
    RunUntil([&] {
      for (const auto& console : dialer_.consoles()) {
        if (!console->closed()) return false;
      }
      return terminals_->running().empty();
    });
  }

  net::io_context context_;
  TerminalTimeouts timeouts_;
  FakeDialer dialer_;
  std::vector<v1::DeviceMessage> sent_;
  std::unique_ptr<Terminals> terminals_;
};

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

TEST_F(TerminalsTest, PastesTenMebibytesIntoAProgramThatReads) {
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

TEST_F(TerminalsTest, EchoesTenMebibytesUnchanged) {
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

class InterruptTest : public TerminalsTest, public testing::WithParamInterface<const char*> {};

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

TEST_F(TerminalsTest, AnInterruptBehindAPasteInOneFrameWorks) {
  UseScript("stty -icanon; echo ready; exec sleep 1000");
  Open();
  AwaitOutput("ready");
  console().Type(std::string(60'000, 'x') + "\x03");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGINT");
}

TEST_F(TerminalsTest, BlockedInputDoesNotBlockOutput) {
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

TEST_F(TerminalsTest, AConsoleThatHeedsAcknowledgementsIsHeardWhateverItPastes) {
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

TEST_F(TerminalsTest, ASlowConsoleStopsTheProgramNotTheDevice) {
  UseScript("echo ready; exec yes");
  Open();
  AwaitOutput("ready");
  console().PauseReading(true);
  for (int i = 0; i < 200; ++i) {
    context_.restart();
    context_.run_one_for(std::chrono::milliseconds(1));
  }
  const std::size_t stuck = console().output().size();
  console().PauseReading(false);
  RunUntil([&] { return console().output().size() > stuck + (4 << 20); });
  console().Text(R"({"close":{}})");
  AwaitAllGone();
  EXPECT_EQ(console().end().result()->signal, "SIGHUP");
  EXPECT_EQ(console().end().outcome().kind, terminal::ConsoleEnd::Outcome::Kind::kComplete);
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
  EXPECT_THAT(console().close().text, HasSubstr("TerminalControl"));
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
