// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Runs coroutines of the data plane from a test's plain functions, under a deadline.
#ifndef FAIRLEAD_TESTS_SUPPORT_BLOCKING_H_
#define FAIRLEAD_TESTS_SUPPORT_BLOCKING_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "dataplane/asio.h"
#include "dataplane/io_threads.h"

namespace fairlead::tests {

// The thread on which the tests' own connections live.
inline dataplane::IoThreads& TestThreads() {
  static auto* threads = new dataplane::IoThreads(1);
  return *threads;
}

// The longest that any single step of a test may take before the test is ended as hung.
inline constexpr std::chrono::seconds kStepLimit{120};

// Runs `task` to its end and returns its result; ends the program if it hangs.
template <typename T>
T Block(dataplane::net::awaitable<T> task) {
  std::future<T> result = dataplane::net::co_spawn(TestThreads().executor(0), std::move(task),
                                                   dataplane::net::use_future);
  if (result.wait_for(kStepLimit) != std::future_status::ready) {
    std::fprintf(stderr, "a step of the test hangs\n");
    std::abort();
  }
  return result.get();
}

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_BLOCKING_H_
