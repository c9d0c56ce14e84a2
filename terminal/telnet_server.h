// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device's side of a Telnet stream (RFC 854 and 1143, over libtelnet): bytes from and for the
// network on one side, the terminal's input, output and window size on the other. Used by the
// agent's terminal session. Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_TELNET_SERVER_H_
#define FAIRLEAD_TERMINAL_TELNET_SERVER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "terminal/control_frame.h"
#include "terminal/telnet_filter.h"

struct telnet_t;
union telnet_event_t;

namespace fairlead::terminal {

// Offers ECHO, SUPPRESS-GO-AHEAD, NAWS, TERMINAL-TYPE and BINARY before anything else, and waits
// for no answer. How a stream is cut into chunks makes no difference.
// Thread: one.
class TelnetServer {
 public:
  // `size` holds until the client tells another.
  explicit TelnetServer(WindowSize size = WindowSize());
  ~TelnetServer();
  TelnetServer(const TelnetServer&) = delete;
  TelnetServer& operator=(const TelnetServer&) = delete;

  // Bytes from the network. What comes of them is taken with TakeInput, TakeWindowSize and
  // TakeNetwork; answers are at most some times as long as `bytes`.
  void Receive(absl::string_view bytes);

  // The terminal's output, for the network.
  void Send(absl::string_view output);
  // Whether Send would give nothing but `output` itself to the network: then it need not be called.
  bool SendsAsItIs(absl::string_view output) const;

  // What the terminal reads: an end of line is CR, or LF where the client sends it alone; the
  // client's interrupt, break, erase and kill commands are the keys that these are by default.
  std::string TakeInput();

  // What must go to the network, in order.
  std::string TakeNetwork();
  // How much of it waits, in bytes: a caller stops receiving while this is much.
  std::size_t waiting_for_network() const { return network_.size(); }

  // The window's new size, if the client told one since the last call. A measure that it does not
  // know (0) stays as it was.
  std::optional<WindowSize> TakeWindowSize();

  // The terminal type as the client names it, at most 40 characters; empty if it does not.
  const std::string& terminal_type() const { return terminal_type_; }

 private:
  struct Options;

  static void OnEvent(telnet_t* telnet, telnet_event_t* event, void* self);
  void OnData(absl::string_view data);
  void OnCommand(unsigned char command);
  void OnWindowSize(absl::string_view payload);
  void OnTerminalType(absl::string_view name);

  const std::unique_ptr<Options> options_;
  telnet_t* const telnet_;
  TelnetFilter filter_;
  std::string input_;
  std::string network_;
  WindowSize size_;
  bool size_changed_ = false;
  std::string terminal_type_;
  bool asked_for_type_ = false;
  // Whether the client sends binary.
  bool binary_in_ = false;
  // Whether what is sent is binary. Our offer takes effect where it stands in the stream (RFC 854):
  // a client that agrees takes all that follows it for binary, long before we hear of it. One that
  // refuses gets a bare CR or two in the meantime, which every client takes for what it is.
  bool binary_out_ = true;
  // The last byte of input, or of output, was a CR outside binary mode.
  bool input_after_cr_ = false;
  bool output_after_cr_ = false;
};

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_TELNET_SERVER_H_
