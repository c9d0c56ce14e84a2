// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/backoff.h"

#include <algorithm>

namespace fairlead::device {

Backoff::Backoff(std::uint64_t seed, BackoffOptions options) : options_(options), random_(seed) {}

absl::Duration Backoff::Next(absl::Duration connected) {
  if (connected >= options_.stable) step_ = absl::ZeroDuration();
  if (step_ == absl::ZeroDuration()) {
    step_ = options_.first;
    return Jitter(options_.quick);
  }
  const absl::Duration delay = Jitter(step_);
  step_ = std::min(2 * step_, options_.most);
  return delay;
}

absl::Duration Backoff::Jitter(absl::Duration most) {
  // splitmix64 (Steele, Lea, Flood 2014): even, small and reproducible.
  random_ += 0x9E3779B97F4A7C15;
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  const double share = static_cast<double>(z >> 11) / static_cast<double>(1ull << 53);
  return most / 2 + share * (most / 2);
}

}  // namespace fairlead::device
