// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The presence of OS 11 devices that have an address and no standing connection: each is dialled by
// the server's own edge, every 30 s and whenever something about it changes. Part of
// EdgeController.
#ifndef FAIRLEAD_CONTROL_DEVICE_PROBER_H_
#define FAIRLEAD_CONTROL_DEVICE_PROBER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/executor.h"
#include "control/device_directory.h"
#include "control/edge_connection.h"
#include "proto/edge.pb.h"

namespace fairlead::control {

struct DeviceProberOptions {
  // How often each device is probed. A device's presence is then true within interval + timeout.
  absl::Duration interval = absl::Seconds(30);
  // The interval is divided into steps of this length, over which the devices are spread evenly.
  absl::Duration step = absl::Milliseconds(100);
  // A probe without an answer for this long has failed.
  absl::Duration timeout = absl::Seconds(15);
  // How many probes may be under way. A device that swallows packets holds one for 10 s, so that
  // this many bear three times as many devices that have all been cut off.
  std::size_t max_under_way = 1000;
};

// Thread: the serial executor, which must have stopped before it is destroyed.
class DeviceProber {
 public:
  // `on_changed` is told of each device that came online or went offline, after the directory was.
  DeviceProber(Executor& serial, DeviceDirectory& directory, EdgeSender& edges,
               std::function<void(const std::string& unit_id)> on_changed,
               DeviceProberOptions options = DeviceProberOptions());

  // Takes all devices of the directory on. Once.
  void Start();

  // Something about a device has changed, perhaps that it exists: looks whether it is to be probed,
  // and does so at once; if it cannot be reached, a few times more within seconds, since what has
  // just enrolled may be about to listen.
  void Update(absl::string_view unit_id);

  void OnResult(const v1::ProbeResult& result);

  // The server's own edge can, or cannot, be asked. Until then probes wait.
  void OnEdgeUp();
  void OnEdgeDown();

  std::size_t under_way() const { return flights_.size(); }

 private:
  struct Target {
    std::size_t slot = 0;
    bool waiting = false;
    // The probe under way; 0 for none.
    std::uint64_t probe_id = 0;
    // How often it is tried again soon after a failure, and when next.
    int retries = 0;
    TimerId retry_timer = 0;
  };
  struct Flight {
    std::string unit_id;
    std::string address;
    TimerId timer = 0;
  };
  using Targets = std::map<std::string, Target, std::less<>>;

  Target& Add(const std::string& unit_id);
  void Forget(Targets::iterator target);
  void Land(Target& target);
  void RetrySoon(const std::string& unit_id, Target& target);
  void Enqueue(const std::string& unit_id, Target& target, std::deque<std::string>& queue);
  // Sends what waits and may be sent.
  void Pump();
  // False if the edge does not take it now.
  bool Send(const std::string& unit_id, Target& target, const std::string& address);
  void Step();
  void Finish(std::uint64_t probe_id, const absl::Status& result);

  Executor& serial_;
  DeviceDirectory& directory_;
  EdgeSender& edges_;
  const std::function<void(const std::string&)> on_changed_;
  const DeviceProberOptions options_;

  bool linked_ = false;
  bool stepping_ = false;
  Targets targets_;
  // The devices by the step of the interval at which they are due.
  std::vector<std::set<std::string>> slots_;
  std::size_t present_slot_ = 0;
  std::size_t next_slot_ = 0;
  // Unit IDs; may name devices that are not waiting any more.
  std::deque<std::string> urgent_;
  std::deque<std::string> due_;
  std::map<std::uint64_t, Flight> flights_;
  std::uint64_t last_probe_id_ = 0;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DEVICE_PROBER_H_
