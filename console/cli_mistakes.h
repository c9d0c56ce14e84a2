// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Names what is wrong with a command line: a flag or a command that there is not, with the nearest
// that there is, or a command that is missing. Used by the command line's main.
#ifndef FAIRLEAD_CONSOLE_CLI_MISTAKES_H_
#define FAIRLEAD_CONSOLE_CLI_MISTAKES_H_

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace fairlead::console {

// A sentence about the command line that `app` has parsed, whether or not that threw; empty if
// every word of it is known and its command is complete.
std::string FindMistake(const CLI::App& app);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_CLI_MISTAKES_H_
