// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The token bucket of each user.
#include "control/rate_limiter.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

TEST(RateLimiter, AllowsAMinutesWorthAtOnceAndNoMore) {
  RateLimiter limiter(100);

  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(limiter.Take("a", absl::Seconds(1)), absl::ZeroDuration());
  const absl::Duration wait = limiter.Take("a", absl::Seconds(1));

  EXPECT_GT(wait, absl::ZeroDuration());
  EXPECT_LE(wait, absl::Milliseconds(600));
}

TEST(RateLimiter, WaitingAsLongAsItSaysIsEnough) {
  RateLimiter limiter(3);
  absl::Duration now = absl::Seconds(5);
  for (int i = 0; i < 3; ++i) limiter.Take("a", now);

  for (int i = 0; i < 10; ++i) {
    const absl::Duration wait = limiter.Take("a", now);
    EXPECT_GT(wait, absl::ZeroDuration());
    now += wait;
    EXPECT_EQ(limiter.Take("a", now), absl::ZeroDuration());
  }
}

TEST(RateLimiter, UsersDoNotShare) {
  RateLimiter limiter(1);

  EXPECT_EQ(limiter.Take("a", absl::ZeroDuration()), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("b", absl::ZeroDuration()), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", absl::ZeroDuration()), absl::ZeroDuration());
}

TEST(RateLimiter, ZeroIsOff) {
  RateLimiter limiter(0);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(limiter.Take("a", absl::ZeroDuration()), absl::ZeroDuration());
  }
}

TEST(RateLimiter, ForgetsUsersThatAreIdle) {
  RateLimiter limiter(10);
  for (int i = 0; i < 1000; ++i) limiter.Take(absl::StrCat("user", i), absl::Seconds(i % 10));

  limiter.Take("last", absl::Minutes(3));

  EXPECT_EQ(limiter.bucket_count(), 1u);
}

}  // namespace
}  // namespace fairlead::control
