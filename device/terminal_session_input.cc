// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The input of a terminal: from the tunnel through a bounded queue to the program.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "device/terminal_session.h"

namespace fairlead::device {
namespace {

using terminal::DeviceEvent;

// A write to the pseudo-terminal gives at most this, so that one call stays short.
constexpr std::size_t kWriteBytes = 64 * 1024;
// So much input before an interrupt key may block on its way through the kernel, even if nothing
// waits there now.
constexpr std::size_t kSurelyPasses = 1024;
constexpr absl::Duration kNever = absl::Hours(1);

}  // namespace

net::awaitable<void> TerminalSession::ReadTunnel(Self self) {
  const net::mutable_buffer buffer = net::buffer(self->input_buffer_);
  for (;;) {
    while (!self->stopping_ && !self->RoomForInput()) {
      co_await self->room_.Wait(kNever);
    }
    const dataplane::ReadResult frame = co_await self->tunnel_->ReadSome(buffer);
    if (!frame.open) {
      self->tunnel_over_ = true;
      self->tunnel_close_ = frame.close;
      break;
    }
    if (!self->stopping_) self->OnFrame(frame);
  }
  self->reader_runs_ = false;
  self->wake_.Notify();
}

bool TerminalSession::RoomForInput() const {
  return input_.size() <= kMaxQueuedInput - input_buffer_.size() && stream_->TakesInput();
}

void TerminalSession::OnFrame(const dataplane::ReadResult& frame) {
  const absl::string_view bytes(input_buffer_.data(), frame.size);
  if (frame.kind == dataplane::FrameKind::kBinary) {
    CheckAttached();
    OnInput(bytes);
    return;
  }
  // One byte above the limit is enough for the parser to refuse it.
  const std::size_t room = terminal::kMaxControlFrameBytes + 1 - text_.size();
  absl::StrAppend(&text_, bytes.substr(0, room));
  if (frame.fin != dataplane::Fin::kLast) return;
  const std::string text = std::exchange(text_, std::string());
  OnControl(text);
}

void TerminalSession::CheckAttached() {
  if (attached_) return;
  attached_ = true;
  wake_.Notify();
  observer_.OnRunning(request_.session_id);
}

void TerminalSession::OnInput(absl::string_view bytes) {
  const absl::string_view chunk = stream_->Decode(bytes);
  answers_input_ = true;
  wake_.Notify();
  if (result_.has_value()) return;
  if (const auto size = stream_->TakeWindowSize(); size.has_value()) pty_->Resize(*size);
  const InterruptSplit split = SplitAtInterrupts(chunk, pty_->Keys());
  const std::size_t before = chunk.size() - split.rest.size();
  if (!split.keys.empty() && (!input_.empty() || before > kSurelyPasses || pty_->InputWaits())) {
    // Input that the program does not read must not stand before an interrupt. The kernel would
    // drop it too (unless NOFLSH is set), but only once the key got to it.
    input_.Clear();
    pty_->DiscardInput();
    input_.Append(split.keys);
    input_.Append(split.rest);
  } else {
    input_.Append(chunk);
  }
  FlushInput();
}

void TerminalSession::FlushInput() {
  while (!input_.empty()) {
    std::size_t count = 0;
    const Pty::Io io = pty_->Write(input_.front().substr(0, kWriteBytes), &count);
    input_.Consume(count);
    if (io == Pty::Io::kWouldBlock) {
      WatchWritable();
      break;
    }
    // Nobody holds the other side, so nobody will ever read it.
    if (io == Pty::Io::kGone) input_.Clear();
  }
  if (input_.empty()) wake_.Notify();
  room_.Notify();
}

void TerminalSession::WatchWritable() {
  if (watching_writable_) return;
  watching_writable_ = true;
  master_.async_wait(net::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](dataplane::error_code error) {
                       self->watching_writable_ = false;
                       if (!error) self->FlushInput();
                     });
}

void TerminalSession::OnControl(absl::string_view text) {
  absl::StatusOr<DeviceEvent> event = stream_->OnText(text);
  if (!event.ok()) {
    protocol_error_ = event.status();
    wake_.Notify();
    return;
  }
  switch (event->kind) {
    case DeviceEvent::Kind::kAttached:
    case DeviceEvent::Kind::kPeerAttached:
      CheckAttached();
      break;
    case DeviceEvent::Kind::kResize:
      pty_->Resize(event->size);
      break;
    case DeviceEvent::Kind::kAcknowledged:
      wake_.Notify();
      break;
    case DeviceEvent::Kind::kHangUp:
      HangUp();
      break;
    case DeviceEvent::Kind::kNotice:
      spdlog::info("session {}: the Console says: {}", Printable(request_.session_id),
                   Printable(event->text));
      break;
    case DeviceEvent::Kind::kNone:
    case DeviceEvent::Kind::kPeerDetached:
      break;
  }
}

}  // namespace fairlead::device
