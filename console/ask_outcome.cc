// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See ask_outcome.h.
#include "console/ask_outcome.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "terminal/console_end.h"

namespace fairlead::console {
namespace {

// What the server knows of the program's end; absent if it may know more later.
std::optional<terminal::ProgramResult> ResultOf(const v1::Session& session) {
  if (session.state() != v1::Session::ENDED) return std::nullopt;
  terminal::ProgramResult claimed;
  if (session.end().has_exit_code()) claimed.exit_code = session.end().exit_code();
  if (session.end().has_signal()) claimed.signal = session.end().signal();
  const terminal::ProgramResult result = terminal::PlausibleResult(claimed);
  const bool told = result != terminal::ProgramResult();
  if (!told && session.flow() != v1::Session::OS11_DIRECT) return std::nullopt;
  return result;
}

}  // namespace

TerminalOutcome AskOutcome(ApiClient& api, const std::string& token, const v1::Session& session,
                           TerminalOutcome outcome, const AskOptions& options) {
  if (!outcome.ended_untold) return outcome;
  v1::GetSessionRequest request;
  request.set_name(session.name());
  const absl::Duration deadline = SystemClock().Monotonic() + options.patience;
  for (absl::Duration left = options.patience; left > absl::ZeroDuration();
       left = deadline - SystemClock().Monotonic()) {
    v1::Session now;
    const absl::Status asked =
        api.CallWithin(left, "fairlead.v1.SessionService.GetSession", token, request, &now);
    if (!asked.ok()) {
      absl::StrAppend(&outcome.message, " (the server was asked: ", asked.message(), ")");
      return outcome;
    }
    if (const auto result = ResultOf(now); result.has_value()) {
      return *result == terminal::ProgramResult() ? outcome : OutcomeOf(*result);
    }
    absl::SleepFor(options.interval);
  }
  return outcome;
}

}  // namespace fairlead::console
