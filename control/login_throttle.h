// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Slows down guessing: after some failures of one name from one address, each next try must wait
// longer. Other names and other addresses are never affected, so nobody can lock everybody out, and
// names that do not exist are treated alike. Used by log-in and by enrolment. No I/O.
#ifndef FAIRLEAD_CONTROL_LOGIN_THROTTLE_H_
#define FAIRLEAD_CONTROL_LOGIN_THROTTLE_H_

#include <cstddef>
#include <list>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace fairlead::control {

struct ThrottleOptions {
  // Failures that cost no waiting.
  int free_failures = 4;
  // The wait after the next one; it doubles with each further one.
  absl::Duration first_delay = absl::Seconds(1);
  absl::Duration max_delay = absl::Seconds(60);
  // Without a failure for this long, all is forgotten.
  absl::Duration forget_after = absl::Minutes(15);
  // Pairs of name and address remembered; beyond that the one that failed longest ago is forgotten.
  std::size_t max_entries = 10'000;
};

// The part of "192.0.2.1:4711" or "[2001:db8::1]:4711" that stands for one client: an IPv4 address,
// or the first half of an IPv6 address, since one host has the whole other half to choose from.
std::string ThrottleAddress(absl::string_view peer_address);

// Time is monotonic. Thread: any.
class LoginThrottle {
 public:
  explicit LoginThrottle(ThrottleOptions options = ThrottleOptions()) : options_(options) {}

  struct Verdict {
    // Zero: try now, and report the result. Else refuse, naming this wait.
    absl::Duration wait;
    // The first refusal of this wait: the one to audit.
    bool first_refusal = false;
  };

  // Asks for a try. A slowed-down name may have only one try in flight.
  Verdict Begin(absl::string_view name, absl::string_view peer_address, absl::Duration now);

  // Reports the result of a try that Begin allowed.
  void Failed(absl::string_view name, absl::string_view peer_address, absl::Duration now);
  void Succeeded(absl::string_view name, absl::string_view peer_address);

  std::size_t size() const;

 private:
  struct Entry {
    int failures = 0;
    absl::Duration last_failure;
    absl::Duration blocked_until;
    bool refusal_told = false;
    std::list<std::string>::iterator age;
  };

  absl::Duration DelayAfter(int failures) const;
  void Forget(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ThrottleOptions options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Keys of entries_, the one that failed longest ago first.
  std::list<std::string> by_age_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_LOGIN_THROTTLE_H_
