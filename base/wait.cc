// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See wait.h.
#include "base/wait.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace fairlead {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(2);
// As good as without end, and still a moment of the steady clock.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

}  // namespace

void Event::Set() {
  const std::lock_guard<std::mutex> lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Event::WaitFor(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto at_most = absl::ToChronoNanoseconds(std::min(timeout, kLongest));
  return changed_.wait_for(lock, at_most, [this]() { return set_; });
}

bool WaitUntil(const Clock& clock, absl::FunctionRef<bool()> done, absl::Duration timeout) {
  const absl::Duration deadline = clock.Monotonic() + timeout;
  while (!done()) {
    if (clock.Monotonic() >= deadline) return false;
    absl::SleepFor(kPoll);
  }
  return true;
}

}  // namespace fairlead
