// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// All deadlines of an I/O thread behind one timer of Asio's: an entry costs its owner a few bytes
// and no allocation, and setting it later is for nothing as long as the owner looks again when it
// fires. Used by the relay's sessions and legs.
#ifndef FAIRLEAD_DATAPLANE_TIMER_QUEUE_H_
#define FAIRLEAD_DATAPLANE_TIMER_QUEUE_H_

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "dataplane/asio.h"

namespace fairlead::dataplane {

class TimerQueue;

// A deadline of whoever derives from it.
// Lifetime: may go while it is armed, on the queue's thread.
class TimerEntry {
 public:
  TimerEntry(const TimerEntry&) = delete;
  TimerEntry& operator=(const TimerEntry&) = delete;

 protected:
  explicit TimerEntry(TimerQueue& queue) : queue_(queue) {}
  ~TimerEntry() { Disarm(); }

  // Sees to it that OnTimer is called at `at`, a time of the queue's clock, or soon after. Does
  // nothing if it will be called earlier anyway: OnTimer is to look what is due. Infinite disarms.
  void ArmBy(absl::Duration at);
  void Disarm();
  bool armed() const { return index_ != kIdle; }

 private:
  friend class TimerQueue;
  static constexpr std::size_t kIdle = ~std::size_t{0};

  // The entry is disarmed before the call.
  virtual void OnTimer() = 0;

  TimerQueue& queue_;
  absl::Duration due_;
  std::size_t index_ = kIdle;
};

// Thread: the io_context's, which one thread runs; no method is for others. Time is
// SystemClock().Monotonic().
class TimerQueue : public net::execution_context::service {
 public:
  using key_type = TimerQueue;
  static net::execution_context::id id;

  // The one of the io_context behind `executor`.
  static TimerQueue& Of(const net::any_io_executor& executor);

  explicit TimerQueue(net::execution_context& context);

  std::size_t size() const { return heap_.size(); }

 private:
  friend class TimerEntry;

  void shutdown() override { timer_.reset(); }

  void Insert(TimerEntry& entry);
  void Remove(TimerEntry& entry);
  // A binary heap: the entry at `index` moves up or down to where it belongs.
  void Up(std::size_t index);
  void Down(std::size_t index);
  void Place(std::size_t index, TimerEntry* entry);

  // Sets Asio's timer for the first entry, or cancels it.
  void Follow();
  void OnWake();

  std::vector<TimerEntry*> heap_;
  std::optional<net::steady_timer> timer_;
  // When the timer will wake us; infinite if it is not set.
  absl::Duration armed_for_ = absl::InfiniteDuration();
  bool firing_ = false;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_TIMER_QUEUE_H_
