// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's side of an open terminal: standard input and output on one side, the tunnel on the
// other. Used by connect.
#ifndef FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_
#define FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "console/blocking_io.h"
#include "console/escape.h"
#include "console/tty.h"
#include "dataplane/asio.h"
#include "dataplane/websocket.h"
#include "terminal/console_end.h"

namespace fairlead::console {

// How a terminal ended for the person.
struct TerminalOutcome {
  // The program's exit code, 128 + the signal's number, or 255 when it is not known.
  int exit_code = 255;
  // A sentence for standard error; empty when the program just ended.
  std::string message;
};

// Whether standard input is a person's terminal (raw mode, escapes, sizes) or a script's.
enum class InputKind { kTerminal, kScript };

// Thread: `context`'s, which the caller runs. Lifetime: one terminal; must outlive Serve.
class TerminalClient {
 public:
  TerminalClient(dataplane::net::io_context& context, std::unique_ptr<dataplane::WebSocket> tunnel,
                 InputKind input_kind, int input, int output);

  // Serves until the terminal has ended and its output is written.
  dataplane::net::awaitable<TerminalOutcome> Serve();

 private:
  // The four directions, each a coroutine; the last one to end lets Serve go on.
  dataplane::net::awaitable<void> Receive();
  dataplane::net::awaitable<void> WriteOutput();
  dataplane::net::awaitable<void> ReadInput();
  dataplane::net::awaitable<void> Send();
  dataplane::net::awaitable<void> WatchSignals();
  dataplane::net::awaitable<void> Wait();
  void Start(dataplane::net::awaitable<void> direction);

  void OnText(absl::string_view text);
  void OnTyped(absl::string_view bytes);
  // Leaves without waiting for the device: hangs up.
  void Leave(std::string message);
  void Acknowledge();
  // Lets every waiting coroutine look at the state again.
  void Wake() { changed_.cancel(); }
  bool InputIsFull() const;
  TerminalOutcome Outcome() const;

  dataplane::net::io_context& context_;
  std::unique_ptr<dataplane::WebSocket> tunnel_;
  const InputKind input_kind_;
  BlockingIo io_;
  dataplane::net::signal_set signals_;
  // Never expires; cancelled to wake who waits.
  dataplane::net::steady_timer changed_;
  EscapeFilter escapes_;
  terminal::ConsoleEnd end_;

  // Who made a piece of output: only the device's is acknowledged.
  enum class Origin { kDevice, kConsole };
  struct Output {
    Origin origin;
    std::string bytes;
  };
  void Show(std::string bytes, Origin origin);

  // Received and not yet written.
  std::deque<Output> output_;
  std::size_t output_bytes_ = 0;
  // Typed and not yet sent.
  std::string input_;
  // Control frames to send before more input. At most one resize and one ack wait.
  std::string resize_;
  std::string ack_;

  int running_ = 0;
  // The tunnel is over.
  bool closed_ = false;
  // The person or a signal wants to leave.
  bool leaving_ = false;
  // A write to the tunnel is pending.
  bool sending_ = false;
  dataplane::CloseReason close_;
  std::string leave_message_;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_
