// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's side of an open terminal: a person, a script or an outside client on one side, the
// tunnel on the other. Used by connect and listen.
#ifndef FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_
#define FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "console/escape.h"
#include "console/terminal_io.h"
#include "console/terminal_outcome.h"
#include "dataplane/asio.h"
#include "dataplane/websocket.h"
#include "terminal/console_end.h"
#include "terminal/telnet_client.h"

namespace fairlead::console {

// Who types.
enum class InputKind {
  // A person: raw mode, escapes, sizes.
  kTerminal,
  // A script, at whose end the device is told the end of transmission, after the end of its last
  // line.
  kScript,
  // An outside client with a protocol of its own: bytes are passed on untouched, and the end of
  // its input is no end of the terminal.
  kClient,
};

// What the tunnel carries (v1::Session::Stream).
enum class StreamKind { kPty, kTelnet };

struct TerminalOptions {
  InputKind input = InputKind::kScript;
  StreamKind stream = StreamKind::kPty;
  // What a Telnet device is told when it asks for the terminal's type.
  std::string terminal_type = "xterm-256color";
  // How long a script's input waits for a Telnet device's first output.
  std::chrono::milliseconds prompt_wait = std::chrono::seconds(10);
};

// Thread: `context`'s, which the caller runs. Lifetime: one terminal; must outlive Serve.
class TerminalClient {
 public:
  // `io` is the side of who types.
  TerminalClient(dataplane::net::io_context& context, std::unique_ptr<dataplane::WebSocket> tunnel,
                 TerminalIo& io, const TerminalOptions& options);

  // Serves until the terminal has ended and its output is written.
  dataplane::net::awaitable<TerminalOutcome> Serve();

 private:
  // The directions and what they wait for, each a coroutine; the last one to end lets Serve go on.
  dataplane::net::awaitable<void> Receive();
  dataplane::net::awaitable<void> WriteOutput();
  dataplane::net::awaitable<void> ReadInput();
  dataplane::net::awaitable<void> Send();
  dataplane::net::awaitable<void> WatchSignals();
  dataplane::net::awaitable<void> AwaitPrompt();
  dataplane::net::awaitable<void> Wait();
  void Start(dataplane::net::awaitable<void> direction);

  void OnBytes(std::string bytes);
  void OnText(absl::string_view text);
  void OnTyped(absl::string_view bytes);
  void OnResize();
  // A line from the console itself, or from the relay or the device beside the stream.
  void Tell(absl::string_view line);
  // Leaves without waiting for the device: hangs up.
  void Leave(std::string message, int exit_code = 255);
  void Acknowledge();
  // Lets every waiting coroutine look at the state again.
  void Wake() { changed_.cancel(); }
  bool InputIsFull() const;
  bool OutputIsFull() const;
  // The next frame to send, text or binary; absent if there is nothing to send now.
  struct Frame {
    bool is_text = false;
    std::string bytes;
  };
  std::optional<Frame> NextFrame();
  dataplane::net::awaitable<void> OnEndOfInput();
  TerminalOutcome Outcome() const;

  dataplane::net::io_context& context_;
  std::unique_ptr<dataplane::WebSocket> tunnel_;
  TerminalIo& io_;
  const InputKind input_kind_;
  const StreamKind stream_kind_;
  // For a Telnet stream whose bytes are not an outside client's.
  std::optional<terminal::TelnetClient> telnet_;
  dataplane::net::signal_set signals_;
  // Never expires; cancelled to wake who waits.
  dataplane::net::steady_timer changed_;
  // Set while input is held back until a Telnet device has shown something.
  std::optional<dataplane::net::steady_timer> prompt_;
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
  // Whether what was typed last ends a line.
  bool at_line_start_ = true;
  // What Telnet's negotiation wants sent before more input.
  std::string answers_;
  // Control frames to send before more input. At most one resize and one ack wait.
  std::string resize_;
  std::string ack_;

  int running_ = 0;
  // The tunnel is over.
  bool closed_ = false;
  // The person or a signal wants to leave.
  bool leaving_ = false;
  // A write to the tunnel is pending, or has failed.
  bool sending_ = false;
  bool send_failed_ = false;
  dataplane::CloseReason close_;
  std::string leave_message_;
  int leave_code_ = 255;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TERMINAL_CLIENT_H_
