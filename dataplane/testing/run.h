// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Runs coroutines to their end in tests, on an io_context that the test owns, and joins sockets
// over the loopback interface.
#ifndef FAIRLEAD_DATAPLANE_TESTING_RUN_H_
#define FAIRLEAD_DATAPLANE_TESTING_RUN_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "dataplane/asio.h"

namespace fairlead::dataplane::testing {

// Runs the context until `done`; false if that takes a minute.
template <class Predicate>
[[nodiscard]] bool RunUntil(net::io_context& context, const Predicate& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    context.restart();
    // Not all that is waited for comes by way of the context.
    context.run_one_for(std::chrono::milliseconds(10));
  }
  return true;
}

// A coroutine that was started; its result once it ended.
template <class T>
class Task {
 public:
  Task(net::io_context& context, net::awaitable<T> work) : context_(context) {
    net::co_spawn(context, Store(std::move(work), result_), [](std::exception_ptr exception) {
      if (exception) std::terminate();
    });
  }

  bool done() const { return result_->has_value(); }

  // Runs the context until the coroutine ends; aborts the test if that takes a minute.
  T Get() {
    if (!RunUntil(context_, [this] { return done(); })) {
      std::fprintf(stderr, "a coroutine did not end within a minute\n");
      std::abort();
    }
    return *std::move(*result_);
  }

 private:
  static net::awaitable<void> Store(net::awaitable<T> work,
                                    std::shared_ptr<std::optional<T>> result) {
    result->emplace(co_await std::move(work));
  }

  net::io_context& context_;
  std::shared_ptr<std::optional<T>> result_ = std::make_shared<std::optional<T>>();
};

template <class T>
T Await(net::io_context& context, net::awaitable<T> work) {
  return Task<T>(context, std::move(work)).Get();
}

// Two connected sockets.
struct SocketPair {
  explicit SocketPair(net::io_context& context) : server(context), client(context) {
    const net::ip::tcp::endpoint any(net::ip::address_v4::loopback(), 0);
    net::ip::tcp::acceptor acceptor(context, any);
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
  }
  net::ip::tcp::socket server;
  net::ip::tcp::socket client;
};

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_RUN_H_
