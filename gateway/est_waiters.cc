// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/est_waiters.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "absl/types/optional.h"

namespace fairlead::gateway {

namespace net = dataplane::net;
using dataplane::kToken;

class EstWaiters::Waiter {
 public:
  Waiter(std::uint64_t request_id, const net::any_io_executor& executor)
      : id(request_id), timer(executor) {}

  const std::uint64_t id;
  // Both on the timer's executor.
  net::steady_timer timer;
  absl::optional<absl::StatusOr<v1::EstResponse>> result;
};

namespace {

template <class Waiter>
void Wake(const std::shared_ptr<Waiter>& waiter, absl::StatusOr<v1::EstResponse> result) {
  net::post(waiter->timer.get_executor(), [waiter, result = std::move(result)]() mutable {
    if (!waiter->result.has_value()) waiter->result = std::move(result);
    waiter->timer.cancel();
  });
}

}  // namespace

EstWaiters::EstWaiters(std::size_t max_pending, absl::Duration timeout)
    : max_pending_(max_pending), timeout_(timeout) {}

absl::StatusOr<std::shared_ptr<EstWaiters::Waiter>> EstWaiters::Add(
    const net::any_io_executor& executor) {
  absl::MutexLock lock(&mutex_);
  if (waiters_.size() >= max_pending_) {
    return absl::ResourceExhaustedError(
        "Too many enrolments wait for the server. Try again in a few seconds.");
  }
  const std::uint64_t id = ++last_id_;
  return waiters_[id] = std::make_shared<Waiter>(id, executor);
}

std::uint64_t EstWaiters::RequestId(const Waiter& waiter) { return waiter.id; }

net::awaitable<absl::StatusOr<v1::EstResponse>> EstWaiters::Await(std::shared_ptr<Waiter> waiter) {
  waiter->timer.expires_after(absl::ToChronoNanoseconds(timeout_));
  // What wakes is posted to this very executor, so that it cannot come between these two.
  if (!waiter->result.has_value()) co_await waiter->timer.async_wait(kToken);
  if (waiter->result.has_value()) co_return std::move(*waiter->result);
  absl::MutexLock lock(&mutex_);
  waiters_.erase(waiter->id);
  co_return absl::DeadlineExceededError("The server did not answer in time. Try again.");
}

void EstWaiters::Answer(const v1::EstResponse& response) {
  std::shared_ptr<Waiter> waiter;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = waiters_.find(response.request_id());
    if (found == waiters_.end()) return;
    waiter = found->second;
    waiters_.erase(found);
  }
  Wake(waiter, response);
}

void EstWaiters::FailAll(const absl::Status& why) {
  std::map<std::uint64_t, std::shared_ptr<Waiter>> orphans;
  {
    absl::MutexLock lock(&mutex_);
    orphans.swap(waiters_);
  }
  for (const auto& [id, waiter] : orphans) Wake(waiter, why);
}

}  // namespace fairlead::gateway
