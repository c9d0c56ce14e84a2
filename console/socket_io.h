// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An outside client's TCP connection as the person's side of a terminal. Used by listen.
#ifndef FAIRLEAD_CONSOLE_SOCKET_IO_H_
#define FAIRLEAD_CONSOLE_SOCKET_IO_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "console/terminal_io.h"
#include "dataplane/asio.h"

namespace fairlead::console {

// Thread: that of the socket's executor. Lifetime: destroy only when no operation is pending.
class SocketIo : public TerminalIo {
 public:
  explicit SocketIo(dataplane::net::ip::tcp::socket socket);

  dataplane::net::awaitable<std::string> Read() override;
  dataplane::net::awaitable<bool> Write(absl::string_view bytes) override;
  // A client that only ended its sending (nc -N) still listens, and may for long. That one is gone
  // altogether shows at once if it ran on this host, otherwise when it answers a keepalive probe
  // with a reset, or does not answer at all.
  dataplane::net::awaitable<bool> AwaitHangUp() override;
  void Stop() override;

  // After Stop: tells the client that nothing follows and waits for its end, so that all that was
  // written reaches it, but not longer than `timeout`. Then closes.
  dataplane::net::awaitable<void> Finish(absl::Duration timeout);

 private:
  dataplane::net::ip::tcp::socket socket_;
  // Paces AwaitHangUp.
  dataplane::net::steady_timer pause_;
  bool stopped_ = false;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_SOCKET_IO_H_
