// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an edge would tell a server that links now: the connected devices, the legs of live
// sessions, and what happened that no link has taken for certain; kept up to date by the very
// events that the link carries, so that the two cannot differ. Sans-I/O; used by EdgeServer.
#ifndef FAIRLEAD_GATEWAY_EDGE_STATE_H_
#define FAIRLEAD_GATEWAY_EDGE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// How much is kept for the next link.
struct EdgeStateLimits {
  // Ended sessions; the oldest are dropped first.
  std::size_t max_ended = 10'000;
  // Refusals; the oldest are dropped first.
  std::size_t max_refusals = 1'000;
  // A dead link is noticed after so long: what was written less than that ago may not have arrived.
  absl::Duration doubt = absl::Seconds(30);
};

// Thread: one at a time.
class EdgeState {
 public:
  explicit EdgeState(EdgeStateLimits limits = EdgeStateLimits()) : limits_(limits) {}

  // Takes in an event. Events that change no state are ignored. A session that ends is kept until
  // OnWritten says that its end was told.
  void Apply(const v1::EdgeEvent& event);

  // Keeps a refusal for the next snapshot, there being no link.
  void KeepRefusal(const v1::EdgeEvent& refusal);

  // The events that tell a newcomer everything: devices by unit ID, each live session's changes in
  // the order in which they came, likewise those of sessions whose end may not have been told, in
  // the order of their ends, and refusals. `now` is monotonic.
  std::vector<v1::EdgeEvent> Snapshot(absl::Duration now);

  // An event, or the end of a snapshot, was written to the link.
  void OnWritten(const v1::EdgeEvent& event, absl::Duration now);

  std::size_t device_count() const { return devices_.size(); }
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t ended_count() const { return ended_.size(); }

  // Ends and refusals that were dropped for want of room since the last call.
  std::size_t TakeDropped() { return std::exchange(dropped_, 0); }

 private:
  using Changes = std::vector<v1::TunnelEvent>;

  void End(const v1::TunnelEvent& event);
  void Forget(std::uint64_t number);
  // Forgets ends that were told so long ago that they have arrived.
  void ForgetTold(absl::Duration now);

  const EdgeStateLimits limits_;
  std::map<std::string, v1::DeviceConnected> devices_;
  std::map<std::string, Changes> sessions_;
  // By number, which rises; and the number of a session's end.
  std::map<std::uint64_t, Changes> ended_;
  std::map<std::string, std::uint64_t> ended_number_;
  std::uint64_t last_number_ = 0;
  // Ends that were told, and when.
  std::deque<std::pair<absl::Duration, std::uint64_t>> told_;
  std::deque<v1::EdgeEvent> refusals_;
  // How many of them the last snapshot holds.
  std::size_t refusals_in_snapshot_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_STATE_H_
