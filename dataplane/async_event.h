// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A flag that a coroutine can wait for: how one coroutine tells another that something happened.
// Used by the splice and by the gateway's adapters.
#ifndef FAIRLEAD_DATAPLANE_ASYNC_EVENT_H_
#define FAIRLEAD_DATAPLANE_ASYNC_EVENT_H_

#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "dataplane/asio.h"

namespace fairlead::dataplane {

// Thread: all methods on the executor's. Lifetime: must outlive a pending Wait.
class AsyncEvent {
 public:
  explicit AsyncEvent(net::any_io_executor executor)
      : timer_(std::move(executor), net::steady_timer::time_point::max()) {}

  bool is_set() const { return set_; }

  // Wakes every waiter, now and from now on.
  void Set() {
    set_ = true;
    timer_.cancel();
  }

  void Reset() { set_ = false; }

  net::awaitable<void> Wait() {
    while (!set_) co_await timer_.async_wait(kToken);
  }

 private:
  // Never expires; cancelling it is the signal.
  net::steady_timer timer_;
  bool set_ = false;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_ASYNC_EVENT_H_
