// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Rate limits: a token bucket, and one for each of many keys in bounded memory. Used by the device
// hub, enrolment and the audit of refusals. Sans-I/O: time is passed in.
#ifndef FAIRLEAD_GATEWAY_TOKEN_BUCKET_H_
#define FAIRLEAD_GATEWAY_TOKEN_BUCKET_H_

#include <cstddef>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fairlead::gateway {

// How fast something may happen.
struct Rate {
  // The most at once.
  double burst = 1;
  // How long one takes to come back.
  absl::Duration refill;
};

// Thread: one at a time.
class TokenBucket {
 public:
  explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

  // Takes one token at the monotonic time `now`: zero if there was one, else how long to wait for
  // the next (and none is taken).
  absl::Duration Take(absl::Duration now);

  // Gives a taken token back.
  void Return();

  // Whether nothing is missing at `now`.
  bool IsFull(absl::Duration now);

 private:
  void Refill(absl::Duration now);

  Rate rate_;
  double tokens_;
  absl::Duration filled_at_ = -absl::InfiniteDuration();
};

// A bucket for each key, at most `max_keys` of them; past that, new keys share one bucket.
// Thread: one at a time.
class KeyedTokenBuckets {
 public:
  KeyedTokenBuckets(Rate rate, std::size_t max_keys)
      : rate_(rate), max_keys_(max_keys), overflow_(rate) {}

  // As TokenBucket::Take, for `key`'s bucket.
  absl::Duration Take(absl::string_view key, absl::Duration now);

  // As TokenBucket::Return, to the bucket from which Take has taken.
  void Return(absl::string_view key);

  std::size_t size() const { return buckets_.size(); }

 private:
  void ForgetFull(absl::Duration now);

  const Rate rate_;
  const std::size_t max_keys_;
  std::map<std::string, TokenBucket> buckets_;
  TokenBucket overflow_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TOKEN_BUCKET_H_
