// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The state machine of one session at the relay: events in, what to do out, time passed in. It
// waits for two legs, counts what flows between them, and decides once how the session ends. Free
// of I/O; used by RelaySession.
#ifndef FAIRLEAD_DATAPLANE_SESSION_PAIRING_H_
#define FAIRLEAD_DATAPLANE_SESSION_PAIRING_H_

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "dataplane/relay_types.h"

namespace fairlead::dataplane {

// What the other side is told when `from` closed with `received`: the same, except that no code
// (1005) becomes 1000, a loss (1006) becomes 4502, and a code that must not be sent becomes 4400.
CloseReason ForwardedClose(Side from, const CloseReason& received);

// What an event asks for, in this order.
struct PairingActions {
  // Tell that this side is in place.
  absl::optional<Side> attached;
  // Both legs are in place: forward from now on, both ways.
  bool start_pumps = false;
  // The session is over: close every leg that there is, now or later, and tell. end(), close_for()
  // and is_over() say how.
  bool end = false;
};

// What became of relayed payload.
enum class Relayed { kCounted, kCountedFirst, kTooLate };

// Thread: the session's. Times are of one monotonic clock.
class SessionPairing {
 public:
  // How long a leg whose ticket was taken in time may take to complete its upgrade.
  static constexpr absl::Duration kAttachGrace = absl::Seconds(10);

  // Begins to wait for both legs at `now`.
  SessionPairing(const SessionSpec& spec, absl::Duration now);

  // The side's ticket was taken; its leg is on the way.
  void OnClaimed(Side side);
  // The leg is in place. Not for a side that is taken.
  PairingActions OnAttached(Side side, absl::Duration now);
  // The leg on its way will not come.
  PairingActions OnAbandoned(Side side);
  // The leg cannot come, for this reason.
  PairingActions OnFailed(Side side, const CloseReason& reason);
  // The leg closed, after all that it sent was read and delivered; 1006 if it was lost.
  PairingActions OnClosed(Side side, const CloseReason& received);
  // Someone above wants the session to end.
  PairingActions OnEndRequested(CloseReason reason);
  // Time has passed: pairing timeout, idle limit, lifetime limit.
  PairingActions OnTime(absl::Duration now);

  // Counts payload that was written to `to`. Nothing counts after the end, so that end() is final.
  Relayed OnRelayed(Side to, std::size_t bytes, absl::Duration now);

  // When OnTime is due; infinite for never.
  absl::Duration deadline() const;

  // Whether both legs were in place at once.
  bool paired() const { return paired_; }
  bool ended() const { return ended_; }
  // Whether a leg of this side was in place, be it closed since: a newcomer gets 4409.
  bool taken(Side side) const { return legs_[IndexOf(side)] == Leg::kAttached; }

  // After the end: how it ended.
  const RelayEnd& end() const { return end_; }
  // After the end: with what a leg of `side` is to be closed.
  const CloseReason& close_for(Side side) const { return close_for_[IndexOf(side)]; }
  // After the end: whether that leg ended by itself, so that there is nothing left to say to it.
  bool is_over(Side side) const { return is_over_[IndexOf(side)]; }

 private:
  enum class Leg { kAbsent, kClaimed, kAttached };

  Leg& leg(Side side) { return legs_[IndexOf(side)]; }
  absl::Duration PairingDeadline() const;
  absl::Duration IdleDeadline() const;
  absl::Duration LifetimeDeadline() const;
  PairingActions EndByRelay(CloseReason reason);
  CloseReason NeverCame() const;

  const absl::Duration pairing_timeout_;
  const absl::Duration idle_timeout_;
  const absl::Duration max_lifetime_;
  const absl::Duration registered_;
  absl::Duration last_payload_;
  std::array<Leg, 2> legs_ = {Leg::kAbsent, Leg::kAbsent};
  bool paired_ = false;
  bool flowing_ = false;
  bool ended_ = false;
  RelayEnd end_;
  std::array<CloseReason, 2> close_for_;
  std::array<bool, 2> is_over_ = {false, false};
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SESSION_PAIRING_H_
