// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/io_threads.h"

#include <pthread.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

namespace fairlead::dataplane {
namespace {

std::size_t CountOrCores(int count) {
  if (count > 0) return static_cast<std::size_t>(count);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

net::io_context& ContextOf(const net::any_io_executor& executor) {
  return static_cast<net::io_context&>(net::query(executor, net::execution::context));
}

IoThreads::IoThreads(int count) {
  const std::size_t size = CountOrCores(count);
  for (std::size_t i = 0; i < size; ++i) {
    // The hint promises that one thread runs it, which spares wake-ups; others may still post.
    contexts_.push_back(std::make_unique<net::io_context>(1));
    guards_.push_back(net::make_work_guard(*contexts_.back()));
  }
  for (std::size_t i = 0; i < size; ++i) {
    net::io_context* context = contexts_[i].get();
    threads_.emplace_back([context] { context->run(); });
    const std::string name = "io-" + std::to_string(i);
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

IoThreads::~IoThreads() { Stop(); }

net::any_io_executor IoThreads::executor(std::size_t index) {
  return contexts_[index % contexts_.size()]->get_executor();
}

net::any_io_executor IoThreads::ExecutorFor(absl::string_view session_id) {
  return executor(std::hash<std::string_view>()({session_id.data(), session_id.size()}));
}

net::any_io_executor IoThreads::NextExecutor() {
  return executor(next_.fetch_add(1, std::memory_order_relaxed));
}

void IoThreads::Stop() {
  guards_.clear();
  for (const auto& context : contexts_) context->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace fairlead::dataplane
