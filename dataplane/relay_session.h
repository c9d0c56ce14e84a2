// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// One session at the relay: owns its legs, forwards between them, and carries out what
// SessionPairing decides. Private to the relay.
#ifndef FAIRLEAD_DATAPLANE_RELAY_SESSION_H_
#define FAIRLEAD_DATAPLANE_RELAY_SESSION_H_

#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/relay.h"
#include "dataplane/session_pairing.h"
#include "dataplane/ticket_register.h"

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

  std::atomic<std::uint64_t> sessions_registered{0};
  std::atomic<std::uint64_t> legs_now{0};
  std::atomic<std::uint64_t> bytes_to_console{0};
  std::atomic<std::uint64_t> bytes_to_device{0};
  std::atomic<std::uint64_t> refused{0};
};

// Lifetime: shared by the relay's table until the session ends, by the coroutines that serve its
// legs, and by its timer.
class RelaySession : public std::enable_shared_from_this<RelaySession> {
 public:
  // When the relay ends a session: how long a leg's stuck write and its closing handshake may take.
  static constexpr absl::Duration kCutTimeout = absl::Seconds(2);
  // When a leg ended it: the other may need long to take in what is still on its way to it. Close
  // has a limit of its own; this is the last resort.
  static constexpr absl::Duration kCloseTimeout = absl::Seconds(60);
  // How long a leg that can no longer be written to may go without giving payload or its end.
  static constexpr absl::Duration kDrainTimeout = absl::Seconds(5);
  // The buffer of one direction; allocated while both legs are in place.
  static constexpr std::size_t kPumpBufferBytes = 64 * 1024;

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

  // Serves one leg until it is closed. Thread: the session's.
  net::awaitable<void> Serve(Side side, std::unique_ptr<WebSocket> websocket);

 private:
  struct Leg {
    // From Serve's begin to its end.
    std::unique_ptr<WebSocket> websocket;
    // What is pending on it.
    bool reading = false;
    bool writing = false;
    // A write failed: what is meant for this leg is discarded, what it sent is still delivered.
    bool write_failed = false;
    // Since when there is neither payload nor an end from a leg whose write failed.
    absl::Duration silent_since;
    // close_for(side) is to be sent as soon as no write is pending; is being sent; all is done.
    bool close_wanted = false;
    bool close_started = false;
    bool closed = false;
    // Abort was called: what is pending ends now.
    bool aborted = false;
  };

  Leg& leg(Side side) { return legs_[IndexOf(side)]; }
  absl::Duration Now() const { return shared_->clock.Monotonic(); }

  void Apply(const PairingActions& actions);
  void Finish();

  // The parts of Serve, in order.
  net::awaitable<void> RefuseTaken(Side side, WebSocket& websocket);
  net::awaitable<void> Attach(Side side);
  net::awaitable<void> AwaitPairing();
  net::awaitable<void> Forward(Side from_side);
  net::awaitable<void> AwaitClosed(Side side);

  // Tells `side` that the other leg is in place.
  net::awaitable<void> TellPaired(Side side);
  bool Writable(Side side);
  // After each write to `side`.
  void AfterWrite(Side side, const absl::Status& status);
  void Count(Side to, std::size_t bytes);

  void RequestClose(Side side);
  void StartClose(Side side);
  static net::awaitable<void> CloseLeg(std::shared_ptr<RelaySession> self, Side side);

  // Wakes the coroutines that wait for the session's state to change.
  void Wake() { wake_.cancel(); }
  // Sets the timer for the next deadline.
  void Arm();
  absl::Duration NextDeadline();
  void OnTimer();
  void AbortIfLate(Side side, absl::Duration now);
  void AbortLeg(Side side);

  const std::shared_ptr<RelayShared> shared_;
  const SessionSpec spec_;
  const net::any_io_executor executor_;

  // All below: on the session's thread alone.
  SessionPairing pairing_;
  std::array<Leg, 2> legs_;
  // After the end: when legs that are still closing are cut.
  absl::Duration close_by_ = absl::InfiniteDuration();
  absl::Duration armed_for_ = absl::InfiniteDuration();
  net::steady_timer timer_;
  // Never expires; cancelled to wake.
  net::steady_timer wake_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_RELAY_SESSION_H_
