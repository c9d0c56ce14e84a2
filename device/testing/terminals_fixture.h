// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Terminals with real programs over a WebSocket in memory: relay and Console as one at its far end.
// Used by the tests of terminals.
#ifndef FAIRLEAD_DEVICE_TESTING_TERMINALS_FIXTURE_H_
#define FAIRLEAD_DEVICE_TESTING_TERMINALS_FIXTURE_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/testing/run.h"
#include "device/terminals.h"
#include "gtest/gtest.h"
#include "terminal/console_end.h"

namespace fairlead::device {

inline constexpr char kTicket[] = "0123456789012345678901234567890123456789012";

// The relay and the Console as one: the far end of a tunnel.
class FakeConsole : public std::enable_shared_from_this<FakeConsole> {
 public:
  FakeConsole(net::any_io_executor executor, std::unique_ptr<dataplane::WebSocket> tunnel)
      : executor_(executor), tunnel_(std::move(tunnel)), wake_(executor), read_(executor) {}

  void Start() {
    net::co_spawn(executor_, Read(shared_from_this()), net::detached);
    net::co_spawn(executor_, Write(shared_from_this()), net::detached);
  }

  void Text(std::string frame) { Queue(dataplane::FrameKind::kText, std::move(frame)); }
  void Type(std::string bytes) { Queue(dataplane::FrameKind::kBinary, std::move(bytes)); }
  void Close(dataplane::CloseReason reason) {
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
  const dataplane::CloseReason& close() const { return close_; }

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
  std::unique_ptr<dataplane::WebSocket> tunnel_;
  Wake wake_;
  Wake read_;
  terminal::ConsoleEnd end_;
  std::deque<Frame> queue_;
  std::string output_;
  std::size_t forgotten_ = 0;
  std::string texts_;
  dataplane::CloseReason reason_;
  dataplane::CloseReason close_;
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

  net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      std::string ticket) override {
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
  void RefuseWith(dataplane::CloseReason refusal) {
    attaches_ = false;
    refusal_ = std::move(refusal);
  }
  void NeverAttach() { attaches_ = false; }
  const std::vector<std::shared_ptr<FakeConsole>>& consoles() const { return consoles_; }

 private:
  net::any_io_executor executor_;
  absl::Status failure_;
  dataplane::CloseReason refusal_;
  bool attaches_ = true;
  std::vector<std::shared_ptr<FakeConsole>> consoles_;
};

class TerminalsFixture : public testing::Test {
 protected:
  TerminalsFixture() : dialer_(context_.get_executor()) {
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
    ASSERT_TRUE(dataplane::testing::RunUntil(context_, condition))
        << "output: " << (dialer_.consoles().empty() ? "" : console().output().substr(0, 500));
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

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TESTING_TERMINALS_FIXTURE_H_
