// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The delays between attempts: their growth, bounds, spread and reset.
#include "device/backoff.h"

#include <set>

#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

void ExpectWithin(absl::Duration delay, absl::Duration most) {
  EXPECT_GE(delay, most / 2);
  EXPECT_LE(delay, most);
}

TEST(Backoff, GrowsFromAQuickRetryToAMinute) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff(seed);
    ExpectWithin(backoff.Next(absl::ZeroDuration()), absl::Milliseconds(250));
    for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
      ExpectWithin(backoff.Next(absl::ZeroDuration()), absl::Seconds(seconds));
    }
  }
}

TEST(Backoff, StartsAnewAfterAStableMinuteOnly) {
  Backoff backoff(1);
  for (int i = 0; i < 5; ++i) backoff.Next(absl::ZeroDuration());
  ExpectWithin(backoff.Next(absl::Seconds(59)), absl::Seconds(16));
  ExpectWithin(backoff.Next(absl::Seconds(60)), absl::Milliseconds(250));
  ExpectWithin(backoff.Next(absl::ZeroDuration()), absl::Seconds(1));
}

TEST(Backoff, DevicesDiffer) {
  std::set<absl::Duration> delays;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    delays.insert(Backoff(seed).Next(absl::ZeroDuration()));
  }
  EXPECT_GT(delays.size(), 990u);
}

}  // namespace
}  // namespace fairlead::device
