// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Readiness of the relay's descriptors, a reactor an I/O thread: an epoll of its own whose
// descriptor Asio waits for. Asio's own waits cost a system call each time that a leg has been
// read; here a leg that is read again and again costs none. Used by legs over TLS.
#ifndef FAIRLEAD_DATAPLANE_LEG_REACTOR_H_
#define FAIRLEAD_DATAPLANE_LEG_REACTOR_H_

#include <sys/epoll.h>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/asio.h"

namespace fairlead::dataplane {

// Thread: the io_context's, which one thread runs; no method is for others.
class LegReactor : public net::execution_context::service {
 public:
  using key_type = LegReactor;
  static net::execution_context::id id;

  // Told of events, as long as they last. May remove itself and others.
  class Watched {
   public:
    // `events` as of epoll_wait.
    virtual void OnEvents(std::uint32_t events) = 0;

   protected:
    ~Watched() = default;
  };

  // The one of the io_context behind `executor`.
  static LegReactor& Of(const net::any_io_executor& executor);

  explicit LegReactor(net::execution_context& context);

  // Errors and hang-ups are told even if `events` is 0. False: the kernel has no room for it.
  bool Add(int descriptor, Watched& watched, std::uint32_t events);
  void Change(int descriptor, Watched& watched, std::uint32_t events);
  // Before the descriptor is closed: a child of this process may hold it open a while longer.
  void Remove(int descriptor, Watched& watched);

  std::size_t size() const { return size_; }

 private:
  ~LegReactor() override;
  void shutdown() override;

  void Wait();
  void Dispatch();

  std::optional<net::posix::stream_descriptor> epoll_;
  int epoll_descriptor_ = -1;
  std::size_t size_ = 0;
  bool waiting_ = false;
  // What epoll_wait gave and is still to be told.
  std::span<epoll_event> due_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_LEG_REACTOR_H_
