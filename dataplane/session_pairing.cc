// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_pairing.h.
#include "dataplane/session_pairing.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dataplane/close_reason.h"

namespace fairlead::dataplane {
namespace {

RelayEnd::By ByOf(Side side) {
  return side == Side::kConsole ? RelayEnd::By::kConsole : RelayEnd::By::kDevice;
}

}  // namespace

CloseReason ForwardedClose(Side from, const CloseReason& received) {
  if (received.code == kCloseNoCode) return MakeCloseReason(kCloseNormal, "");
  if (received.code == kCloseLost) {
    return MakeCloseReason(kClosePeerLost, absl::StrCat("the connection to the ", NameOf(from),
                                                        " was lost; open a new session"));
  }
  if (!IsSendableCloseCode(received.code)) {
    return MakeCloseReason(kCloseMalformed, absl::StrCat("the ", NameOf(from), " closed with code ",
                                                         received.code, ", which no one may send"));
  }
  return MakeCloseReason(received.code, received.text);
}

SessionPairing::SessionPairing(const SessionSpec& spec, absl::Duration now)
    : pairing_timeout_(spec.pairing_timeout),
      idle_timeout_(spec.idle_timeout),
      max_lifetime_(spec.max_lifetime),
      registered_(now),
      last_payload_(now) {}

void SessionPairing::OnClaimed(Side side) {
  if (leg(side) == Leg::kAbsent) leg(side) = Leg::kClaimed;
}

PairingActions SessionPairing::OnAttached(Side side, absl::Duration now) {
  PairingActions actions;
  if (ended_) return actions;
  leg(side) = Leg::kAttached;
  actions.attached = side;
  if (leg(OtherSide(side)) == Leg::kAttached) {
    paired_ = true;
    last_payload_ = now;
    actions.start_pumps = true;
  }
  return actions;
}

PairingActions SessionPairing::OnAbandoned(Side side) {
  return OnFailed(side,
                  MakeCloseReason(kCloseLost, absl::StrCat("the connection to the ", NameOf(side),
                                                           " was lost while it was being opened")));
}

PairingActions SessionPairing::OnFailed(Side side, const CloseReason& reason) {
  if (taken(side)) return PairingActions();
  return OnClosed(side, reason);
}

PairingActions SessionPairing::OnClosed(Side side, const CloseReason& received) {
  PairingActions actions;
  if (ended_) return actions;
  ended_ = true;
  end_.by = ByOf(side);
  end_.reason = received;
  const CloseReason forwarded = ForwardedClose(side, received);
  close_for_ = {forwarded, forwarded};
  is_over_[IndexOf(side)] = true;
  actions.end = true;
  return actions;
}

PairingActions SessionPairing::OnEndRequested(CloseReason reason) {
  return EndByRelay(std::move(reason));
}

PairingActions SessionPairing::EndByRelay(CloseReason reason) {
  PairingActions actions;
  if (ended_) return actions;
  ended_ = true;
  end_.by = RelayEnd::By::kRelay;
  end_.reason = MakeCloseReason(reason.code, reason.text);
  close_for_ = {end_.reason, end_.reason};
  actions.end = true;
  return actions;
}

PairingActions SessionPairing::OnTime(absl::Duration now) {
  if (ended_) return PairingActions();
  if (now >= PairingDeadline()) return EndByRelay(NeverCame());
  if (now >= LifetimeDeadline()) {
    return EndByRelay(MakeCloseReason(
        kCloseLimit, absl::StrCat("this session reached its limit of ",
                                  absl::FormatDuration(max_lifetime_), "; open a new one")));
  }
  if (now >= IdleDeadline()) {
    return EndByRelay(MakeCloseReason(
        kCloseLimit, absl::StrCat("this session was idle for ", absl::FormatDuration(idle_timeout_),
                                  "; open a new one")));
  }
  return PairingActions();
}

Relayed SessionPairing::OnRelayed(Side to, std::size_t bytes, absl::Duration now) {
  if (ended_ || !paired_) return Relayed::kTooLate;
  (to == Side::kConsole ? end_.bytes_to_console : end_.bytes_to_device) += bytes;
  last_payload_ = now;
  if (flowing_) return Relayed::kCounted;
  flowing_ = true;
  return Relayed::kCountedFirst;
}

absl::Duration SessionPairing::deadline() const {
  if (ended_) return absl::InfiniteDuration();
  return std::min({PairingDeadline(), LifetimeDeadline(), IdleDeadline()});
}

absl::Duration SessionPairing::PairingDeadline() const {
  if (paired_) return absl::InfiniteDuration();
  const bool all_on_their_way = legs_[0] != Leg::kAbsent && legs_[1] != Leg::kAbsent;
  return registered_ + pairing_timeout_ + (all_on_their_way ? kAttachGrace : absl::ZeroDuration());
}

absl::Duration SessionPairing::LifetimeDeadline() const {
  if (max_lifetime_ <= absl::ZeroDuration()) return absl::InfiniteDuration();
  return registered_ + max_lifetime_;
}

absl::Duration SessionPairing::IdleDeadline() const {
  if (!paired_ || idle_timeout_ <= absl::ZeroDuration()) return absl::InfiniteDuration();
  return last_payload_ + idle_timeout_;
}

CloseReason SessionPairing::NeverCame() const {
  const bool console_came = legs_[IndexOf(Side::kConsole)] == Leg::kAttached;
  const bool device_came = legs_[IndexOf(Side::kDevice)] == Leg::kAttached;
  const char* who = "neither side came";
  if (console_came) who = "the device never came";
  if (device_came) who = "the Console never came";
  return MakeCloseReason(kClosePeerLost,
                         absl::StrCat(who, " within ", absl::FormatDuration(pairing_timeout_),
                                      "; ask for a new session"));
}

}  // namespace fairlead::dataplane
