// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See connection_limits.h.
#include "dataplane/connection_limits.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fairlead::dataplane {

ConnectionLimits::Verdict ConnectionLimits::Admit(absl::string_view host) {
  absl::MutexLock lock(&mutex_);
  if (in_all_ >= max_in_all_) return Verdict::kTooManyInAll;
  std::size_t& of_host = per_host_[std::string(host)];
  if (of_host >= max_per_host_) {
    if (of_host == 0) per_host_.erase(std::string(host));
    return Verdict::kTooManyFromHost;
  }
  ++of_host;
  ++in_all_;
  return Verdict::kAdmitted;
}

void ConnectionLimits::Release(absl::string_view host) {
  absl::MutexLock lock(&mutex_);
  const auto found = per_host_.find(std::string(host));
  if (found == per_host_.end()) return;
  --in_all_;
  if (--found->second == 0) per_host_.erase(found);
}

std::size_t ConnectionLimits::in_all() const {
  absl::MutexLock lock(&mutex_);
  return in_all_;
}

std::size_t ConnectionLimits::of_host(absl::string_view host) const {
  absl::MutexLock lock(&mutex_);
  const auto found = per_host_.find(std::string(host));
  return found == per_host_.end() ? 0 : found->second;
}

void AdmittedConnection::Release() {
  if (!released_.exchange(true)) limits_->Release(host_);
}

std::string LimitKey(absl::string_view host) {
  in6_addr address;
  const std::string text(host.substr(0, host.find('%')));
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  std::fill(address.s6_addr + 8, address.s6_addr + 16, 0);
  char network[INET6_ADDRSTRLEN];
  return absl::StrCat(inet_ntop(AF_INET6, &address, network, sizeof(network)), "/64");
}

bool WarningGate::Allow(absl::Duration now, std::size_t& suppressed) {
  absl::MutexLock lock(&mutex_);
  if (now < next_) {
    ++suppressed_;
    return false;
  }
  next_ = now + interval_;
  suppressed = suppressed_;
  suppressed_ = 0;
  return true;
}

}  // namespace fairlead::dataplane
