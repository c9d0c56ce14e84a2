// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the load generator can do. Each mode returns its figures as JSON.
#ifndef FAIRLEAD_BENCH_LOAD_MODES_H_
#define FAIRLEAD_BENCH_LOAD_MODES_H_

#include <string>

#include "bench/load/crowd.h"
#include "nlohmann/json.hpp"

namespace fairlead::bench {

// Messages one way as fast as they go, every byte verified: CPU of the relay per GB of payload.
nlohmann::json RunBulk(Target& target, const RunOptions& options);

// A message there and back in every session at once, again and again: CPU a relayed message, and
// the time of a round trip.
nlohmann::json RunEcho(Target& target, const RunOptions& options);

// Memory a session: idle, and idle again after options.traffic_bytes each, half of them either way.
nlohmann::json RunIdle(Target& target, const RunOptions& options);

// Sessions opened, used once and closed, options.concurrency at a time: CPU a session.
nlohmann::json RunChurn(Target& target, const RunOptions& options);

// Sessions held, each with a keystroke and its echo every options.period_seconds; prints a line of
// JSON after opening, holding and closing.
nlohmann::json RunHold(Target& target, const RunOptions& options);

// How simulated devices connect to a hub.
struct DeviceOptions {
  std::uint16_t port = 0;
  std::string server_ca_file;
  // Signs the devices' certificates.
  std::string ca_file;
  std::string ca_key_file;
  // The first device's number, so that several generators can share a hub.
  int first = 0;
  int source_addresses = 0;
  int source_network = 1;
};

// Devices on a hub, options.sessions of them, with a heartbeat every options.period_seconds; prints
// as RunHold does.
nlohmann::json RunDevices(EventLoop& loop, const DeviceOptions& devices, const RunOptions& options);

// Prints a phase's figures, and waits for a line on standard input if the run is stepwise.
void PrintPhase(EventLoop& loop, const RunOptions& options, const nlohmann::json& figures);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_MODES_H_
