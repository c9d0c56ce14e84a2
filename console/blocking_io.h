// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Standard input and output for coroutines. They may be terminals, pipes or files, which no single
// asynchronous interface serves, so each has a thread of its own for its blocking calls. Used by
// the terminal client.
#ifndef FAIRLEAD_CONSOLE_BLOCKING_IO_H_
#define FAIRLEAD_CONSOLE_BLOCKING_IO_H_

#include <boost/asio/thread_pool.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "console/terminal_io.h"
#include "dataplane/asio.h"

namespace fairlead::console {

// Thread: Read and Write from one thread, one of each at a time; Stop from any. Lifetime: the
// descriptors stay the caller's; destroy only when no operation is pending.
class BlockingIo : public TerminalIo {
 public:
  BlockingIo(int input, int output);
  ~BlockingIo() override;
  BlockingIo(const BlockingIo&) = delete;
  BlockingIo& operator=(const BlockingIo&) = delete;

  dataplane::net::awaitable<std::string> Read() override;
  dataplane::net::awaitable<bool> Write(absl::string_view bytes) override;
  // Never knows.
  dataplane::net::awaitable<bool> AwaitHangUp() override;
  void Stop() override;

 private:
  // Waits until `fd` is ready for `events`; false after Stop.
  bool AwaitReady(int fd, short events) const;
  dataplane::net::awaitable<std::string> ReadOnThread();
  dataplane::net::awaitable<bool> WriteOnThread(absl::string_view bytes);

  const int input_;
  const int output_;
  // Readable once stopped.
  const int stop_;
  dataplane::net::thread_pool reader_{1};
  dataplane::net::thread_pool writer_{1};
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_BLOCKING_IO_H_
