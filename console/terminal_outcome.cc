// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See terminal_outcome.h.
#include "console/terminal_outcome.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace fairlead::console {
namespace {

// The number of a signal by name, for the exit code of shells: 128 + number.
int SignalNumber(absl::string_view name) {
  constexpr std::pair<absl::string_view, int> kNames[] = {
      {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
      {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},
      {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
      {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM}, {"SIGXCPU", SIGXCPU},
      {"SIGXFSZ", SIGXFSZ}, {"SIGSYS", SIGSYS}};
  for (const auto& [known, number] : kNames) {
    if (known == name) return number;
  }
  return 127;
}

}  // namespace

TerminalOutcome OutcomeOf(const terminal::ProgramResult& result) {
  TerminalOutcome outcome;
  if (result.exit_code.has_value()) {
    outcome.exit_code = *result.exit_code;
  } else if (!result.signal.empty()) {
    outcome.exit_code = 128 + SignalNumber(result.signal);
    outcome.message = absl::StrCat("the program was ended by ", result.signal);
  } else {
    outcome.message = "how the program ended is not known";
  }
  return outcome;
}

std::string CloseSentence(const dataplane::CloseReason& close) {
  if (close.code == dataplane::kCloseLost) {
    return "the connection was lost; the terminal on the device is hung up";
  }
  return close.text.empty() ? absl::StrCat("the terminal was closed (code ", close.code, ")")
                            : absl::StrCat(close.text, " (code ", close.code, ")");
}

}  // namespace fairlead::console
