// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a session's machine did, in words, and what must hold of it whatever happens. Used by the
// tests of the session's states.
#ifndef FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_LEDGER_H_
#define FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_LEDGER_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "control/session_machine.h"
#include "gtest/gtest.h"

namespace fairlead::control {

inline std::string PhaseName(SessionMachine::Phase phase) {
  static const char* const kNames[] = {"New",     "Opening", "Informed", "Active",
                                       "Closing", "Ended",   "Done"};
  return kNames[static_cast<int>(phase)];
}

// What the machine did, in one line.
inline std::string Describe(const SessionMachine& machine, const SessionActions& actions) {
  std::vector<std::string> words;
  if (actions.ask) words.push_back("ask");
  if (actions.record) words.push_back("record");
  if (actions.end_at_edge) words.push_back(absl::StrCat("end:", actions.end_at_edge->code));
  if (actions.close_on_device) words.push_back("close");
  if (actions.changed) words.push_back("changed");
  if (actions.reply) {
    words.push_back(absl::StrCat("reply:", absl::StatusCodeToString(actions.reply->code())));
  }
  if (actions.ended) {
    words.push_back(
        absl::StrCat("ended:", v1::SessionEnd::Cause_Name(machine.session().end().cause())));
  }
  if (actions.deadline) {
    words.push_back(absl::StrCat("deadline:", absl::FormatDuration(*actions.deadline)));
  }
  if (actions.forget) words.push_back("forget");
  return absl::StrCat(absl::StrJoin(words, " "), words.empty() ? "" : " ", "-> ",
                      PhaseName(machine.phase()));
}

// Takes what the machine did at each event, and checks it at the end.
struct Ledger {
  void Take(const SessionMachine& machine, const SessionActions& actions) {
    replies += actions.reply.has_value();
    ends += actions.ended;
    EXPECT_EQ(actions.forget && machine.phase() != SessionMachine::Phase::kDone, false);
    if (actions.deadline.has_value()) deadline = *actions.deadline;
    // No session waits for ever, unless it runs.
    EXPECT_TRUE(deadline > absl::ZeroDuration() ||
                machine.phase() == SessionMachine::Phase::kActive ||
                machine.phase() == SessionMachine::Phase::kDone ||
                machine.phase() == SessionMachine::Phase::kNew);
  }
  void Check(const SessionMachine& machine) const {
    EXPECT_LE(replies, 1);
    EXPECT_LE(ends, 1);
    EXPECT_EQ(ends == 1, machine.session().state() == v1::Session::ENDED);
    EXPECT_EQ(ends == 1, !machine.live());
    const auto& timeline = machine.session().timeline();
    for (int i = 0; i < timeline.size(); ++i) {
      for (int j = 0; j < i; ++j) EXPECT_NE(timeline[i].step(), timeline[j].step());
      EXPECT_TRUE(timeline[i].step() != v1::TimelineEntry::ENDED || i == timeline.size() - 1);
    }
  }

  int replies = 0;
  int ends = 0;
  absl::Duration deadline = absl::ZeroDuration();
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_SESSION_MACHINE_LEDGER_H_
