// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tunnel_leg.h: what a leg sends, its pings, and the ways in which it ends.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

#include "dataplane/async_event.h"
#include "dataplane/tunnel_leg.h"

namespace fairlead::dataplane {
namespace {

std::span<const std::uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Waits until its leg is closed.
class LoneOwner : public TunnelLeg::Owner {
 public:
  explicit LoneOwner(net::any_io_executor executor) : closed_(std::move(executor)) {}

  TunnelLeg* TargetOf(TunnelLeg&) override { return nullptr; }
  void OnDelivered(TunnelLeg&, std::size_t) override {}
  void OnHangUp(TunnelLeg&) override {}
  void OnDrained(TunnelLeg&) override {}
  void OnEnd(TunnelLeg&, const CloseReason&) override {}
  void OnClosed(TunnelLeg&) override { closed_.Set(); }

  net::awaitable<void> Wait() { return closed_.Wait(); }

 private:
  AsyncEvent closed_;
};

}  // namespace

net::awaitable<void> CloseTunnelLeg(std::unique_ptr<TunnelLeg> leg, CloseReason reason) {
  LoneOwner owner(leg->executor());
  leg->Start(owner);
  leg->Close(reason);
  leg->Uncork();
  co_await owner.Wait();
}

std::size_t TunnelLeg::HeaderSize(std::size_t payload) const {
  return framing_ == Framing::kStream ? 0 : FrameWriter::HeaderSize(payload);
}

void TunnelLeg::SendText(absl::string_view text) {
  if (framing_ == Framing::kStream) return;
  std::string frame(kMaxPlainHeaderBytes, '\0');
  auto* header = reinterpret_cast<std::uint8_t*>(frame.data());
  frame.resize(writer_.Put(header, FrameKind::kText, Fin::kLast, text.size()));
  frame.append(text.data(), text.size());
  Send(BytesOf(frame), 0);
}

void TunnelLeg::Uncork() {
  const std::unique_ptr<std::string> held = std::move(corked_);
  if (held != nullptr) SendControl(*held);
}

void TunnelLeg::Write(std::span<const std::uint8_t> bytes, error_code& error) {
  if (corked_ == nullptr) return transport_->Write(bytes, error);
  corked_->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void TunnelLeg::Send(std::span<const std::uint8_t> frames, std::size_t payload) {
  if (write_failed_ || state_ != State::kOpen || close_later_ != nullptr) return;
  error_code error;
  Write(frames, error);
  if (error || pending_) {
    pending_payload_ += payload;
    OnSendResult(error);
  } else if (payload > 0) {
    owner_->OnDelivered(*this, payload);
  }
  if (window_ != nullptr) window_->OnSent(payload);
}

void TunnelLeg::SendControl(const std::string& frame) {
  if (write_failed_ || frame.empty() || state_ == State::kClosed) return;
  error_code error;
  Write(BytesOf(frame), error);
  OnSendResult(error);
}

void TunnelLeg::OnSendResult(const error_code& error) {
  if (!error) {
    if (pending_) OnAllSent();
    return;
  }
  if (error != net::error::would_block) return FailWriting();
  if (pending_) return;
  pending_ = true;
  keep_alive_.OnWriteStarted(Now());
  Follow();
  WatchAgain();
}

void TunnelLeg::OnWritable() {
  error_code error;
  const std::size_t sent = transport_->Flush(error);
  if (!error) return OnAllSent();
  if (error != net::error::would_block) return FailWriting();
  if (sent > 0) keep_alive_.OnWriteProgress(Now());
}

void TunnelLeg::OnAllSent() {
  pending_ = false;
  keep_alive_.OnWriteFinished(Now());
  if (std::exchange(ping_pending_, false)) keep_alive_.OnPingSent(Now());
  const std::size_t payload = std::exchange(pending_payload_, 0);
  if (payload > 0) owner_->OnDelivered(*this, payload);
  if (state_ == State::kEnding) return GoOnEnding();
  if (state_ == State::kOpen && close_later_ != nullptr) {
    return StartClose(*std::exchange(close_later_, nullptr));
  }
  if (!pongs_.empty() && state_ == State::kOpen) {
    SendControl(std::exchange(pongs_, std::string()));
  }
  WatchAgain();
  Follow();
  if (!pending_) owner_->OnDrained(*this);
}

void TunnelLeg::FailWriting() {
  pending_ = false;
  pending_payload_ = 0;
  write_failed_ = true;
  keep_alive_.OnWriteFinished(Now());
  // What was to come after what waited cannot be sent any more.
  if (state_ != State::kOpen || close_later_ != nullptr) return CloseNow();
  WatchAgain();
  owner_->OnDrained(*this);
}

void TunnelLeg::OnTimer() {
  switch (keep_alive_.Poll(Now())) {
    case KeepAlive::Action::kNone:
      break;
    case KeepAlive::Action::kSendPing:
      SendPing();
      break;
    case KeepAlive::Action::kStalled:
      if (!transport_->PeerAnswers()) return Abort("the peer takes nothing any more");
      keep_alive_.OnStallExcused(Now());
      break;
    case KeepAlive::Action::kLost:
      if (state_ == State::kClosing && window_ != nullptr && window_->awaits_ack()) {
        keep_alive_.GiveMoreTimeToClose(Now());
      } else {
        Abort("the peer no longer answers");
      }
      break;
  }
  if (state_ != State::kClosed) Follow();
}

void TunnelLeg::SendPing() {
  if (framing_ == Framing::kStream) {
    if (!transport_->PeerAnswers()) return Abort("the peer no longer answers");
    keep_alive_.OnPingSent(Now());
    return keep_alive_.OnHeard(Now());
  }
  SendControl(PingFrame(""));
  ping_pending_ = pending_;
  if (!pending_) keep_alive_.OnPingSent(Now());
  // Its answer is not read while it is held back.
  if (state_ == State::kOpen && !reading_ && !transport_->PeerAnswers()) OnHangUp();
}

void TunnelLeg::Close(const CloseReason& reason) {
  if (state_ != State::kOpen || close_later_ != nullptr) return;
  end_told_ = true;
  if (reason.code == kCloseLost || write_failed_) return CloseNow();
  if (pending_) {
    close_later_ = std::make_unique<CloseReason>(reason);
    return;
  }
  StartClose(reason);
}

void TunnelLeg::StartClose(const CloseReason& reason) {
  if (framing_ == Framing::kStream) return StartEnding("");
  state_ = State::kClosing;
  keep_alive_.OnClosing(Now());
  SendControl(CloseFrame(reason));
  if (state_ == State::kClosed) return;
  Follow();
  WatchAgain();
  if (transport_->HoldsInput()) ReadSome();
}

void TunnelLeg::StartEnding(const std::string& frame) {
  Uncork();
  if (state_ == State::kClosed) return;
  state_ = State::kEnding;
  keep_alive_.OnClosing(Now());
  Follow();
  if (!pending_) return GoOnEnding(frame);
  // What the peer still sends is dropped when all is sent.
  WatchAgain();
  SendControl(frame);
}

void TunnelLeg::GoOnEnding(const std::string& frame) {
  if (write_failed_) return CloseNow();
  if (pending_) return;
  error_code error;
  transport_->EndStream(BytesOf(frame), error);
  if (error == net::error::would_block) {
    pending_ = true;
    return WatchAgain();
  }
  if (error) return CloseNow();
  transport_->Drain(error);
  if (error != net::error::would_block) return CloseNow();
  transport_->ShutdownSend();
  WatchAgain();
}

void TunnelLeg::Abort(const char* why) {
  CloseReason reason;
  reason.text = why;
  TellEnd(reason);
  CloseNow();
}

void TunnelLeg::TellEnd(const CloseReason& reason) {
  if (std::exchange(end_told_, true)) return;
  owner_->OnEnd(*this, reason);
}

void TunnelLeg::CloseNow() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  reading_ = false;
  pending_ = false;
  Disarm();
  transport_->Close();
  owner_->OnClosed(*this);
}

}  // namespace fairlead::dataplane
