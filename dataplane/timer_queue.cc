// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/timer_queue.h"

#include <algorithm>

#include "base/clock.h"
#include "dataplane/io_threads.h"

namespace fairlead::dataplane {
namespace {

// The longest single wait: keeps the arithmetic of time points within its range.
constexpr absl::Duration kLongestWait = absl::Hours(24);

}  // namespace

net::execution_context::id TimerQueue::id;

TimerQueue& TimerQueue::Of(const net::any_io_executor& executor) {
  return net::use_service<TimerQueue>(ContextOf(executor));
}

TimerQueue::TimerQueue(net::execution_context& context)
    : net::execution_context::service(context), timer_(static_cast<net::io_context&>(context)) {}

void TimerEntry::ArmBy(absl::Duration at) {
  if (at == absl::InfiniteDuration()) return Disarm();
  if (armed()) {
    if (due_ <= at) return;
    due_ = at;
    queue_.Up(index_);
    queue_.Follow();
  } else {
    due_ = at;
    queue_.Insert(*this);
  }
}

void TimerEntry::Disarm() {
  if (armed()) queue_.Remove(*this);
}

void TimerQueue::Insert(TimerEntry& entry) {
  heap_.push_back(&entry);
  entry.index_ = heap_.size() - 1;
  Up(entry.index_);
  Follow();
}

void TimerQueue::Remove(TimerEntry& entry) {
  const std::size_t index = entry.index_;
  TimerEntry* const last = heap_.back();
  heap_.pop_back();
  entry.index_ = TimerEntry::kIdle;
  if (last != &entry) {
    Place(index, last);
    Up(index);
    Down(last->index_);
  }
  Follow();
}

void TimerQueue::Place(std::size_t index, TimerEntry* entry) {
  heap_[index] = entry;
  entry->index_ = index;
}

void TimerQueue::Up(std::size_t index) {
  TimerEntry* const entry = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->due_ <= entry->due_) break;
    Place(index, heap_[parent]);
    index = parent;
  }
  Place(index, entry);
}

void TimerQueue::Down(std::size_t index) {
  TimerEntry* const entry = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due_ < heap_[child]->due_) ++child;
    if (entry->due_ <= heap_[child]->due_) break;
    Place(index, heap_[child]);
    index = child;
  }
  Place(index, entry);
}

void TimerQueue::Follow() {
  // Without a timer the io_context is going; while entries fire, OnWake follows at the end.
  if (!timer_.has_value() || firing_) return;
  if (heap_.empty()) {
    if (armed_for_ != absl::InfiniteDuration()) timer_->cancel();
    armed_for_ = absl::InfiniteDuration();
    return;
  }
  const absl::Duration first = heap_.front()->due_;
  // Waking too early costs less than setting the timer anew each time that the first entry goes.
  if (armed_for_ <= first) return;
  armed_for_ = first;
  const absl::Duration wait =
      std::clamp(first - SystemClock().Monotonic(), absl::ZeroDuration(), kLongestWait);
  timer_->expires_after(absl::ToChronoNanoseconds(wait));
  timer_->async_wait([this](const error_code& error) {
    // Set anew or cancelled: whoever did so follows up.
    if (!error) OnWake();
  });
}

void TimerQueue::OnWake() {
  armed_for_ = absl::InfiniteDuration();
  const absl::Duration now = SystemClock().Monotonic();
  firing_ = true;
  while (!heap_.empty() && heap_.front()->due_ <= now) {
    TimerEntry& entry = *heap_.front();
    Remove(entry);
    entry.OnTimer();
  }
  firing_ = false;
  Follow();
}

}  // namespace fairlead::dataplane
