// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A leg of the relay whose bytes move in memory, and the WebSocket at its other end: frames as on
// the wire, bounded buffering, odd splits and faults on demand. For the relay's tests.
#ifndef FAIRLEAD_DATAPLANE_TESTING_MEMORY_LEG_H_
#define FAIRLEAD_DATAPLANE_TESTING_MEMORY_LEG_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/tunnel_leg.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

struct MemoryLegOptions {
  // Bytes that one direction holds before a writer has to wait.
  std::size_t buffer_bytes = 64 * 1024;
  // The most that a single read gives, to try odd splits.
  std::size_t max_read_bytes = static_cast<std::size_t>(-1);
  // How long the peer's Close waits.
  absl::Duration close_timeout = absl::Seconds(2);
  // Counted and failed operations of the leg's transport; null for none.
  std::shared_ptr<FaultPlan> faults;
  TunnelLegOptions leg;
};

// What a test may ask of a leg, also after it is gone.
struct MemoryLegStats {
  // The leg's connection was closed.
  bool closed = false;
  // The leg was destroyed.
  bool destroyed = false;
  // What the peer has sent and the leg has not read, in bytes.
  std::size_t unread = 0;
};

struct MemoryLeg {
  std::unique_ptr<TunnelLeg> leg;
  std::unique_ptr<WebSocket> peer;
  std::shared_ptr<const MemoryLegStats> stats;
};

// Bytes that were written before a loss are still read by the other end.
// Thread: both ends live on `executor`'s. Lifetime: the ends may go in any order.
MemoryLeg MakeMemoryLeg(net::any_io_executor executor,
                        MemoryLegOptions options = MemoryLegOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TESTING_MEMORY_LEG_H_
