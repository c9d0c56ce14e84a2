// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/token_bucket.h"

#include <algorithm>

namespace fairlead::gateway {

void TokenBucket::Refill(absl::Duration now) {
  if (now > filled_at_) {
    tokens_ = std::min(rate_.burst, tokens_ + absl::FDivDuration(now - filled_at_, rate_.refill));
    filled_at_ = now;
  }
}

absl::Duration TokenBucket::Take(absl::Duration now) {
  Refill(now);
  if (tokens_ < 1) return (1 - tokens_) * rate_.refill;
  tokens_ -= 1;
  return absl::ZeroDuration();
}

void TokenBucket::Return() { tokens_ = std::min(rate_.burst, tokens_ + 1); }

bool TokenBucket::IsFull(absl::Duration now) {
  Refill(now);
  return tokens_ >= rate_.burst;
}

absl::Duration KeyedTokenBuckets::Take(absl::string_view key, absl::Duration now) {
  const std::string name(key);
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_keys_) ForgetFull(now);
    if (buckets_.size() >= max_keys_) return overflow_.Take(now);
    found = buckets_.emplace(name, TokenBucket(rate_)).first;
  }
  return found->second.Take(now);
}

void KeyedTokenBuckets::Return(absl::string_view key) {
  const auto found = buckets_.find(std::string(key));
  (found == buckets_.end() ? overflow_ : found->second).Return();
}

void KeyedTokenBuckets::ForgetFull(absl::Duration now) {
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    it = it->second.IsFull(now) ? buckets_.erase(it) : std::next(it);
  }
}

}  // namespace fairlead::gateway
