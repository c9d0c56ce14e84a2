// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay: pairs the two tunnels of a session and carries frames between them, without looking at
// what they carry. Used by the gateway, which claims a leg's ticket, accepts the upgrade and
// serves.
#ifndef FAIRLEAD_DATAPLANE_RELAY_H_
#define FAIRLEAD_DATAPLANE_RELAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/relay_types.h"
#include "dataplane/send_window.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

class IoThreads;
class RelaySession;
class TunnelLeg;
struct RelayShared;

// Told of what happens to sessions.
// Thread: called on the session's I/O thread (OnRegistered on that of Register's caller, OnRefused
// also on that of ClaimTicket's); must return at once and not call the relay.
class RelayObserver {
 public:
  virtual ~RelayObserver() = default;
  // The first call for a session.
  virtual void OnRegistered(absl::string_view /*session_id*/) {}
  virtual void OnAttached(absl::string_view session_id, Side side) = 0;
  virtual void OnDataFlowing(absl::string_view session_id) = 0;
  // The last call for a session; it is forgotten before. The ending leg's bytes are delivered, the
  // closing handshake with the other leg may still be under way.
  virtual void OnEnded(absl::string_view session_id, const RelayEnd& end) = 0;
  // A leg was refused; `session_id` is empty if the ticket names none.
  virtual void OnRefused(absl::string_view session_id, Side side, const PeerInfo& peer,
                         const CloseReason& reason) = 0;
};

struct RelayOptions {
  // The most sessions that may be registered; further ones are refused.
  std::size_t max_sessions = 100'000;
  // Whether legs get the text frames "attached" and "peer".
  bool notices = true;
  // What the relay sends as those frames; handed in because the data plane knows no proto.
  std::string attached_text;
  std::string peer_attached_text;
  // Reads the Console's acknowledgements where the device does not (SessionSpec::unacknowledged).
  AckReader read_ack = [](absl::string_view) -> absl::optional<std::uint64_t> {
    return absl::nullopt;
  };
  // How long the rest of what a leg sent before it ended waits for another leg that takes none of
  // it: output for somebody who looks away, and input for a program that reads nothing.
  absl::Duration output_rest_timeout = absl::Seconds(40);
  absl::Duration input_rest_timeout = absl::Seconds(10);
};

struct RelayCounters {
  std::uint64_t sessions_registered = 0;
  std::uint64_t sessions_now = 0;
  std::uint64_t legs_now = 0;
  std::uint64_t bytes_to_console = 0;
  std::uint64_t bytes_to_device = 0;
  std::uint64_t refused = 0;
};

// What a ticket gives a leg: the right to be served once, on a given thread.
struct Claim {
  // If not: accept the upgrade and serve all the same, which closes with `refusal`.
  bool granted = false;
  CloseReason refusal;
  std::string session_id;
  Side side = Side::kConsole;
  // Where to call Serve.
  net::any_io_executor executor;
  // Null unless granted. The relay's own.
  std::shared_ptr<RelaySession> session;
};

// Chooses the executor of a session by its identifier; each runs one thread.
using SessionExecutor = std::function<net::any_io_executor(absl::string_view session_id)>;

// Thread: Register, End, FailLeg, Knows, ClaimTicket, Abandon, EndAll and counters from any thread;
// Serve on Claim::executor's. Lifetime: `threads`, `observer` and `clock` must outlive it. Destroy
// it when sessions_now and legs_now are 0, or when the threads have stopped.
class Relay {
 public:
  Relay(IoThreads& threads, RelayObserver& observer, const Clock& clock, RelayOptions options);
  Relay(SessionExecutor executor_of, RelayObserver& observer, const Clock& clock,
        RelayOptions options);
  ~Relay();

  // Expects the session's two legs from now on.
  // Errors: ALREADY_EXISTS the session or a ticket is known; RESOURCE_EXHAUSTED too many sessions;
  // INVALID_ARGUMENT no identifier, no positive pairing timeout, or a hash that is none.
  absl::Status Register(SessionSpec spec);

  // Ends a session: both legs are closed with `reason` at once. Unknown sessions are ignored.
  void End(absl::string_view session_id, CloseReason reason);

  // Ends a session because the leg of `side` will not come, as if that side had closed with
  // `reason`. Ignored if the leg is in place, or the session is not known.
  void FailLeg(absl::string_view session_id, Side side, CloseReason reason);

  // Whether the session is registered and has not ended.
  bool Knows(absl::string_view session_id) const;

  // Ends all of them (4503 when draining).
  void EndAll(CloseReason reason);

  // Consumes `ticket` for `side`. `unit_id` is the device's, from its certificate; empty for none.
  // A granted claim must be followed by Serve or Abandon.
  Claim ClaimTicket(absl::string_view ticket, Side side, absl::string_view unit_id,
                    const PeerInfo& peer);

  // Takes a claimed leg over and serves it until its session ends; the leg alone knows when that
  // is. A refused one is closed, on return. `leg` lives on Claim::executor.
  net::awaitable<void> Serve(Claim claim, std::unique_ptr<TunnelLeg> leg);

  // Tells that a claimed leg never came (the upgrade failed): its ticket is gone, so the session
  // ends. A no-op for a claim that was refused or served.
  void Abandon(const Claim& claim);

  RelayCounters counters() const;

 private:
  // Null if it is not known.
  std::shared_ptr<RelaySession> Find(absl::string_view session_id) const;

  const SessionExecutor executor_of_;
  const std::shared_ptr<RelayShared> shared_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_RELAY_H_
