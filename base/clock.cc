// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See clock.h.
#include "base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace fairlead {
namespace {

class MachineClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock* const clock = new MachineClock;
  return *clock;
}

}  // namespace fairlead
