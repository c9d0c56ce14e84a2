// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How a terminal ended, as the console's exit code and a sentence. Used by the terminal client, and
// by what asks the server where the stream itself could not tell.
#ifndef FAIRLEAD_CONSOLE_TERMINAL_OUTCOME_H_
#define FAIRLEAD_CONSOLE_TERMINAL_OUTCOME_H_

#include <string>

#include "dataplane/websocket.h"
#include "terminal/device_end.h"

namespace fairlead::console {

// How a terminal ended for the person.
struct TerminalOutcome {
  // The program's exit code, 128 + the signal's number, or 255 when it is not known.
  int exit_code = 255;
  // A sentence for standard error; empty when the program just ended.
  std::string message;
  // The device ended its stream as it should, which has no word for how the program ended: Telnet.
  bool ended_untold = false;
};

// What a program's result means.
TerminalOutcome OutcomeOf(const terminal::ProgramResult& result);

// A sentence for a tunnel that was closed before the program's end was told.
std::string CloseSentence(const dataplane::CloseReason& close);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TERMINAL_OUTCOME_H_
