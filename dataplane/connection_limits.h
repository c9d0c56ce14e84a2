// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Counts the connections that have not shown who they are, in all and per host, and refuses beyond
// the caps, so that nobody can exhaust the server before authentication. Used by the listener.
#ifndef FAIRLEAD_DATAPLANE_CONNECTION_LIMITS_H_
#define FAIRLEAD_DATAPLANE_CONNECTION_LIMITS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

// The counters. A host is whatever string the caller chooses; see LimitKey.
// Thread: any.
class ConnectionLimits {
 public:
  enum class Verdict { kAdmitted, kTooManyInAll, kTooManyFromHost };

  ConnectionLimits(std::size_t max_in_all, std::size_t max_per_host)
      : max_in_all_(max_in_all), max_per_host_(max_per_host) {}

  // Takes a place for `host` if both caps allow it; to be given back by Release, once.
  Verdict Admit(absl::string_view host);
  void Release(absl::string_view host);

  std::size_t in_all() const;
  std::size_t of_host(absl::string_view host) const;

 private:
  const std::size_t max_in_all_;
  const std::size_t max_per_host_;
  mutable absl::Mutex mutex_;
  std::size_t in_all_ ABSL_GUARDED_BY(mutex_) = 0;
  // Hosts with at least one place.
  absl::flat_hash_map<std::string, std::size_t> per_host_ ABSL_GUARDED_BY(mutex_);
};

// A place that Admit gave, given back when marked authenticated or destroyed.
class AdmittedConnection : public Admission {
 public:
  AdmittedConnection(std::shared_ptr<ConnectionLimits> limits, std::string host)
      : limits_(std::move(limits)), host_(std::move(host)) {}
  ~AdmittedConnection() override { Release(); }

  void MarkAuthenticated() override { Release(); }

 private:
  void Release();

  const std::shared_ptr<ConnectionLimits> limits_;
  const std::string host_;
  std::atomic<bool> released_{false};
};

// What connections from `host` (an address without port) are counted by: an IPv4 address itself,
// the /64 network of an IPv6 address, since one host commands all of it.
std::string LimitKey(absl::string_view host);

// Lets a warning through at most once in `interval` and counts those kept back.
// Thread: any.
class WarningGate {
 public:
  explicit WarningGate(absl::Duration interval) : interval_(interval) {}

  // True if the caller shall log now; then `suppressed` is how many were kept back since the last.
  // `now` is monotonic.
  bool Allow(absl::Duration now, std::size_t& suppressed);

 private:
  const absl::Duration interval_;
  absl::Mutex mutex_;
  absl::Duration next_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  std::size_t suppressed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_CONNECTION_LIMITS_H_
