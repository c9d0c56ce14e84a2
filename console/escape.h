// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The escapes that a person types after a new line to speak to the console instead of the device:
// "~." leaves, "~?" helps, "~~" sends one "~". Used by connect when standard input is a terminal.
// Sans-I/O.
#ifndef FAIRLEAD_CONSOLE_ESCAPE_H_
#define FAIRLEAD_CONSOLE_ESCAPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace fairlead::console {

// Thread: one.
class EscapeFilter {
 public:
  // What some typed bytes mean.
  struct Result {
    // For the device.
    std::string data;
    // "~?" was typed.
    bool help = false;
    // "~." was typed; what follows it is dropped.
    bool leave = false;
  };

  Result Filter(absl::string_view typed);

 private:
  // After a new line (or at the start), after a "~" there, or inside a line.
  enum class State { kLineStart, kTilde, kInLine };
  State state_ = State::kLineStart;
};

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_ESCAPE_H_
