// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See rate_limiter.h.
#include "control/rate_limiter.h"

#include <algorithm>

namespace fairlead::control {
namespace {

// A bucket is full again after one minute, so sweeping as often bounds the map by the users of the
// last two minutes.
constexpr absl::Duration kSweepEvery = absl::Minutes(1);
// Rounding of sums of fractions must not refuse the last token.
constexpr double kTolerance = 1e-6;

}  // namespace

absl::Duration RateLimiter::Take(absl::string_view user, absl::Duration now) {
  if (per_minute_ <= 0) return absl::ZeroDuration();
  if (now >= next_sweep_) Sweep(now);
  auto [entry, added] =
      buckets_.try_emplace(std::string(user), Bucket{static_cast<double>(per_minute_), now});
  Bucket& bucket = entry->second;
  Fill(bucket, now);
  if (bucket.tokens + kTolerance < 1.0) {
    return absl::Minutes(1) * ((1.0 - bucket.tokens) / per_minute_);
  }
  bucket.tokens -= 1.0;
  return absl::ZeroDuration();
}

void RateLimiter::Fill(Bucket& bucket, absl::Duration now) const {
  const double minutes = absl::FDivDuration(now - bucket.filled, absl::Minutes(1));
  bucket.tokens = std::min<double>(per_minute_, bucket.tokens + minutes * per_minute_);
  bucket.filled = now;
}

void RateLimiter::Sweep(absl::Duration now) {
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    Fill(it->second, now);
    it = it->second.tokens + kTolerance >= per_minute_ ? buckets_.erase(it) : std::next(it);
  }
  next_sweep_ = now + kSweepEvery;
}

}  // namespace fairlead::control
