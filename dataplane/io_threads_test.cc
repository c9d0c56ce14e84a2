// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers which thread work lands on, and that stopping ends it.
#include "dataplane/io_threads.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <memory>
#include <set>
#include <thread>

#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

std::thread::id ThreadOf(const net::any_io_executor& executor) {
  std::promise<std::thread::id> promise;
  net::post(executor, [&promise] { promise.set_value(std::this_thread::get_id()); });
  return promise.get_future().get();
}

TEST(IoThreads, HasAThreadForEachExecutor) {
  IoThreads threads(3);
  std::set<std::thread::id> ids;

  for (std::size_t i = 0; i < threads.size(); ++i) ids.insert(ThreadOf(threads.executor(i)));

  EXPECT_EQ(threads.size(), 3u);
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids.count(std::this_thread::get_id()), 0u);
}

TEST(IoThreads, HasAtLeastOneThreadByDefault) {
  IoThreads threads(0);

  EXPECT_GE(threads.size(), 1u);
}

TEST(IoThreads, KeepsASessionOnOneThread) {
  IoThreads threads(4);

  EXPECT_EQ(threads.ExecutorFor("s-1"), threads.ExecutorFor("s-1"));
}

TEST(IoThreads, SpreadsSessions) {
  IoThreads threads(4);
  std::set<std::thread::id> ids;

  for (int i = 0; i < 64; ++i) {
    ids.insert(ThreadOf(threads.ExecutorFor("session-" + std::to_string(i))));
  }

  EXPECT_EQ(ids.size(), 4u);
}

TEST(IoThreads, GoesRoundByTurns) {
  IoThreads threads(2);

  const net::any_io_executor first = threads.NextExecutor();
  const net::any_io_executor second = threads.NextExecutor();

  EXPECT_NE(first, second);
  EXPECT_EQ(first, threads.NextExecutor());
}

TEST(IoThreads, StopsWhateverIsPending) {
  IoThreads threads(2);
  auto timer = std::make_unique<net::steady_timer>(threads.executor(0), std::chrono::hours(1));
  timer->async_wait([](const error_code&) {});

  threads.Stop();
  threads.Stop();
  timer.reset();
}

}  // namespace
}  // namespace fairlead::dataplane
