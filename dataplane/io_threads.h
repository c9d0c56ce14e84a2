// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The I/O threads of a process: one io_context a thread, so that what lives on one needs no lock.
#ifndef FAIRLEAD_DATAPLANE_IO_THREADS_H_
#define FAIRLEAD_DATAPLANE_IO_THREADS_H_

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "dataplane/asio.h"

namespace fairlead::dataplane {

// The io_context behind an executor; in this project there is no other kind of context.
net::io_context& ContextOf(const net::any_io_executor& executor);

// Thread: any, after construction.
class IoThreads {
 public:
  // `count` of 0 means one a core.
  explicit IoThreads(int count);
  // Stops.
  ~IoThreads();

  std::size_t size() const { return contexts_.size(); }
  net::any_io_executor executor(std::size_t index);
  // The thread on which a session lives: chosen by hashing its identifier.
  net::any_io_executor ExecutorFor(absl::string_view session_id);
  // Spreads what has no key: round robin.
  net::any_io_executor NextExecutor();

  // Ends the loops, whatever is pending, and joins the threads. Idempotent.
  void Stop();

 private:
  using Guard = net::executor_work_guard<net::io_context::executor_type>;
  std::vector<std::unique_ptr<net::io_context>> contexts_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_IO_THREADS_H_
