// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See terminal_client.h.
#include "console/terminal_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "console/tell.h"
#include "console/tty.h"
#include "terminal/control_frame.h"

namespace fairlead::console {

using dataplane::CloseReason;
using dataplane::FrameKind;
using dataplane::kToken;
using dataplane::Message;
using dataplane::net::awaitable;

namespace {

// Output beyond this waits in the network; a device that is acknowledged stops long before.
constexpr std::size_t kMaxOutputBytes = 4u << 20;
// What a person may paste ahead of the device; the escapes are read up to here.
constexpr std::size_t kMaxTypedBytes = 16u << 20;
// What a script may be ahead.
constexpr std::size_t kMaxScriptBytes = 256u << 10;
// Answers of Telnet's negotiation beyond this make the device wait.
constexpr std::size_t kMaxAnswerBytes = 64u << 10;
constexpr std::size_t kInputFrameBytes = 64u << 10;
// End of transmission: ends a shell that reads a script from its terminal.
constexpr char kEndOfTransmission = '\x04';

constexpr char kClientHungUp[] = "the client hung up, and so did its terminal";

constexpr char kHelp[] =
    "\r\nSupported escapes, typed after a new line:\r\n"
    "  ~.  leave (the program on the device is hung up)\r\n"
    "  ~?  this help\r\n"
    "  ~~  send one ~\r\n";

}  // namespace

TerminalClient::TerminalClient(dataplane::net::io_context& context,
                               std::unique_ptr<dataplane::WebSocket> tunnel, TerminalIo& io,
                               const TerminalOptions& options)
    : context_(context),
      tunnel_(std::move(tunnel)),
      io_(io),
      input_kind_(options.input),
      stream_kind_(options.stream),
      signals_(context, SIGTERM, SIGHUP),
      changed_(context) {
  changed_.expires_at(std::chrono::steady_clock::time_point::max());
  if (stream_kind_ == StreamKind::kTelnet && input_kind_ != InputKind::kClient) {
    telnet_.emplace(options.terminal_type, TtySize());
    // Telnet servers drop what is typed before they have negotiated and started their program. A
    // person waits for the prompt; a script does not.
    if (input_kind_ == InputKind::kScript) prompt_.emplace(context, options.prompt_wait);
  }
  // A person's Ctrl-C is a byte in raw mode; otherwise it is a wish to leave.
  signals_.add(input_kind_ == InputKind::kTerminal ? SIGWINCH : SIGINT);
}

awaitable<void> TerminalClient::Wait() { co_await changed_.async_wait(kToken); }

void TerminalClient::Start(awaitable<void> direction) {
  ++running_;
  dataplane::net::co_spawn(context_, std::move(direction), [this](std::exception_ptr) {
    --running_;
    Wake();
  });
}

awaitable<TerminalOutcome> TerminalClient::Serve() {
  Start(WatchSignals());
  Start(ReadInput());
  Start(Send());
  Start(WriteOutput());
  if (prompt_.has_value()) Start(AwaitPrompt());
  co_await Receive();
  closed_ = true;
  if (prompt_.has_value()) prompt_->cancel();
  if (sending_) tunnel_->Abort();
  Wake();
  while (!leaving_ && !output_.empty()) co_await Wait();
  io_.Stop();
  signals_.cancel();
  while (running_ > 0) {
    Wake();
    co_await Wait();
  }
  co_return Outcome();
}

awaitable<void> TerminalClient::Receive() {
  while (!leaving_) {
    Message message = co_await tunnel_->ReadMessage();
    if (!message.open) {
      close_ = message.close;
      co_return;
    }
    if (message.kind == FrameKind::kText) {
      OnText(message.payload);
    } else {
      OnBytes(std::move(message.payload));
    }
    while (OutputIsFull() && !leaving_) co_await Wait();
  }
}

bool TerminalClient::OutputIsFull() const {
  return output_bytes_ > kMaxOutputBytes || (answers_.size() > kMaxAnswerBytes && !send_failed_);
}

void TerminalClient::OnBytes(std::string bytes) {
  if (telnet_.has_value()) {
    terminal::TelnetClient::Received received = telnet_->Receive(bytes);
    if (!send_failed_) answers_ += received.answers;
    bytes = std::move(received.output);
  }
  if (!bytes.empty()) {
    if (prompt_.has_value()) prompt_->cancel();
    Show(std::move(bytes), Origin::kDevice);
  }
  Wake();
}

void TerminalClient::Show(std::string bytes, Origin origin) {
  output_bytes_ += bytes.size();
  output_.push_back({origin, std::move(bytes)});
  Wake();
}

void TerminalClient::OnText(absl::string_view text) {
  const absl::StatusOr<terminal::ConsoleEvent> event = end_.OnText(text);
  if (!event.ok()) {
    Leave(absl::StrCat("the device breaks the protocol: ", event.status().message()));
    return;
  }
  using Kind = terminal::ConsoleEvent::Kind;
  if (event->kind == Kind::kNotice) Tell(event->text);
  if (event->kind == Kind::kEnded) Acknowledge();
  Wake();
}

void TerminalClient::Tell(absl::string_view line) {
  if (input_kind_ == InputKind::kClient) {
    console::Tell(line);
  } else {
    Show(absl::StrCat("\r\n[", line, "]\r\n"), Origin::kConsole);
  }
}

void TerminalClient::Acknowledge() {
  // A Telnet device reads no text frames.
  if (stream_kind_ == StreamKind::kTelnet) return;
  const auto more =
      output_.empty() ? terminal::ConsoleEnd::Output::kIdle : terminal::ConsoleEnd::Output::kMore;
  if (std::optional<std::string> ack = end_.TakeAck(more)) ack_ = *std::move(ack);
}

awaitable<void> TerminalClient::WriteOutput() {
  while (true) {
    while (output_.empty() && !closed_ && !leaving_) co_await Wait();
    if (output_.empty() || leaving_) co_return;
    // Taken out only when written, so that Serve sees that something is left.
    const bool written = co_await io_.Write(output_.front().bytes);
    const Output& done = output_.front();
    if (done.origin == Origin::kDevice) end_.OnOutputHandled(done.bytes.size());
    output_bytes_ -= done.bytes.size();
    output_.pop_front();
    if (!written) {
      if (input_kind_ == InputKind::kClient) {
        Leave(kClientHungUp, 0);
      } else {
        Leave("standard output was closed");
      }
      co_return;
    }
    Acknowledge();
    Wake();
  }
}

bool TerminalClient::InputIsFull() const {
  return input_.size() >= (input_kind_ == InputKind::kTerminal ? kMaxTypedBytes : kMaxScriptBytes);
}

awaitable<void> TerminalClient::ReadInput() {
  while (!closed_ && !leaving_) {
    while (InputIsFull() && !closed_ && !leaving_) co_await Wait();
    const std::string bytes = co_await io_.Read();
    if (closed_ || leaving_) co_return;
    if (bytes.empty()) {
      co_await OnEndOfInput();
      co_return;
    }
    OnTyped(bytes);
    Wake();
  }
}

awaitable<void> TerminalClient::OnEndOfInput() {
  switch (input_kind_) {
    case InputKind::kTerminal:
      Leave("the terminal went away");
      break;
    case InputKind::kScript:
      // On a line that was begun it would only hand that line over, and end nothing.
      if (!at_line_start_) input_.push_back('\n');
      input_.push_back(kEndOfTransmission);
      break;
    case InputKind::kClient: {
      const bool gone = co_await io_.AwaitHangUp();
      // What it typed last is for the device, if the device takes it.
      while (gone && !closed_ && !leaving_ && !send_failed_ &&
             (sending_ || (!input_.empty() && end_.InputAllowance() > 0))) {
        co_await Wait();
      }
      if (gone) Leave(kClientHungUp, 0);
      break;
    }
  }
  Wake();
}

void TerminalClient::OnTyped(absl::string_view bytes) {
  if (input_kind_ != InputKind::kTerminal) {
    input_.append(bytes.data(), bytes.size());
    at_line_start_ = bytes.back() == '\n' || bytes.back() == '\r';
    return;
  }
  EscapeFilter::Result typed = escapes_.Filter(bytes);
  input_ += typed.data;
  if (typed.help) Show(kHelp, Origin::kConsole);
  if (typed.leave) Leave("left with ~.");
}

void TerminalClient::Leave(std::string message, int exit_code) {
  if (leaving_ || closed_) return;
  leaving_ = true;
  leave_code_ = exit_code;
  leave_message_ = std::move(message);
  io_.Stop();
  // A write that hangs would keep the close frame back for ever.
  if (sending_) tunnel_->Abort();
  Wake();
}

std::optional<TerminalClient::Frame> TerminalClient::NextFrame() {
  for (std::string* text : {&resize_, &ack_}) {
    if (!text->empty()) return Frame{true, std::exchange(*text, "")};
  }
  // Before any input that is encoded after what they agree to.
  if (!answers_.empty()) return Frame{false, std::exchange(answers_, "")};
  if (prompt_.has_value()) return std::nullopt;
  const std::size_t size = static_cast<std::size_t>(
      std::min<std::uint64_t>({input_.size(), end_.InputAllowance(), kInputFrameBytes}));
  if (size == 0) return std::nullopt;
  std::string bytes = input_.substr(0, size);
  input_.erase(0, size);
  end_.OnInputSent(size);
  if (telnet_.has_value()) bytes = telnet_->Encode(bytes);
  return Frame{false, std::move(bytes)};
}

awaitable<void> TerminalClient::Send() {
  while (!closed_ && !leaving_) {
    const std::optional<Frame> frame = NextFrame();
    if (!frame.has_value()) {
      co_await Wait();
      continue;
    }
    absl::Status sent;
    sending_ = true;
    if (frame->is_text) {
      sent = co_await tunnel_->WriteText(frame->bytes);
    } else {
      sent = co_await tunnel_->WriteBinary(frame->bytes);
    }
    sending_ = false;
    send_failed_ = !sent.ok();
    Wake();
    if (send_failed_) co_return;
  }
  if (leaving_ && !closed_) {
    CloseReason hang_up;
    hang_up.code = dataplane::kCloseNormal;
    co_await tunnel_->Close(hang_up);
  }
}

void TerminalClient::OnResize() {
  if (telnet_.has_value()) {
    answers_ += telnet_->Resize(TtySize());
  } else {
    resize_ = terminal::ResizeFrame(TtySize());
  }
  Wake();
}

awaitable<void> TerminalClient::AwaitPrompt() {
  co_await prompt_->async_wait(kToken);
  prompt_.reset();
  Wake();
}

awaitable<void> TerminalClient::WatchSignals() {
  while (!closed_ && !leaving_) {
    const auto [error, signal] = co_await signals_.async_wait(kToken);
    if (error) co_return;
    if (signal == SIGWINCH) {
      OnResize();
    } else {
      Leave("ended by a signal");
    }
  }
}

TerminalOutcome TerminalClient::Outcome() const {
  TerminalOutcome outcome;
  if (leaving_) {
    outcome.exit_code = leave_code_;
    outcome.message = leave_message_;
    return outcome;
  }
  const terminal::ConsoleEnd::Outcome stream = end_.outcome();
  using Kind = terminal::ConsoleEnd::Outcome::Kind;
  const bool told_nothing = stream.kind == Kind::kNoEnd;
  if (told_nothing && stream_kind_ == StreamKind::kTelnet &&
      close_.code == dataplane::kCloseNormal) {
    outcome.message =
        "the device ended the session; how its program ended is not known, since Telnet cannot say";
    outcome.ended_untold = true;
    return outcome;
  }
  if (told_nothing) {
    outcome.message = CloseSentence(close_);
    return outcome;
  }
  outcome = OutcomeOf(*end_.result());
  if (stream.kind == Kind::kTruncated) {
    outcome.exit_code = 255;
    outcome.message = absl::StrCat("the last ", stream.missing_bytes,
                                   " bytes of the output were lost: ", CloseSentence(close_));
  }
  return outcome;
}

}  // namespace fairlead::console
