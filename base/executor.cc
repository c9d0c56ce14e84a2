// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See executor.h.
#include "base/executor.h"

#include <pthread.h>

namespace fairlead {

ThreadExecutor::ThreadExecutor(std::string name, int threads, std::size_t max_queued)
    : name_(name.substr(0, 15)), max_queued_(max_queued) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back(&ThreadExecutor::Run, this);
}

ThreadExecutor::~ThreadExecutor() { Stop(); }

bool ThreadExecutor::Post(Task task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_ || queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

TimerId ThreadExecutor::PostAfter(absl::Duration delay, Task task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const TimerId timer = next_timer_++;
  if (stopped_) return timer;
  const Moment due = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(delay);
  delayed_.emplace(Due(due, timer), std::move(task));
  due_.emplace(timer, due);
  wake_.notify_one();
  return timer;
}

void ThreadExecutor::Cancel(TimerId timer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = due_.find(timer);
  if (found == due_.end()) return;
  delayed_.erase(Due(found->second, timer));
  due_.erase(found);
}

void ThreadExecutor::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    delayed_.clear();
    due_.clear();
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadExecutor::PromoteDue() {
  const Moment now = std::chrono::steady_clock::now();
  while (!delayed_.empty() && delayed_.begin()->first.first <= now) {
    due_.erase(delayed_.begin()->first.second);
    queue_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

void ThreadExecutor::Run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    PromoteDue();
    if (!queue_.empty()) {
      Task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    } else if (stopped_) {
      return;
    } else if (delayed_.empty()) {
      wake_.wait(lock);
    } else {
      // A copy: wait_until reads its argument again after waking, when the entry may be gone.
      const Moment due = delayed_.begin()->first.first;
      wake_.wait_until(lock, due);
    }
  }
}

bool ManualExecutor::Post(Task task) {
  queue_.push_back(std::move(task));
  return true;
}

TimerId ManualExecutor::PostAfter(absl::Duration delay, Task task) {
  const TimerId timer = next_timer_++;
  delayed_.emplace(std::make_pair(now_ + delay, timer), std::move(task));
  return timer;
}

void ManualExecutor::Cancel(TimerId timer) {
  for (auto it = delayed_.begin(); it != delayed_.end(); ++it) {
    if (it->first.second == timer) {
      delayed_.erase(it);
      return;
    }
  }
}

void ManualExecutor::RunReady() {
  while (!queue_.empty()) {
    Task task = std::move(queue_.front());
    queue_.pop_front();
    task();
  }
}

void ManualExecutor::Advance(absl::Duration by) {
  const absl::Duration end = now_ + by;
  RunReady();
  while (!delayed_.empty() && delayed_.begin()->first.first <= end) {
    now_ = delayed_.begin()->first.first;
    Task task = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    task();
    RunReady();
  }
  now_ = end;
}

}  // namespace fairlead
