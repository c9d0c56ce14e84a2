// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The person's own terminal: raw mode and its undoing, its size, a password typed unseen. Used by
// connect and login.
#ifndef FAIRLEAD_CONSOLE_TTY_H_
#define FAIRLEAD_CONSOLE_TTY_H_

#include <termios.h>

#include <string>

#include "absl/status/statusor.h"
#include "terminal/control_frame.h"

namespace fairlead::console {

// Puts the terminal on standard input, if it is one, into raw mode for as long as it lives.
// Thread: one. Lifetime: the destructor restores the mode.
class RawMode {
 public:
  RawMode();
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  bool active_ = false;
  termios saved_{};
};

// The size of the terminal on standard output or input; 80x24 if neither is one.
terminal::WindowSize TtySize();

// Asks on the controlling terminal for a line that is not echoed. A signal that ends the process
// does so after the terminal echoes again.
// Errors: FAILED_PRECONDITION there is no terminal: give a password file instead; CANCELLED a
// signal came that the process ignores.
absl::StatusOr<std::string> AskSecret(const std::string& prompt);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TTY_H_
