// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See login_throttle.h.
#include "control/login_throttle.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kIpv6NetworkBytes = 8;

std::string KeyOf(absl::string_view name, absl::string_view peer_address) {
  return absl::StrCat(ThrottleAddress(peer_address), "\n", name);
}

}  // namespace

std::string ThrottleAddress(absl::string_view peer_address) {
  std::string host(peer_address);
  if (!host.empty() && host.front() == '[') {
    host = host.substr(1, host.find(']') - 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host.resize(host.find(':'));
  }
  in6_addr address;
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return host;
  const absl::string_view bytes(reinterpret_cast<const char*>(&address), sizeof(address));
  if (IN6_IS_ADDR_V4MAPPED(&address)) return absl::StrCat("4:", bytes.substr(12));
  return absl::BytesToHexString(bytes.substr(0, kIpv6NetworkBytes));
}

absl::Duration LoginThrottle::DelayAfter(int failures) const {
  absl::Duration delay = options_.first_delay;
  for (int i = options_.free_failures + 1; i < failures && delay < options_.max_delay; ++i) {
    delay *= 2;
  }
  return std::min(delay, options_.max_delay);
}

void LoginThrottle::Forget(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  by_age_.erase(found->second.age);
  entries_.erase(found);
}

LoginThrottle::Verdict LoginThrottle::Begin(absl::string_view name, absl::string_view peer_address,
                                            absl::Duration now) {
  const std::string key = KeyOf(name, peer_address);
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  Entry& entry = found->second;
  if (now - entry.last_failure >= options_.forget_after) {
    Forget(key);
    return {};
  }
  if (now >= entry.blocked_until) {
    // Until its result is known, this try counts as a failure for those beside it.
    if (entry.failures >= options_.free_failures) {
      entry.blocked_until = now + DelayAfter(entry.failures + 1);
      entry.refusal_told = true;
    }
    return {};
  }
  const bool first = !entry.refusal_told;
  entry.refusal_told = true;
  return {entry.blocked_until - now, first};
}

void LoginThrottle::Failed(absl::string_view name, absl::string_view peer_address,
                           absl::Duration now) {
  const std::string key = KeyOf(name, peer_address);
  const absl::MutexLock lock(&mutex_);
  const auto [found, inserted] = entries_.try_emplace(key);
  Entry& entry = found->second;
  if (inserted) {
    entry.age = by_age_.insert(by_age_.end(), key);
  } else {
    by_age_.splice(by_age_.end(), by_age_, entry.age);
  }
  ++entry.failures;
  entry.last_failure = now;
  if (entry.failures > options_.free_failures) {
    entry.blocked_until = now + DelayAfter(entry.failures);
    entry.refusal_told = false;
  }
  if (entries_.size() > options_.max_entries) Forget(std::string(by_age_.front()));
}

void LoginThrottle::Succeeded(absl::string_view name, absl::string_view peer_address) {
  const absl::MutexLock lock(&mutex_);
  Forget(KeyOf(name, peer_address));
}

std::size_t LoginThrottle::size() const {
  const absl::MutexLock lock(&mutex_);
  return entries_.size();
}

}  // namespace fairlead::control
