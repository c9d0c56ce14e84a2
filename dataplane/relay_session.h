// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One session at the relay: owns its legs, forwards between them, and carries out what
// SessionPairing decides. Private to the relay.
#ifndef FAIRLEAD_DATAPLANE_RELAY_SESSION_H_
#define FAIRLEAD_DATAPLANE_RELAY_SESSION_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/relay.h"
#include "dataplane/session_pairing.h"
#include "dataplane/ticket_register.h"
#include "dataplane/timer_queue.h"
#include "dataplane/tunnel_leg.h"

namespace fairlead::dataplane {

class RelaySession;

// What all sessions of a relay share.
// Thread: any.
struct RelayShared {
  RelayShared(RelayObserver& the_observer, const Clock& the_clock, RelayOptions the_options)
      : observer(the_observer), clock(the_clock), options(std::move(the_options)) {}

  RelayObserver& observer;
  const Clock& clock;
  const RelayOptions options;

  absl::Mutex mutex;
  TicketRegister tickets ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<std::string, std::shared_ptr<RelaySession>> sessions ABSL_GUARDED_BY(mutex);
  // Ended, with legs that are not closed yet.
  absl::flat_hash_set<std::shared_ptr<RelaySession>> closing ABSL_GUARDED_BY(mutex);

  std::atomic<std::uint64_t> sessions_registered{0};
  std::atomic<std::uint64_t> legs_now{0};
  std::atomic<std::uint64_t> bytes_to_console{0};
  std::atomic<std::uint64_t> bytes_to_device{0};
  std::atomic<std::uint64_t> refused{0};
};

// Lifetime: shared by the relay's tables, of sessions until it ends and of closing ones until its
// legs are closed, and by what is posted.
class RelaySession final : public std::enable_shared_from_this<RelaySession>,
                           private TunnelLeg::Owner,
                           private TimerEntry {
 public:
  // When the relay ends a session: how long a leg's stuck write and its closing handshake may take.
  static constexpr absl::Duration kCutTimeout = absl::Seconds(2);
  // When a leg ended it: the other may need long to take in what is still on its way to it. Close
  // has a limit of its own; this is the last resort.
  static constexpr absl::Duration kCloseTimeout = absl::Seconds(60);
  // How long a leg that can no longer be written to may go without giving payload or its end.
  static constexpr absl::Duration kDrainTimeout = absl::Seconds(5);

  // `executor` runs one thread: the session's.
  RelaySession(std::shared_ptr<RelayShared> shared, SessionSpec spec,
               net::any_io_executor executor);

  // Thread: any.
  const SessionSpec& spec() const { return spec_; }
  const net::any_io_executor& executor() const { return executor_; }
  // Arms the session's deadlines.
  void PostStart();
  void PostClaimed(Side side);
  void PostAbandoned(Side side);
  void PostFailed(Side side, CloseReason reason);
  void PostEnd(CloseReason reason);

  // Takes a leg over, or closes it if it comes too late or second. Thread: the session's.
  net::awaitable<void> Serve(Side side, std::unique_ptr<TunnelLeg> leg);

 private:
  struct Leg {
    // Until it is closed.
    std::unique_ptr<TunnelLeg> tunnel;
    // Its end, which is told when the other leg has taken all that came before.
    std::unique_ptr<CloseReason> due_end;
    // Since when there is neither payload nor an end from a leg that is going.
    absl::Duration silent_since;
  };

  // TunnelLeg::Owner and TimerEntry.
  TunnelLeg* TargetOf(TunnelLeg& from) override;
  void OnHangUp(TunnelLeg& tunnel) override;
  void OnDelivered(TunnelLeg& to, std::size_t bytes) override;
  void OnDrained(TunnelLeg& tunnel) override;
  void OnEnd(TunnelLeg& tunnel, const CloseReason& reason) override;
  void OnClosed(TunnelLeg& tunnel) override;
  void OnTimer() override;

  Leg& leg(Side side) { return legs_[IndexOf(side)]; }
  Side SideOf(const TunnelLeg& tunnel) const;
  absl::Duration Now() const { return shared_->clock.Monotonic(); }

  void Apply(const PairingActions& actions);
  void Attach(Side side, std::unique_ptr<TunnelLeg> tunnel);
  void StartForwarding();
  void Finish();
  // Forgets a leg that is closed.
  void Reap(Side side);
  void TellDueEnd(Side side);

  // Sees to it that the timer wakes us for the next deadline.
  void Arm();
  absl::Duration NextDeadline();
  // When a leg that has ended, or is about to, is not waited for any more; infinite for others.
  absl::Duration EndDeadline(Side side);
  void EndIfLate(Side side, absl::Duration now);

  const std::shared_ptr<RelayShared> shared_;
  const SessionSpec spec_;
  const net::any_io_executor executor_;

  // All below: on the session's thread alone.
  SessionPairing pairing_;
  std::array<Leg, 2> legs_;
  // After the end: when legs that are still closing are cut.
  absl::Duration close_by_ = absl::InfiniteDuration();
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_RELAY_SESSION_H_
