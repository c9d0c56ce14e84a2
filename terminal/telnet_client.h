// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's side of a Telnet stream, as OS 11 devices serve it: what the network sends becomes
// terminal output, what is typed becomes network bytes, options are negotiated in between. Over
// libtelnet. Used by the command line; the web console mirrors it and is checked with the same
// vectors (testdata/telnet_vectors.json). Sans-I/O.
#ifndef FAIRLEAD_TERMINAL_TELNET_CLIENT_H_
#define FAIRLEAD_TERMINAL_TELNET_CLIENT_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "terminal/control_frame.h"

namespace fairlead::terminal {

// Agrees to ECHO and SGA of the peer, to SGA, TTYPE and NAWS of its own, to BINARY both ways, and
// refuses all else; never opens a negotiation, and never answers what changes nothing (RFC 1143),
// so that two ends cannot loop.
//
// Memory: bounded; what a call returns is at most 8 times what it is given, for a peer that asks
// for the terminal's name again and again.
// Thread: one.
class TelnetClient {
 public:
  // `terminal_type` is told when asked for: at most 40 printable characters without spaces, else
  // "xterm". `size` is told once NAWS is agreed.
  TelnetClient(absl::string_view terminal_type, WindowSize size);
  ~TelnetClient();
  TelnetClient(const TelnetClient&) = delete;
  TelnetClient& operator=(const TelnetClient&) = delete;

  // What bytes from the network mean.
  struct Received {
    // For the terminal.
    std::string output;
    // For the network, before anything that Encode gives later.
    std::string answers;
  };
  Received Receive(absl::string_view bytes);

  // What is typed, as the network wants it: 0xFF doubled and, unless BINARY is agreed, CR followed
  // by NUL (RFC 854).
  std::string Encode(absl::string_view typed);

  // The window has another size: what to tell the peer now; empty until NAWS is agreed.
  std::string Resize(WindowSize size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::terminal

#endif  // FAIRLEAD_TERMINAL_TELNET_CLIENT_H_
