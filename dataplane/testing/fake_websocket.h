// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Two ends of a WebSocket in memory, with bounded buffering and faults on demand, for the tests of
// what stands above the data plane's WebSocket: relay, device hub, adapters, agent and console.
#ifndef FAIRLEAD_DATAPLANE_TESTING_FAKE_WEBSOCKET_H_
#define FAIRLEAD_DATAPLANE_TESTING_FAKE_WEBSOCKET_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/peer.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// Makes the n-th operation of the ends that share it fail, as if the connection were lost at that
// moment. A test runs once without a fault, reads operations(), and then once for every n up to it.
// Thread: that of the ends.
class FaultPlan {
 public:
  // Operations (ReadSome, WriteSome, Close) are counted from 1; 0 fails none.
  explicit FaultPlan(int fail_at = 0) : fail_at_(fail_at) {}

  // Counts one operation; true if it is to fail.
  bool Next() { return ++operations_ == fail_at_; }

  int operations() const { return operations_; }
  bool fired() const { return fail_at_ > 0 && operations_ >= fail_at_; }

 private:
  const int fail_at_;
  int operations_ = 0;
};

struct FakeWebSocketOptions {
  // Payload that one direction holds before a writer has to wait.
  std::size_t buffer_bytes = 64 * 1024;
  // The most that a single ReadSome gives, to try odd splits.
  std::size_t max_read_bytes = static_cast<std::size_t>(-1);
  // How long Close waits for the other end to read.
  absl::Duration close_timeout = absl::Seconds(2);
  // What peer() of either end says.
  PeerInfo first_peer;
  PeerInfo second_peer;
  // Counted and failed operations of either end; null for none.
  std::shared_ptr<FaultPlan> first_faults;
  std::shared_ptr<FaultPlan> second_faults;
};

// What a test may ask of one direction or end, also after the end is gone.
struct FakeWebSocketStats {
  std::size_t frames_written = 0;
  std::size_t bytes_written = 0;
  // The most payload that ever waited in this end's outgoing buffer.
  std::size_t most_buffered = 0;
  // Whether this end was closed or aborted by its own side, or ended by the other.
  bool ended = false;
  // How this end ended; valid if ended.
  CloseReason end;
  bool destroyed = false;
};

struct FakeWebSocketPair {
  std::unique_ptr<WebSocket> first;
  std::unique_ptr<WebSocket> second;
  std::shared_ptr<const FakeWebSocketStats> first_stats;
  std::shared_ptr<const FakeWebSocketStats> second_stats;
};

// Bytes that were written before an Abort or a fault are still read by the other end, which then
// sees 1006. Pings and text validation are left out.
// Thread: both ends live on `executor`'s. Lifetime: the ends may go in any order.
FakeWebSocketPair MakeFakeWebSocketPair(net::any_io_executor executor,
                                        FakeWebSocketOptions options = FakeWebSocketOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TESTING_FAKE_WEBSOCKET_H_
