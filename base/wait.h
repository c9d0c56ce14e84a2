// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How a thread waits for something for a limited time, by the steady clock: a wall clock that is
// set meanwhile neither cuts nor stretches the time. (Abseil's timeouts become moments of the wall
// clock.) Used where programs stop.
#ifndef FAIRLEAD_BASE_WAIT_H_
#define FAIRLEAD_BASE_WAIT_H_

#include <condition_variable>
#include <mutex>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace fairlead {

// Something that happens once.
// Thread: any.
class Event {
 public:
  // It has happened. Any further call changes nothing.
  void Set();

  // Waits until it has happened, at most `timeout`. Returns whether it has.
  bool WaitFor(absl::Duration timeout);

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;
  bool set_ = false;
};

// Waits until `done` holds, which it asks again and again, at most `timeout`. Returns whether it
// does.
bool WaitUntil(const Clock& clock, absl::FunctionRef<bool()> done, absl::Duration timeout);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_WAIT_H_
