// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A bell for one coroutine: rung by callbacks and other coroutines, waited for with a limit. Used
// by TerminalSession, Terminals and UnifiedClient.
#ifndef FAIRLEAD_DEVICE_WAKE_H_
#define FAIRLEAD_DEVICE_WAKE_H_

#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "absl/time/time.h"
#include "dataplane/asio.h"

namespace fairlead::device {

// Thread: all methods on the executor's; at most one Wait at a time. Lifetime: must outlive it.
class Wake {
 public:
  explicit Wake(dataplane::net::any_io_executor executor) : timer_(std::move(executor)) {}

  // Ends the pending Wait, or the next one at once.
  void Notify() {
    notified_ = true;
    timer_.cancel();
  }

  // Returns after Notify, or after `limit`.
  dataplane::net::awaitable<void> Wait(absl::Duration limit) {
    if (!notified_ && limit > absl::ZeroDuration()) {
      timer_.expires_after(absl::ToChronoNanoseconds(limit));
      co_await timer_.async_wait(dataplane::kToken);
    }
    notified_ = false;
  }

 private:
  dataplane::net::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_WAKE_H_
