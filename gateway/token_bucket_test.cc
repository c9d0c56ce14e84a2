// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Rate limits in virtual time.
#include "gateway/token_bucket.h"

#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

constexpr absl::Duration kStart = absl::Hours(1);

TEST(TokenBucket, GivesTheBurstThenTheRate) {
  TokenBucket bucket(Rate{3, absl::Seconds(1)});

  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(kStart), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(kStart), absl::Seconds(1));
  EXPECT_EQ(bucket.Take(kStart + absl::Milliseconds(250)), absl::Milliseconds(750));
  EXPECT_EQ(bucket.Take(kStart + absl::Seconds(1)), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(kStart + absl::Seconds(1)), absl::Seconds(1));
}

TEST(TokenBucket, NeverHoldsMoreThanTheBurst) {
  TokenBucket bucket(Rate{2, absl::Seconds(1)});
  EXPECT_EQ(bucket.Take(kStart), absl::ZeroDuration());

  const absl::Duration later = kStart + absl::Hours(24);
  EXPECT_TRUE(bucket.IsFull(later));
  EXPECT_EQ(bucket.Take(later), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(later), absl::ZeroDuration());
  EXPECT_GT(bucket.Take(later), absl::ZeroDuration());
}

TEST(TokenBucket, WhatIsReturnedMayBeTakenAgain) {
  TokenBucket bucket(Rate{1, absl::Seconds(1)});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bucket.Take(kStart), absl::ZeroDuration());
    bucket.Return();
  }
  // No more than the burst comes together.
  bucket.Return();
  EXPECT_EQ(bucket.Take(kStart), absl::ZeroDuration());
  EXPECT_GT(bucket.Take(kStart), absl::ZeroDuration());
}

TEST(KeyedTokenBuckets, ReturnsToTheBucketThatWasTakenFrom) {
  KeyedTokenBuckets buckets(Rate{1, absl::Seconds(1)}, 1);
  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.Take("shared", kStart), absl::ZeroDuration());

  buckets.Return("shared");
  EXPECT_EQ(buckets.Take("also shared", kStart), absl::ZeroDuration());
  EXPECT_GT(buckets.Take("a", kStart), absl::ZeroDuration());
  buckets.Return("a");
  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
}

TEST(KeyedTokenBuckets, KeysDoNotDisturbEachOther) {
  KeyedTokenBuckets buckets(Rate{1, absl::Seconds(1)}, 10);

  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_GT(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.Take("b", kStart), absl::ZeroDuration());
}

TEST(KeyedTokenBuckets, MemoryIsBoundedAndFullBucketsAreForgotten) {
  KeyedTokenBuckets buckets(Rate{1, absl::Seconds(1)}, 2);
  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.Take("b", kStart), absl::ZeroDuration());

  // No room: further keys share one bucket.
  EXPECT_EQ(buckets.Take("c", kStart), absl::ZeroDuration());
  EXPECT_GT(buckets.Take("d", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.size(), 2u);

  EXPECT_EQ(buckets.Take("e", kStart + absl::Seconds(2)), absl::ZeroDuration());
  EXPECT_EQ(buckets.size(), 1u);
}

}  // namespace
}  // namespace fairlead::gateway
