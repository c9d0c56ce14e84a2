// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How many devices may be connected to an edge at once, and who is about to be; refusals are
// counted, and logged without a flood. Sans-I/O; used by the device hub.
#ifndef FAIRLEAD_GATEWAY_DEVICE_LIMIT_H_
#define FAIRLEAD_GATEWAY_DEVICE_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/device_registry.h"

namespace fairlead::gateway {

// Thread: one at a time; the hub holds its lock.
class DeviceLimit {
 public:
  // `most` is the edge's own limit; `registry` says who is connected, and must outlive it.
  DeviceLimit(std::size_t most, const DeviceRegistry& registry)
      : most_(most), registry_(registry) {}

  // What the server wants; 0 for the edge's own limit alone.
  void Set(std::size_t max_devices) { max_devices_ = max_devices; }

  // Lets a device in whose hello is still to come, until NoLongerExpected. One that is connected,
  // or expected already, counts once. `now` is monotonic.
  // Errors: UNAVAILABLE the limit is reached, with a sentence for the device.
  absl::Status Expect(const std::string& unit_id, absl::Duration now);
  void NoLongerExpected(const std::string& unit_id);

  // Counts a refusal, and logs it as a warning unless that was done just now; the next line then
  // tells how many there were.
  void NoteRefusal(absl::string_view unit_id, absl::Duration now);
  std::uint64_t refused() const { return refused_; }

 private:
  bool IsFullFor(const std::string& unit_id) const;

  const std::size_t most_;
  const DeviceRegistry& registry_;
  std::size_t max_devices_ = 0;
  // How many connections of a device were let in whose hello is still to come.
  std::map<std::string, int> expected_;
  std::uint64_t refused_ = 0;
  std::uint64_t refused_before_line_ = 0;
  absl::Duration last_line_ = -absl::InfiniteDuration();
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_DEVICE_LIMIT_H_
