// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the queue of deadlines: order, setting earlier and later, disarming and going while armed
// or while others fire, and that nothing keeps an io_context busy when none is armed.
#include "dataplane/timer_queue.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "base/clock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

class Alarm final : public TimerEntry {
 public:
  Alarm(TimerQueue& queue, std::function<void()> on_timer)
      : TimerEntry(queue), on_timer_(std::move(on_timer)) {}

  using TimerEntry::ArmBy;
  using TimerEntry::armed;
  using TimerEntry::Disarm;

 private:
  void OnTimer() override { on_timer_(); }

  const std::function<void()> on_timer_;
};

class TimerQueueTest : public ::testing::Test {
 protected:
  static absl::Duration In(int milliseconds) {
    return SystemClock().Monotonic() + absl::Milliseconds(milliseconds);
  }

  net::io_context context_;
  TimerQueue& queue_ = TimerQueue::Of(context_.get_executor());
};

TEST_F(TimerQueueTest, FiresInOrderOfTime) {
  std::mt19937 random(1);
  std::vector<int> due(200);
  for (int& at : due) at = static_cast<int>(random() % 20);
  std::vector<int> fired;
  std::vector<std::unique_ptr<Alarm>> alarms;
  const absl::Duration start = SystemClock().Monotonic() + absl::Milliseconds(20);
  for (const int at : due) {
    alarms.push_back(std::make_unique<Alarm>(queue_, [&fired, at] { fired.push_back(at); }));
    alarms.back()->ArmBy(start + absl::Milliseconds(at));
  }
  // Some are set earlier, some go.
  for (int i = 0; i < 200; i += 7) {
    alarms[static_cast<std::size_t>(i)]->ArmBy(start - absl::Milliseconds(1));
  }
  for (int i = 3; i < 200; i += 11) alarms[static_cast<std::size_t>(i)].reset();

  context_.run();

  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(fired.size(), 200u - 18u);
  // Those that were set earlier come first, the rest in order.
  EXPECT_TRUE(std::is_sorted(fired.begin() + 29 - 3, fired.end()));
}

TEST_F(TimerQueueTest, LaterIsForNothingAndInfiniteDisarms) {
  int fired = 0;
  Alarm alarm(queue_, [&fired] { ++fired; });
  alarm.ArmBy(In(1));
  alarm.ArmBy(In(60'000));
  context_.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(alarm.armed());

  alarm.ArmBy(In(60'000));
  EXPECT_TRUE(alarm.armed());
  alarm.ArmBy(absl::InfiniteDuration());
  EXPECT_FALSE(alarm.armed());
  context_.restart();
  context_.run();
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerQueueTest, WhoFiresMayRearmHimselfAndEndOthers) {
  int fired = 0;
  std::unique_ptr<Alarm> other;
  Alarm* self = nullptr;
  Alarm alarm(queue_, [&] {
    other.reset();
    if (++fired < 3) self->ArmBy(In(1));
  });
  self = &alarm;
  other = std::make_unique<Alarm>(queue_, [&fired] { fired += 100; });
  other->ArmBy(In(2));
  alarm.ArmBy(In(-1));

  context_.run();

  EXPECT_EQ(fired, 3);
}

}  // namespace
}  // namespace fairlead::dataplane
