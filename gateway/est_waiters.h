// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment requests that were sent to the server and wait for their answers, by number. Used by
// EdgeServer, which carries both.
#ifndef FAIRLEAD_GATEWAY_EST_WAITERS_H_
#define FAIRLEAD_GATEWAY_EST_WAITERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

// Thread: any, also with the caller's locks held; Await as it says.
class EstWaiters {
 public:
  // A request's wait.
  class Waiter;

  // At most `max_pending` requests wait at once, each of them for `timeout`.
  EstWaiters(std::size_t max_pending, absl::Duration timeout);

  // A wait with a number of its own, for a request that is about to be sent. `executor` is that of
  // the coroutine that will Await it.
  // Errors: RESOURCE_EXHAUSTED too many requests wait.
  absl::StatusOr<std::shared_ptr<Waiter>> Add(const dataplane::net::any_io_executor& executor);

  static std::uint64_t RequestId(const Waiter& waiter);

  // Waits for the answer, once.
  // Errors: what FailAll said; DEADLINE_EXCEEDED no answer in time.
  // Thread: the executor that Add was given. Lifetime: this must outlive the coroutine.
  dataplane::net::awaitable<absl::StatusOr<v1::EstResponse>> Await(std::shared_ptr<Waiter> waiter);

  // Hands an answer to whom it is for. One that comes too late is dropped.
  void Answer(const v1::EstResponse& response);

  // Ends all waits with `why`.
  void FailAll(const absl::Status& why);

 private:
  const std::size_t max_pending_;
  const absl::Duration timeout_;
  absl::Mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<Waiter>> waiters_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EST_WAITERS_H_
