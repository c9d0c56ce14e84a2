// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How long to wait before the next attempt: exponential, jittered, bounded. Used for enrolment and
// for the standing connection. Sans-I/O.
#ifndef FAIRLEAD_DEVICE_BACKOFF_H_
#define FAIRLEAD_DEVICE_BACKOFF_H_

#include <cstdint>

#include "absl/time/time.h"

namespace fairlead::device {

struct BackoffOptions {
  // The first retry after a connection that was good comes within this.
  absl::Duration quick = absl::Milliseconds(250);
  absl::Duration first = absl::Seconds(1);
  absl::Duration most = absl::Seconds(60);
  // A connection that lasted this long counts as good: the next failure starts anew.
  absl::Duration stable = absl::Minutes(1);
};

// Delays are spread evenly over the upper half of 1, 2, 4 … 60 s, so that a fleet that lost its
// server does not come back at one moment.
// Thread: one.
class Backoff {
 public:
  // `seed` differs from device to device.
  explicit Backoff(std::uint64_t seed, BackoffOptions options = BackoffOptions());

  // After an attempt that lasted `connected` (zero if it never got through): the delay before the
  // next one.
  absl::Duration Next(absl::Duration connected);

 private:
  absl::Duration Jitter(absl::Duration most);

  const BackoffOptions options_;
  std::uint64_t random_;
  // Zero: the next retry is the quick one.
  absl::Duration step_ = absl::ZeroDuration();
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_BACKOFF_H_
