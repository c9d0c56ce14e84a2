// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/terminal_stream.h"

#include <limits>
#include <utility>

#include "terminal/telnet_server.h"

namespace fairlead::device {
namespace {

using dataplane::FrameKind;
using terminal::DeviceEvent;

// Answers that the peer does not read, in bytes, before it is no longer listened to.
constexpr std::size_t kMaxTelnetAnswers = 64 * 1024;

class PtyStream : public TerminalStream {
 public:
  std::optional<Frame> TakeFrame(Queue queue) override {
    if (queue == Queue::kFull) return std::nullopt;
    std::optional<std::string> ack =
        end_.TakeAck(queue == Queue::kEmpty ? terminal::DeviceEnd::Queue::kEmpty
                                            : terminal::DeviceEnd::Queue::kWaiting);
    if (!ack.has_value()) return std::nullopt;
    return Frame{FrameKind::kText, *std::move(ack)};
  }
  std::uint64_t Allowance() const override { return end_.SendAllowance(); }
  absl::string_view Encode(absl::string_view output) override {
    end_.OnSent(output.size());
    return output;
  }
  std::uint64_t sent_bytes() const override { return end_.sent_bytes(); }

  bool TakesInput() const override { return true; }
  absl::string_view Decode(absl::string_view bytes) override {
    end_.OnInputAccepted(bytes.size());
    return bytes;
  }
  std::optional<terminal::WindowSize> TakeWindowSize() override { return std::nullopt; }
  absl::StatusOr<DeviceEvent> OnText(absl::string_view text) override { return end_.OnText(text); }

  std::optional<std::string> End(const terminal::ProgramResult& result,
                                 absl::Duration now) override {
    return end_.End(result, now);
  }
  bool ended() const override { return end_.ended(); }
  bool done(absl::Duration now) const override { return end_.done(now); }
  absl::Duration deadline() const override { return end_.deadline(); }

 private:
  terminal::DeviceEnd end_;
};

// Telnet has no word for the end of a program and none for what was received: the end is that of
// the tunnel, and the pace is the network's.
class TelnetStream : public TerminalStream {
 public:
  explicit TelnetStream(terminal::WindowSize size) : telnet_(size) {}

  std::optional<Frame> TakeFrame(Queue /*queue*/) override {
    // What was encoded is written by now, and a terminal at rest holds no buffer.
    std::string().swap(encoded_);
    if (telnet_.waiting_for_network() == 0) return std::nullopt;
    Frame frame;
    frame.payload = telnet_.TakeNetwork();
    sent_ += frame.payload.size();
    return frame;
  }
  std::uint64_t Allowance() const override {
    return ended_ ? 0 : std::numeric_limits<std::uint64_t>::max();
  }
  absl::string_view Encode(absl::string_view output) override {
    // Nearly all output of a client that agreed to binary.
    if (telnet_.SendsAsItIs(output)) {
      sent_ += output.size();
      return output;
    }
    telnet_.Send(output);
    encoded_ = telnet_.TakeNetwork();
    sent_ += encoded_.size();
    return encoded_;
  }
  std::uint64_t sent_bytes() const override { return sent_; }

  bool TakesInput() const override { return telnet_.waiting_for_network() < kMaxTelnetAnswers; }
  absl::string_view Decode(absl::string_view bytes) override {
    telnet_.Receive(bytes);
    decoded_ = telnet_.TakeInput();
    return decoded_;
  }
  std::optional<terminal::WindowSize> TakeWindowSize() override { return telnet_.TakeWindowSize(); }
  absl::StatusOr<DeviceEvent> OnText(absl::string_view text) override {
    DeviceEvent event;
    const absl::StatusOr<v1::TerminalControl> control = terminal::ParseControlFrame(text);
    // The relay's own word; no Console has a say in text here.
    if (control.ok() && control->has_attached()) event.kind = DeviceEvent::Kind::kAttached;
    return event;
  }

  std::optional<std::string> End(const terminal::ProgramResult& /*result*/,
                                 absl::Duration now) override {
    ended_ = true;
    deadline_ = now;
    return std::nullopt;
  }
  bool ended() const override { return ended_; }
  bool done(absl::Duration /*now*/) const override { return ended_; }
  absl::Duration deadline() const override { return deadline_; }

 private:
  terminal::TelnetServer telnet_;
  std::string encoded_;
  std::string decoded_;
  std::uint64_t sent_ = 0;
  bool ended_ = false;
  absl::Duration deadline_;
};

}  // namespace

std::unique_ptr<TerminalStream> MakeTerminalStream(StreamKind kind, terminal::WindowSize size) {
  if (kind == StreamKind::kPty) return std::make_unique<PtyStream>();
  return std::make_unique<TelnetStream>(size);
}

}  // namespace fairlead::device
