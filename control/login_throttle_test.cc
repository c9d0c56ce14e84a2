// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The throttle: growing waits for one name from one address, and for nobody else.
#include "control/login_throttle.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

constexpr char kAddress[] = "192.0.2.1:4711";

class LoginThrottleTest : public ::testing::Test {
 protected:
  // A try at `now_` that fails if it is allowed. Returns the wait.
  absl::Duration Fail(const std::string& name, const std::string& address = kAddress) {
    const absl::Duration wait = throttle_.Begin(name, address, now_).wait;
    if (wait == absl::ZeroDuration()) throttle_.Failed(name, address, now_);
    return wait;
  }

  LoginThrottle throttle_;
  absl::Duration now_ = absl::Hours(1);
};

TEST_F(LoginThrottleTest, WaitsGrowToAMinute) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Fail("a"), absl::ZeroDuration()) << i;
  std::string waits;
  for (int i = 0; i < 9; ++i) {
    const absl::Duration wait = Fail("a");
    waits += absl::FormatDuration(wait) + " ";
    now_ += wait;
    EXPECT_EQ(Fail("a"), absl::ZeroDuration());
  }
  EXPECT_EQ(waits, "1s 2s 4s 8s 16s 32s 1m 1m 1m ");
}

TEST_F(LoginThrottleTest, OtherNamesAndAddressesAreFree) {
  for (int i = 0; i < 20; ++i) Fail("a");

  EXPECT_GT(Fail("a", "192.0.2.1:9"), absl::ZeroDuration());
  EXPECT_EQ(Fail("b"), absl::ZeroDuration());
  EXPECT_EQ(Fail("a", "192.0.2.2:4711"), absl::ZeroDuration());
}

TEST_F(LoginThrottleTest, SuccessAndTimeForget) {
  for (int i = 0; i < 20; ++i) Fail("a");
  throttle_.Succeeded("a", kAddress);
  EXPECT_EQ(Fail("a"), absl::ZeroDuration());

  for (int i = 0; i < 20; ++i) Fail("a");
  now_ += absl::Minutes(15);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Fail("a"), absl::ZeroDuration());
}

TEST_F(LoginThrottleTest, OneTryAtATimeWhenSlowed) {
  for (int i = 0; i < 4; ++i) Fail("a");

  EXPECT_EQ(throttle_.Begin("a", kAddress, now_).wait, absl::ZeroDuration());
  EXPECT_GT(throttle_.Begin("a", kAddress, now_).wait, absl::ZeroDuration());
}

TEST_F(LoginThrottleTest, OnlyTheFirstRefusalOfAWaitIsMarked) {
  for (int i = 0; i < 5; ++i) Fail("a");

  EXPECT_TRUE(throttle_.Begin("a", kAddress, now_).first_refusal);
  EXPECT_FALSE(throttle_.Begin("a", kAddress, now_).first_refusal);
}

TEST_F(LoginThrottleTest, MemoryIsBounded) {
  for (int i = 0; i < 11'000; ++i) Fail(absl::StrCat("user", i));

  EXPECT_EQ(throttle_.size(), 10'000u);
}

TEST(ThrottleAddress, StandsForOneClient) {
  EXPECT_EQ(ThrottleAddress("192.0.2.1:4711"), "192.0.2.1");
  EXPECT_EQ(ThrottleAddress("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ThrottleAddress("[2001:db8::1]:1"), ThrottleAddress("[2001:db8::2:3]:2"));
  EXPECT_NE(ThrottleAddress("[2001:db8::1]:1"), ThrottleAddress("[2001:db8:0:1::1]:1"));
  EXPECT_NE(ThrottleAddress("[::ffff:192.0.2.1]:1"), ThrottleAddress("[::ffff:192.0.2.2]:1"));
  for (const char* odd : {"", "[", "[]", ":", "[::1", "]:"}) ThrottleAddress(odd);
}

}  // namespace
}  // namespace fairlead::control
