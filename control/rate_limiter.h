// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A token bucket for each user: how many sessions somebody may open in a minute. Used by the
// coordinator. No I/O; time is handed in.
#ifndef FAIRLEAD_CONTROL_RATE_LIMITER_H_
#define FAIRLEAD_CONTROL_RATE_LIMITER_H_

#include <cstddef>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fairlead::control {

// Thread: one at a time.
class RateLimiter {
 public:
  // Each user may do `per_minute` things at once and as many in each minute; 0 for any number.
  explicit RateLimiter(int per_minute) : per_minute_(per_minute) {}

  // Counts one thing. Zero if it is allowed, else how long to wait for the next; a refused thing
  // does not count. `now` is monotonic.
  absl::Duration Take(absl::string_view user, absl::Duration now);

  std::size_t bucket_count() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    absl::Duration filled;
  };

  void Fill(Bucket& bucket, absl::Duration now) const;
  // Forgets full buckets: a new one is full as well.
  void Sweep(absl::Duration now);

  const int per_minute_;
  std::map<std::string, Bucket> buckets_;
  absl::Duration next_sweep_ = absl::ZeroDuration();
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_RATE_LIMITER_H_
