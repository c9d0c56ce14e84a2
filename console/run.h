// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Runs a coroutine of the data plane from the console's plain commands.
#ifndef FAIRLEAD_CONSOLE_RUN_H_
#define FAIRLEAD_CONSOLE_RUN_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <utility>

#include "dataplane/asio.h"

namespace fairlead::console {

// Runs `task`, which has a deadline of its own, to its end on this thread and returns its result.
template <typename T>
T Run(dataplane::net::awaitable<T> task) {
  dataplane::net::io_context context(1);
  std::future<T> result =
      dataplane::net::co_spawn(context, std::move(task), dataplane::net::use_future);
  context.run();
  return result.get();
}

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_RUN_H_
