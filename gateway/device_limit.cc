// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/device_limit.h"

#include <algorithm>

#include "base/log.h"

namespace fairlead::gateway {
namespace {

// A refusal is logged at most this often.
constexpr absl::Duration kLinePeriod = absl::Seconds(10);

}  // namespace

bool DeviceLimit::IsFullFor(const std::string& unit_id) const {
  const std::size_t limit = max_devices_ == 0 ? most_ : std::min(max_devices_, most_);
  if (registry_.size() + expected_.size() < limit) return false;
  if (registry_.Find(unit_id).has_value() || expected_.count(unit_id) > 0) return false;
  // Exactly: a device that is connected and expected anew counts once.
  std::size_t devices = registry_.size();
  for (const auto& [other, connections] : expected_) {
    if (!registry_.Find(other).has_value()) ++devices;
  }
  return devices >= limit;
}

absl::Status DeviceLimit::Expect(const std::string& unit_id, absl::Duration now) {
  if (IsFullFor(unit_id)) {
    NoteRefusal(unit_id, now);
    return absl::UnavailableError(
        "As many devices are connected here as may be. Connect elsewhere, or again later.");
  }
  ++expected_[unit_id];
  return absl::OkStatus();
}

void DeviceLimit::NoLongerExpected(const std::string& unit_id) {
  const auto found = expected_.find(unit_id);
  if (found != expected_.end() && --found->second == 0) expected_.erase(found);
}

void DeviceLimit::NoteRefusal(absl::string_view unit_id, absl::Duration now) {
  ++refused_;
  if (now - last_line_ < kLinePeriod) return;
  spdlog::warn(
      "device {} refused: {} devices are connected, and no more may be; {} refused since "
      "the last such line",
      std::string(unit_id), registry_.size(), refused_ - refused_before_line_);
  last_line_ = now;
  refused_before_line_ = refused_;
}

}  // namespace fairlead::gateway
