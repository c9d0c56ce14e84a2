// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Time as a parameter: what reads a clock takes a Clock, so that tests move time by hand. Used by
// every folder with deadlines.
#ifndef FAIRLEAD_BASE_CLOCK_H_
#define FAIRLEAD_BASE_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace fairlead {

// Source of both kinds of time.
// Thread: all methods may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall-clock time, for records and certificates; may jump.
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary moment; never goes back. For deadlines and intervals.
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clock. Lives for ever.
const Clock& SystemClock();

// A clock that tests move.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000)) : start_(start) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return start_ + elapsed_;
  }
  absl::Duration Monotonic() const override {
    absl::MutexLock lock(&mutex_);
    return elapsed_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mutex_);
    elapsed_ += by;
  }

 private:
  const absl::Time start_;
  mutable absl::Mutex mutex_;
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_CLOCK_H_
