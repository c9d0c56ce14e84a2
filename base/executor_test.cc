// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the executors: order, bounds, delays, cancelling and stopping.
#include "base/executor.h"

#include <atomic>
#include <future>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead {
namespace {

using ::testing::ElementsAre;

TEST(ThreadExecutor, OneThreadKeepsTheOrder) {
  std::vector<int> seen;
  {
    ThreadExecutor executor("test", 1, 1000);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(executor.Post([&seen, i] { seen.push_back(i); }));
    executor.Stop();
  }

  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i);
}

TEST(ThreadExecutor, RefusesWhatItsQueueCannotHold) {
  ThreadExecutor executor("test", 1, 2);
  std::promise<void> running;
  std::promise<void> release;
  ASSERT_TRUE(executor.Post([&] {
    running.set_value();
    release.get_future().wait();
  }));
  running.get_future().wait();

  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_FALSE(executor.Post([] {}));
  release.set_value();
}

TEST(ThreadExecutor, RunsDelayedTasksInTheOrderOfTheirMoments) {
  ThreadExecutor executor("test", 1, 10);
  std::vector<int> seen;
  std::promise<void> done;
  executor.PostAfter(absl::Milliseconds(20), [&] {
    seen.push_back(2);
    done.set_value();
  });
  executor.PostAfter(absl::Milliseconds(1), [&] { seen.push_back(1); });
  done.get_future().wait();

  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(ThreadExecutor, CancelledTasksDoNotRunAndStopDropsDelayedOnes) {
  std::atomic<int> ran{0};
  ThreadExecutor executor("test", 1, 10);
  executor.Cancel(executor.PostAfter(absl::Milliseconds(1), [&] { ++ran; }));
  executor.PostAfter(absl::Hours(1), [&] { ++ran; });
  std::promise<void> later;
  executor.PostAfter(absl::Milliseconds(5), [&] { later.set_value(); });
  later.get_future().wait();
  executor.Stop();

  EXPECT_EQ(ran, 0);
  EXPECT_FALSE(executor.Post([&] { ++ran; }));
  executor.Cancel(12345);
}

TEST(ManualExecutor, TimeMovesOnlyByHand) {
  ManualExecutor executor;
  std::vector<int> seen;
  executor.PostAfter(absl::Seconds(2), [&] { seen.push_back(2); });
  executor.PostAfter(absl::Seconds(1), [&] {
    seen.push_back(1);
    executor.PostAfter(absl::Milliseconds(500), [&] { seen.push_back(15); });
  });
  executor.Post([&] { seen.push_back(0); });

  executor.RunReady();
  EXPECT_THAT(seen, ElementsAre(0));
  executor.Advance(absl::Seconds(3));
  EXPECT_THAT(seen, ElementsAre(0, 1, 15, 2));
  EXPECT_EQ(executor.delayed_count(), 0u);
}

}  // namespace
}  // namespace fairlead
