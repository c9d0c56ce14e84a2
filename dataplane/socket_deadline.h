// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A deadline for what is done with a plain socket: ending is closing. Used while dialling.
#ifndef FAIRLEAD_DATAPLANE_SOCKET_DEADLINE_H_
#define FAIRLEAD_DATAPLANE_SOCKET_DEADLINE_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "dataplane/asio.h"

namespace fairlead::dataplane {

// Closes a socket at a moment, unless destroyed before.
// Thread: the socket's.
class SocketDeadline {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  SocketDeadline(const std::shared_ptr<net::ip::tcp::socket>& socket, Moment deadline)
      : timer_(socket->get_executor(), deadline) {
    timer_.async_wait([socket, over = over_](const error_code& error) {
      error_code ignored;
      if (!error && !*over) socket->close(ignored);
    });
  }
  // The timer's handler may be on its way already.
  ~SocketDeadline() { *over_ = true; }
  SocketDeadline(const SocketDeadline&) = delete;
  SocketDeadline& operator=(const SocketDeadline&) = delete;

 private:
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
  net::steady_timer timer_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SOCKET_DEADLINE_H_
