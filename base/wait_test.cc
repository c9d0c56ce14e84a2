// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Waiting for a limited time, while the wall clock is set.
#include "base/wait.h"

#include <thread>

#include "gtest/gtest.h"

namespace fairlead {
namespace {

// Each look at it is a millisecond later, and finds the wall clock set anew.
class SetClock : public Clock {
 public:
  explicit SetClock(absl::Duration step) : step_(step) {}

  absl::Time Now() const override { return absl::UnixEpoch() + step_ * ++looks_; }
  absl::Duration Monotonic() const override { return absl::Milliseconds(++looks_); }

 private:
  const absl::Duration step_;
  mutable int looks_ = 0;
};

TEST(WaitUntil, AWallClockThatIsSetForwardDoesNotCutTheTime) {
  const SetClock clock(absl::Hours(1));
  int asked = 0;

  EXPECT_TRUE(WaitUntil(
      clock, [&asked]() { return ++asked == 5; }, absl::Milliseconds(100)));

  EXPECT_EQ(asked, 5);
}

TEST(WaitUntil, AWallClockThatIsSetBackDoesNotStretchTheTime) {
  const SetClock clock(-absl::Hours(1));

  EXPECT_FALSE(WaitUntil(
      clock, []() { return false; }, absl::Milliseconds(10)));
}

TEST(WaitUntil, AsksOnceWithoutTime) {
  const SetClock clock(absl::ZeroDuration());

  EXPECT_TRUE(WaitUntil(
      clock, []() { return true; }, absl::ZeroDuration()));
  EXPECT_FALSE(WaitUntil(
      clock, []() { return false; }, absl::ZeroDuration()));
}

TEST(Event, IsSetOnceAndForAll) {
  Event event;
  EXPECT_FALSE(event.WaitFor(absl::ZeroDuration()));

  std::thread setter([&event]() { event.Set(); });

  EXPECT_TRUE(event.WaitFor(absl::Minutes(1)));
  EXPECT_TRUE(event.WaitFor(absl::ZeroDuration()));
  setter.join();
}

TEST(Event, CanBeWaitedForWithoutEnd) {
  Event asked;
  Event event;
  std::thread setter([&]() {
    EXPECT_TRUE(asked.WaitFor(absl::InfiniteDuration()));
    event.Set();
  });

  asked.Set();
  EXPECT_TRUE(event.WaitFor(absl::InfiniteDuration()));
  setter.join();
}

}  // namespace
}  // namespace fairlead
