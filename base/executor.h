// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Executors: where work that must not run on an I/O or gRPC thread runs. Control's state lives on
// one serial executor (no locks); blocking store calls run on another. Tests use ManualExecutor.
#ifndef FAIRLEAD_BASE_EXECUTOR_H_
#define FAIRLEAD_BASE_EXECUTOR_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace fairlead {

using Task = absl::AnyInvocable<void()>;

// Names a delayed task so that it can be cancelled. 0 is never used.
using TimerId = std::uint64_t;

// Runs tasks in the order in which they were posted.
// Thread: all methods may be called from any thread, tasks included.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` soon. Returns false, and drops the task, when the executor is stopped or its queue
  // is full: the caller then answers RESOURCE_EXHAUSTED or UNAVAILABLE.
  virtual bool Post(Task task) = 0;

  // Runs `task` after `delay`, unless cancelled before.
  virtual TimerId PostAfter(absl::Duration delay, Task task) = 0;

  // Forgets a delayed task. A no-op if it ran, runs or was cancelled.
  virtual void Cancel(TimerId timer) = 0;
};

// One or more threads with one queue. With one thread it is serial: tasks never overlap.
class ThreadExecutor : public Executor {
 public:
  // `name` (at most 15 bytes) names the threads; at most `max_queued` tasks wait.
  ThreadExecutor(std::string name, int threads, std::size_t max_queued);
  // Stops.
  ~ThreadExecutor() override;

  bool Post(Task task) override;
  TimerId PostAfter(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // Runs what is queued, drops what is delayed, and joins the threads. Idempotent; not from a task.
  void Stop();

 private:
  // The steady clock, so that a jump of the wall clock neither fires nor delays anything.
  using Moment = std::chrono::steady_clock::time_point;
  using Due = std::pair<Moment, TimerId>;

  void Run();
  // Moves the delayed tasks that are due into the queue. Call with mutex_ held.
  void PromoteDue();

  const std::string name_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable wake_;
  std::deque<Task> queue_;
  std::map<Due, Task> delayed_;
  std::map<TimerId, Moment> due_;
  TimerId next_timer_ = 1;
  bool stopped_ = false;
  // Set by the constructor alone.
  std::vector<std::thread> threads_;
};

// An executor for tests: nothing runs until the test says so, and time is virtual.
// Thread: one.
class ManualExecutor : public Executor {
 public:
  bool Post(Task task) override;
  TimerId PostAfter(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // Runs what is queued, and what that queues, until nothing is left.
  void RunReady();
  // Moves time on, running each delayed task at its moment.
  void Advance(absl::Duration by);
  // Tasks that wait for time to pass.
  std::size_t delayed_count() const { return delayed_.size(); }

 private:
  std::deque<Task> queue_;
  std::map<std::pair<absl::Duration, TimerId>, Task> delayed_;
  absl::Duration now_ = absl::ZeroDuration();
  TimerId next_timer_ = 1;
};

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_EXECUTOR_H_
