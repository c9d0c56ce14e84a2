// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See relay_session.h. A session is told by its legs and its timer what happens, and acts at once;
// there is no coroutine that could be in the midst of something.
#include "dataplane/relay_session.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/close_reason.h"

namespace fairlead::dataplane {
RelaySession::RelaySession(std::shared_ptr<RelayShared> shared, SessionSpec spec,
                           net::any_io_executor executor)
    : TimerEntry(TimerQueue::Of(executor)),
      shared_(std::move(shared)),
      spec_(std::move(spec)),
      executor_(std::move(executor)),
      pairing_(spec_, shared_->clock.Monotonic()) {}

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
  if (actions.start_pumps) StartForwarding();
  Arm();
}

void RelaySession::Finish() {
  const bool has_legs = legs_[0].tunnel != nullptr || legs_[1].tunnel != nullptr;
  {
    absl::MutexLock lock(&shared_->mutex);
    // Its legs refer to it until they are closed.
    if (has_legs) shared_->closing.insert(shared_from_this());
    shared_->tickets.Remove(spec_);
    shared_->sessions.erase(spec_.session_id);
  }
  close_by_ = Now() + (pairing_.end().by == RelayEnd::By::kRelay ? kCutTimeout : kCloseTimeout);
  for (const Side side : kSides) {
    TunnelLeg* const tunnel = leg(side).tunnel.get();
    // One that ended by itself also closes by itself.
    if (tunnel != nullptr && !pairing_.is_over(side)) tunnel->Close(pairing_.close_for(side));
  }
  shared_->observer.OnEnded(spec_.session_id, pairing_.end());
}

net::awaitable<void> RelaySession::Serve(Side side, std::unique_ptr<TunnelLeg> tunnel) {
  const std::shared_ptr<RelaySession> self = shared_from_this();
  CloseReason refusal;
  if (pairing_.ended()) {
    refusal = pairing_.close_for(side);
  } else if (pairing_.taken(side)) {
    refusal = MakeCloseReason(
        kCloseSideTaken,
        absl::StrCat("the ", NameOf(side), "'s side of this session is in use already"));
    ++shared_->refused;
    shared_->observer.OnRefused(spec_.session_id, side, tunnel->peer(), refusal);
  } else {
    Attach(side, std::move(tunnel));
    co_return;
  }
  ++shared_->legs_now;
  co_await CloseTunnelLeg(std::move(tunnel), refusal);
  --shared_->legs_now;
}

void RelaySession::Attach(Side side, std::unique_ptr<TunnelLeg> tunnel) {
  ++shared_->legs_now;
  TunnelLeg& attached = *tunnel;
  leg(side).tunnel = std::move(tunnel);
  if (spec_.unacknowledged) {
    side == Side::kDevice ? attached.LimitInput() : attached.LimitOutput(shared_->options.read_ack);
  }
  attached.Start(*this);
  if (shared_->options.notices) attached.SendText(shared_->options.attached_text);
  Apply(pairing_.OnAttached(side, Now()));
  // The answer to its handshake and all notices go out together.
  attached.Uncork();
  if (!attached.write_failed() || pairing_.ended()) return;
  Apply(pairing_.OnClosed(side, MakeCloseReason(kCloseLost, "the connection was lost at once")));
  attached.Abort();
}

void RelaySession::StartForwarding() {
  if (shared_->options.notices) {
    for (const Side side : kSides) leg(side).tunnel->SendText(shared_->options.peer_attached_text);
  }
  for (const Side side : kSides) {
    leg(side).silent_since = Now();
    leg(side).tunnel->SetReading(true);
  }
}

Side RelaySession::SideOf(const TunnelLeg& tunnel) const {
  return legs_[IndexOf(Side::kConsole)].tunnel.get() == &tunnel ? Side::kConsole : Side::kDevice;
}

TunnelLeg* RelaySession::TargetOf(TunnelLeg& from) {
  const Side side = SideOf(from);
  if (from.write_failed() || from.hung_up()) leg(side).silent_since = Now();
  const Leg& other = leg(OtherSide(side));
  TunnelLeg* const to = other.tunnel.get();
  // What cannot be delivered any more is discarded, so that this leg's own end is still seen.
  const bool is_over = pairing_.ended() || other.due_end != nullptr;
  return is_over || to == nullptr || to->write_failed() ? nullptr : to;
}

void RelaySession::OnDelivered(TunnelLeg& to_leg, std::size_t bytes) {
  const Side to = SideOf(to_leg);
  const Relayed relayed = pairing_.OnRelayed(to, bytes, Now());
  if (relayed == Relayed::kTooLate) return;
  auto& total = to == Side::kConsole ? shared_->bytes_to_console : shared_->bytes_to_device;
  total.fetch_add(bytes, std::memory_order_relaxed);
  if (relayed == Relayed::kCountedFirst) shared_->observer.OnDataFlowing(spec_.session_id);
}

void RelaySession::OnHangUp(TunnelLeg& tunnel) {
  leg(SideOf(tunnel)).silent_since = Now();
  Arm();
}

void RelaySession::OnDrained(TunnelLeg& tunnel) {
  const Side side = SideOf(tunnel);
  if (tunnel.write_failed()) {
    leg(side).silent_since = Now();
    Arm();
  }
  Leg& from = leg(OtherSide(side));
  if (from.due_end != nullptr) {
    TellDueEnd(OtherSide(side));
  } else if (from.tunnel != nullptr && pairing_.paired() && !tunnel.full()) {
    from.silent_since = Now();
    from.tunnel->SetReading(true);
  }
}

void RelaySession::OnEnd(TunnelLeg& tunnel, const CloseReason& reason) {
  const Side side = SideOf(tunnel);
  leg(side).due_end = std::make_unique<CloseReason>(reason);
  leg(side).silent_since = Now();
  TunnelLeg* const to = leg(OtherSide(side)).tunnel.get();
  if (to == nullptr || !to->pending()) return TellDueEnd(side);
  // It may take what waits only when its own output flows, which nobody holds back any more. The
  // leg calls from within itself.
  net::post(executor_, [self = shared_from_this(), side] {
    TunnelLeg* const waiting = self->leg(OtherSide(side)).tunnel.get();
    if (waiting != nullptr) waiting->SetReading(true);
    self->Arm();
  });
}

void RelaySession::TellDueEnd(Side side) {
  const std::unique_ptr<CloseReason> reason = std::move(leg(side).due_end);
  if (reason != nullptr) Apply(pairing_.OnClosed(side, *reason));
}

void RelaySession::OnClosed(TunnelLeg& tunnel) {
  const Side side = SideOf(tunnel);
  // The leg calls from within itself.
  net::post(executor_, [self = shared_from_this(), side] { self->Reap(side); });
  TellDueEnd(OtherSide(side));
}

void RelaySession::Reap(Side side) {
  const std::unique_ptr<TunnelLeg> closed = std::move(leg(side).tunnel);
  // What is still to be told of it waits for the other leg.
  --shared_->legs_now;
  Arm();
  if (!pairing_.ended() || leg(OtherSide(side)).tunnel != nullptr) return;
  absl::MutexLock lock(&shared_->mutex);
  shared_->closing.erase(shared_from_this());
}

void RelaySession::Arm() {
  const absl::Duration deadline = NextDeadline();
  // The queue's clock may have another beginning.
  ArmBy(deadline == absl::InfiniteDuration()
            ? deadline
            : SystemClock().Monotonic() + (deadline - shared_->clock.Monotonic()));
}

absl::Duration RelaySession::NextDeadline() {
  absl::Duration next = pairing_.deadline();
  for (const Side side : kSides) {
    const TunnelLeg* const tunnel = leg(side).tunnel.get();
    if (pairing_.ended() && tunnel != nullptr && !tunnel->closed())
      next = std::min(next, close_by_);
    next = std::min(next, EndDeadline(side));
  }
  return next;
}

absl::Duration RelaySession::EndDeadline(Side side) {
  if (pairing_.ended()) return absl::InfiniteDuration();
  const Leg& one = leg(side);
  const bool is_open = one.tunnel != nullptr && !one.tunnel->closed();
  const bool is_going = is_open && (one.tunnel->write_failed() || one.tunnel->hung_up());
  // A leg that goes before the other has come is kept.
  if (one.due_end == nullptr && (!is_going || !pairing_.paired())) return absl::InfiniteDuration();
  if (one.due_end == nullptr && one.tunnel->reading()) return one.silent_since + kDrainTimeout;
  const TunnelLeg* const other = leg(OtherSide(side)).tunnel.get();
  const absl::Duration progress = other == nullptr ? absl::Duration() : other->write_progress();
  return std::max(one.silent_since, progress) + (side == Side::kDevice
                                                     ? shared_->options.output_rest_timeout
                                                     : shared_->options.input_rest_timeout);
}

void RelaySession::OnTimer() {
  const std::shared_ptr<RelaySession> self = shared_from_this();
  const absl::Duration now = Now();
  for (const Side side : kSides) EndIfLate(side, now);
  Apply(pairing_.OnTime(now));
}

void RelaySession::EndIfLate(Side side, absl::Duration now) {
  TunnelLeg* const tunnel = leg(side).tunnel.get();
  const bool is_open = tunnel != nullptr && !tunnel->closed();
  const bool is_late = now >= EndDeadline(side);
  if (is_open && is_late) {
    tunnel->Abort("the peer is gone, and what it sent last is not taken");
  } else if (is_open && now >= close_by_) {
    tunnel->Abort();
  }
  if (is_late) TellDueEnd(side);
}

}  // namespace fairlead::dataplane
