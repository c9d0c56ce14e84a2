// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See relay_session.h. Each leg has one coroutine, Serve, which reads it and writes to the other
// leg; a second, short one closes it. So a leg has at most one reader, and `writing` keeps its
// writers (Serve of the other leg, and CloseLeg) apart.
#include "dataplane/relay_session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fairlead::dataplane {
namespace {

// The longest single wait: keeps the arithmetic of time points within its range.
constexpr absl::Duration kLongestWait = absl::Hours(24);

CloseReason Reason(std::uint16_t code, std::string text) {
  CloseReason reason;
  reason.code = code;
  reason.text = std::move(text);
  return reason;
}

}  // namespace

RelaySession::RelaySession(std::shared_ptr<RelayShared> shared, SessionSpec spec,
                           net::any_io_executor executor)
    : shared_(std::move(shared)),
      spec_(std::move(spec)),
      executor_(std::move(executor)),
      pairing_(spec_, shared_->clock.Monotonic()),
      timer_(executor_),
      wake_(executor_) {
  wake_.expires_at(net::steady_timer::time_point::max());
}

void RelaySession::PostStart() {
  net::post(executor_, [self = shared_from_this()] { self->Arm(); });
}

void RelaySession::PostClaimed(Side side) {
  net::post(executor_, [self = shared_from_this(), side] {
    self->pairing_.OnClaimed(side);
    self->Arm();
  });
}

void RelaySession::PostAbandoned(Side side) {
  net::post(executor_,
            [self = shared_from_this(), side] { self->Apply(self->pairing_.OnAbandoned(side)); });
}

void RelaySession::PostFailed(Side side, CloseReason reason) {
  net::post(executor_, [self = shared_from_this(), side, reason = std::move(reason)] {
    self->Apply(self->pairing_.OnFailed(side, reason));
  });
}

void RelaySession::PostEnd(CloseReason reason) {
  net::post(executor_, [self = shared_from_this(), reason = std::move(reason)] {
    self->Apply(self->pairing_.OnEndRequested(reason));
  });
}

void RelaySession::Apply(const PairingActions& actions) {
  if (actions.attached) shared_->observer.OnAttached(spec_.session_id, *actions.attached);
  if (actions.end) Finish();
  if (actions.start_pumps || actions.end) Wake();
  Arm();
}

void RelaySession::Finish() {
  {
    absl::MutexLock lock(&shared_->mutex);
    shared_->tickets.Remove(spec_);
    shared_->sessions.erase(spec_.session_id);
  }
  close_by_ = Now() + (pairing_.end().by == RelayEnd::By::kRelay ? kCutTimeout : kCloseTimeout);
  for (const Side side : kSides) {
    if (leg(side).websocket != nullptr) RequestClose(side);
  }
  shared_->observer.OnEnded(spec_.session_id, pairing_.end());
}

net::awaitable<void> RelaySession::Serve(Side side, std::unique_ptr<WebSocket> websocket) {
  const std::shared_ptr<RelaySession> self = shared_from_this();
  ++shared_->legs_now;
  if (pairing_.ended()) {
    const CloseReason reason = pairing_.close_for(side);
    co_await websocket->Close(reason);
  } else if (leg(side).websocket != nullptr) {
    co_await RefuseTaken(side, *websocket);
  } else {
    leg(side).websocket = std::move(websocket);
    co_await Attach(side);
    co_await AwaitPairing();
    if (pairing_.paired()) co_await Forward(side);
    co_await AwaitClosed(side);
    leg(side).websocket.reset();
  }
  websocket.reset();
  --shared_->legs_now;
}

net::awaitable<void> RelaySession::RefuseTaken(Side side, WebSocket& websocket) {
  const CloseReason reason =
      Reason(kCloseSideTaken,
             absl::StrCat("the ", NameOf(side), "'s side of this session is in use already"));
  ++shared_->refused;
  shared_->observer.OnRefused(spec_.session_id, side, websocket.peer(), reason);
  co_await websocket.Close(reason);
}

net::awaitable<void> RelaySession::Attach(Side side) {
  if (shared_->options.notices) {
    leg(side).writing = true;
    const absl::Status status =
        co_await leg(side).websocket->WriteText(shared_->options.attached_text);
    AfterWrite(side, status);
    if (!status.ok()) {
      Apply(pairing_.OnClosed(side, Reason(kCloseLost, std::string(status.message()))));
      co_return;
    }
  }
  Apply(pairing_.OnAttached(side, Now()));
}

net::awaitable<void> RelaySession::AwaitPairing() {
  while (!pairing_.paired() && !pairing_.ended()) co_await wake_.async_wait(kToken);
}

net::awaitable<void> RelaySession::Forward(Side from_side) {
  const Side to_side = OtherSide(from_side);
  Leg& from = leg(from_side);
  Leg& to = leg(to_side);
  co_await TellPaired(to_side);
  const std::unique_ptr<char[]> buffer(new char[kPumpBufferBytes]);
  for (;;) {
    from.reading = true;
    const ReadResult read =
        co_await from.websocket->ReadSome(net::buffer(buffer.get(), kPumpBufferBytes));
    from.reading = false;
    if (!read.open) {
      Apply(pairing_.OnClosed(from_side, read.close));
      co_return;
    }
    if (from.write_failed) from.silent_since = Now();
    // What cannot be delivered any more is discarded, so that this leg's own end is still seen.
    if (!Writable(to_side)) continue;
    to.writing = true;
    const absl::Status status = co_await to.websocket->WriteSome(
        net::buffer(static_cast<const char*>(buffer.get()), read.size), read.kind, read.fin);
    AfterWrite(to_side, status);
    if (status.ok() && read.kind == FrameKind::kBinary && read.size > 0) Count(to_side, read.size);
  }
}

net::awaitable<void> RelaySession::TellPaired(Side side) {
  if (!shared_->options.notices || !Writable(side)) co_return;
  leg(side).writing = true;
  const absl::Status status =
      co_await leg(side).websocket->WriteText(shared_->options.peer_attached_text);
  AfterWrite(side, status);
}

net::awaitable<void> RelaySession::AwaitClosed(Side side) {
  while (!leg(side).closed || leg(side).writing) co_await wake_.async_wait(kToken);
}

bool RelaySession::Writable(Side side) {
  const Leg& target = leg(side);
  return !target.write_failed && !target.close_wanted;
}

void RelaySession::AfterWrite(Side side, const absl::Status& status) {
  Leg& target = leg(side);
  target.writing = false;
  if (!status.ok() && !target.write_failed) {
    target.write_failed = true;
    target.silent_since = Now();
    Arm();
  }
  if (target.close_wanted) StartClose(side);
  if (target.closed) Wake();
}

void RelaySession::Count(Side to, std::size_t bytes) {
  const Relayed relayed = pairing_.OnRelayed(to, bytes, Now());
  if (relayed == Relayed::kTooLate) return;
  auto& total = to == Side::kConsole ? shared_->bytes_to_console : shared_->bytes_to_device;
  total.fetch_add(bytes, std::memory_order_relaxed);
  if (relayed == Relayed::kCountedFirst) shared_->observer.OnDataFlowing(spec_.session_id);
}

void RelaySession::RequestClose(Side side) {
  Leg& target = leg(side);
  target.close_wanted = true;
  if (pairing_.is_over(side)) {
    // Its end was read, so nothing is lost; a write that is still pending must not hold it.
    target.close_started = target.closed = true;
    AbortLeg(side);
  } else if (!target.writing) {
    StartClose(side);
  }
}

void RelaySession::StartClose(Side side) {
  if (leg(side).close_started) return;
  leg(side).close_started = true;
  net::co_spawn(executor_, CloseLeg(shared_from_this(), side), net::detached);
}

net::awaitable<void> RelaySession::CloseLeg(std::shared_ptr<RelaySession> self, Side side) {
  const CloseReason reason = self->pairing_.close_for(side);
  co_await self->leg(side).websocket->Close(reason);
  self->leg(side).closed = true;
  self->Wake();
  self->Arm();
}

void RelaySession::Arm() {
  const absl::Duration deadline = NextDeadline();
  if (deadline == absl::InfiniteDuration()) {
    timer_.cancel();
  } else if (deadline != armed_for_) {
    const absl::Duration wait = std::clamp(deadline - Now(), absl::ZeroDuration(), kLongestWait);
    timer_.expires_after(absl::ToChronoNanoseconds(wait));
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->OnTimer();
    });
  }
  armed_for_ = deadline;
}

absl::Duration RelaySession::NextDeadline() {
  absl::Duration next = pairing_.deadline();
  for (const Side side : kSides) {
    const Leg& one = leg(side);
    if (one.websocket == nullptr || one.closed || one.aborted) continue;
    if (pairing_.ended()) next = std::min(next, close_by_);
    if (one.write_failed) next = std::min(next, one.silent_since + kDrainTimeout);
  }
  return next;
}

void RelaySession::OnTimer() {
  armed_for_ = absl::InfiniteDuration();
  const absl::Duration now = Now();
  for (const Side side : kSides) AbortIfLate(side, now);
  Apply(pairing_.OnTime(now));
}

void RelaySession::AbortIfLate(Side side, absl::Duration now) {
  Leg& target = leg(side);
  if (target.websocket == nullptr || target.closed || target.aborted) return;
  if (now >= close_by_) {
    AbortLeg(side);
  } else if (target.write_failed && now >= target.silent_since + kDrainTimeout) {
    // While what it sent is being delivered to a slow other leg, it is not silent.
    if (target.reading) AbortLeg(side);
    target.silent_since = now;
  }
}

void RelaySession::AbortLeg(Side side) {
  leg(side).aborted = true;
  leg(side).websocket->Abort();
}

}  // namespace fairlead::dataplane
