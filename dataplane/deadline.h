// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A deadline for what a coroutine waits for: ending is closing, and what is closed when time is up
// is the caller's to say. Used for handshakes, HTTP requests, dialling and probes.
#ifndef FAIRLEAD_DATAPLANE_DEADLINE_H_
#define FAIRLEAD_DATAPLANE_DEADLINE_H_

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "dataplane/asio.h"

namespace fairlead::dataplane {

// Calls `on_passed` when time is up, unless destroyed before.
// Thread: the executor's. Lifetime: what `on_passed` touches must outlive it.
class Deadline {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  Deadline(const net::any_io_executor& executor, Moment moment, std::function<void()> on_passed)
      : timer_(executor, moment) {
    Start(std::move(on_passed));
  }
  Deadline(const net::any_io_executor& executor, absl::Duration timeout,
           std::function<void()> on_passed)
      : timer_(executor, absl::ToChronoNanoseconds(timeout)) {
    Start(std::move(on_passed));
  }
  // The timer's handler may be on its way already.
  ~Deadline() { state_->over = true; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Whether the time is up.
  bool passed() const { return state_->passed; }

 private:
  struct State {
    bool over = false;
    bool passed = false;
  };

  void Start(std::function<void()> on_passed) {
    timer_.async_wait([state = state_, act = std::move(on_passed)](const error_code& error) {
      if (error || state->over) return;
      state->passed = true;
      act();
    });
  }

  const std::shared_ptr<State> state_ = std::make_shared<State>();
  net::steady_timer timer_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_DEADLINE_H_
