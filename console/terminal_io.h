// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What stands on the person's side of an open terminal: standard streams, or an outside client's
// connection. Used by the terminal client.
#ifndef FAIRLEAD_CONSOLE_TERMINAL_IO_H_
#define FAIRLEAD_CONSOLE_TERMINAL_IO_H_

#include <string>

#include "absl/strings/string_view.h"
#include "dataplane/asio.h"

namespace fairlead::console {

// Thread: one; at most one Read, one Write and one AwaitHangUp at a time.
class TerminalIo {
 public:
  virtual ~TerminalIo() = default;

  // Some bytes of input; empty at its end, on an error, and after Stop.
  virtual dataplane::net::awaitable<std::string> Read() = 0;

  // Writes all of `bytes`, which must stay alive; false on an error and after Stop.
  virtual dataplane::net::awaitable<bool> Write(absl::string_view bytes) = 0;

  // After the end of input: waits until nobody is left to read what is written, if that can be
  // known; false after Stop.
  virtual dataplane::net::awaitable<bool> AwaitHangUp() = 0;

  // Ends pending and later operations.
  virtual void Stop() = 0;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TERMINAL_IO_H_
