// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The state machine of a session, by table: every state with every event; what each end says to
// whom; every close code; and random walks that must keep the invariants.
#include "dataplane/session_pairing.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dataplane/close_reason.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Side kC = Side::kConsole;
constexpr Side kD = Side::kDevice;

CloseReason Reason(std::uint16_t code, std::string text = "") {
  CloseReason reason;
  reason.code = code;
  reason.text = std::move(text);
  return reason;
}

SessionSpec Spec() {
  SessionSpec spec;
  spec.session_id = "s";
  spec.pairing_timeout = absl::Seconds(30);
  spec.idle_timeout = absl::Seconds(60);
  spec.max_lifetime = absl::Hours(1);
  return spec;
}

// What an event gave, in a word.
std::string Word(const SessionPairing& pairing, const PairingActions& actions) {
  if (actions.attached) return actions.start_pumps ? "in+go" : "in";
  if (!actions.end) return "-";
  const RelayEnd& end = pairing.end();
  if (end.by == RelayEnd::By::kConsole) return "endC";
  if (end.by == RelayEnd::By::kDevice) return "endD";
  if (end.reason.code == kCloseTerminated) return "term";
  if (end.reason.code == kClosePeerLost) return "never";
  return end.reason.text.find("idle") == std::string::npos ? "life" : "idle";
}

std::string Word(Relayed relayed) {
  switch (relayed) {
    case Relayed::kCounted:
      return "cnt";
    case Relayed::kCountedFirst:
      return "1st";
    case Relayed::kTooLate:
      return "late";
  }
  return "?";
}

// Names an event as the table does, and applies it. Legs attach at 1 s, bytes flow at 2 s.
std::string Do(SessionPairing& pairing, const std::string& event) {
  const Side side = event.back() == 'C' ? kC : kD;
  const std::string verb = event.substr(0, event.size() - 1);
  if (verb == "claim") {
    pairing.OnClaimed(side);
    return "-";
  }
  if (verb == "attach" && pairing.taken(side) && !pairing.ended()) return "taken";
  if (verb == "attach") return Word(pairing, pairing.OnAttached(side, absl::Seconds(1)));
  if (verb == "abandon") return Word(pairing, pairing.OnAbandoned(side));
  if (verb == "close") return Word(pairing, pairing.OnClosed(side, Reason(1000, "bye")));
  if (verb == "lose") return Word(pairing, pairing.OnClosed(side, Reason(1006, "reset")));
  if (verb == "bytes") return Word(pairing.OnRelayed(side, 5, absl::Seconds(2)));
  if (event == "end") return Word(pairing, pairing.OnEndRequested(Reason(4410, "no more")));
  int seconds = 0;
  EXPECT_TRUE(absl::SimpleAtoi(event.substr(1), &seconds)) << event;
  return Word(pairing, pairing.OnTime(absl::Seconds(seconds)));
}

struct State {
  const char* name;
  // The events that lead to it.
  const char* script;
  // When OnTime is due, in seconds; 0 for never.
  int deadline;
};

// Lower case: claimed; upper case: attached; +: bytes have flowed.
constexpr State kStates[] = {
    {"none", "", 30},
    {"c", "claimC", 30},
    {"d", "claimD", 30},
    {"C", "claimC attachC", 30},
    {"D", "claimD attachD", 30},
    {"cd", "claimC claimD", 40},
    {"Cd", "claimC attachC claimD", 40},
    {"cD", "claimC claimD attachD", 40},
    {"CD", "claimC attachC claimD attachD", 61},
    {"CD+", "claimC attachC claimD attachD bytesC", 62},
    {"over", "claimC attachC claimD attachD bytesC end", 0},
};

// clang-format off
constexpr char kTable[] =
    "event    none  c     d     C     D     cd    Cd    cD    CD    CD+   over\n"
    "claimC   -     -     -     -     -     -     -     -     -     -     -\n"
    "claimD   -     -     -     -     -     -     -     -     -     -     -\n"
    "attachC  in    in    in    taken in+go in    taken in+go taken taken -\n"
    "attachD  in    in    in    in+go taken in    in+go taken taken taken -\n"
    "abandonC endC  endC  endC  -     endC  endC  -     endC  -     -     -\n"
    "abandonD endD  endD  endD  endD  -     endD  endD  -     -     -     -\n"
    "closeC   endC  endC  endC  endC  endC  endC  endC  endC  endC  endC  -\n"
    "closeD   endD  endD  endD  endD  endD  endD  endD  endD  endD  endD  -\n"
    "loseC    endC  endC  endC  endC  endC  endC  endC  endC  endC  endC  -\n"
    "loseD    endD  endD  endD  endD  endD  endD  endD  endD  endD  endD  -\n"
    "bytesC   late  late  late  late  late  late  late  late  1st   cnt   late\n"
    "bytesD   late  late  late  late  late  late  late  late  1st   cnt   late\n"
    "end      term  term  term  term  term  term  term  term  term  term  -\n"
    "t29      -     -     -     -     -     -     -     -     -     -     -\n"
    "t30      never never never never never -     -     -     -     -     -\n"
    "t39      never never never never never -     -     -     -     -     -\n"
    "t40      never never never never never never never never -     -     -\n"
    "t61      never never never never never never never never idle  -     -\n"
    "t62      never never never never never never never never idle  idle  -\n"
    "t3600    never never never never never never never never life  life  -\n";
// clang-format on

SessionPairing MakeState(const State& state) {
  SessionPairing pairing(Spec(), absl::ZeroDuration());
  for (const auto& event : absl::StrSplit(state.script, ' ', absl::SkipEmpty())) {
    Do(pairing, std::string(event));
  }
  return pairing;
}

TEST(SessionPairing, EveryStateWithEveryEvent) {
  const std::vector<std::string> rows = absl::StrSplit(kTable, '\n', absl::SkipEmpty());
  ASSERT_EQ(rows.size(), 21u);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const std::vector<std::string> cells = absl::StrSplit(rows[row], ' ', absl::SkipEmpty());
    ASSERT_EQ(cells.size(), 1 + std::size(kStates)) << rows[row];
    for (std::size_t i = 0; i < std::size(kStates); ++i) {
      SessionPairing pairing = MakeState(kStates[i]);
      const bool was_over = pairing.ended();

      const std::string outcome = Do(pairing, cells[0]);

      EXPECT_EQ(outcome, cells[i + 1]) << cells[0] << " in " << kStates[i].name;
      const bool ends = outcome.substr(0, 3) == "end" || outcome == "term" || outcome == "never" ||
                        outcome == "idle" || outcome == "life";
      EXPECT_EQ(pairing.ended(), was_over || ends) << cells[0] << " in " << kStates[i].name;
    }
  }
}

TEST(SessionPairing, EveryStateHasItsDeadline) {
  for (const State& state : kStates) {
    const absl::Duration due = MakeState(state).deadline();

    EXPECT_EQ(due, state.deadline == 0 ? absl::InfiniteDuration() : absl::Seconds(state.deadline))
        << state.name;
  }
}

TEST(SessionPairing, NoLimitsMeansNever) {
  SessionSpec spec = Spec();
  spec.idle_timeout = absl::ZeroDuration();
  spec.max_lifetime = absl::ZeroDuration();
  SessionPairing pairing(spec, absl::ZeroDuration());
  pairing.OnAttached(kC, absl::Seconds(1));
  pairing.OnAttached(kD, absl::Seconds(2));

  EXPECT_EQ(pairing.deadline(), absl::InfiniteDuration());
  EXPECT_FALSE(pairing.OnTime(absl::Hours(10000)).end);
}

TEST(SessionPairing, ALifetimeShorterThanThePairingTimeEndsAWaitingLeg) {
  SessionSpec spec = Spec();
  spec.max_lifetime = absl::Seconds(10);
  SessionPairing pairing(spec, absl::ZeroDuration());
  pairing.OnAttached(kD, absl::Seconds(1));

  EXPECT_TRUE(pairing.OnTime(absl::Seconds(10)).end);
  EXPECT_EQ(pairing.end().reason.code, kCloseLimit);
  EXPECT_FALSE(pairing.is_over(kD));
}

TEST(SessionPairing, PayloadPutsOffTheIdleLimitAndIsCountedByDirection) {
  SessionPairing pairing = MakeState(kStates[8]);

  pairing.OnRelayed(kC, 100, absl::Seconds(50));
  pairing.OnRelayed(kD, 7, absl::Seconds(100));

  EXPECT_FALSE(pairing.OnTime(absl::Seconds(159)).end);
  EXPECT_TRUE(pairing.OnTime(absl::Seconds(160)).end);
  EXPECT_EQ(pairing.end().bytes_to_console, 100u);
  EXPECT_EQ(pairing.end().bytes_to_device, 7u);
}

TEST(SessionPairing, SaysWhoNeverCame) {
  struct Case {
    const char* script;
    const char* text;
  };
  const Case kCases[] = {{"", "neither side came within 30s"},
                         {"claimC", "neither side came within 30s"},
                         {"claimC attachC", "the device never came within 30s"},
                         {"claimD attachD", "the Console never came within 30s"}};
  for (const Case& c : kCases) {
    SessionPairing pairing = MakeState(State{"", c.script, 0});

    pairing.OnTime(absl::Seconds(30));

    EXPECT_THAT(pairing.end().reason.text, HasSubstr(c.text));
    EXPECT_EQ(pairing.close_for(kC).code, kClosePeerLost);
    EXPECT_EQ(pairing.close_for(kD).code, kClosePeerLost);
  }
}

TEST(SessionPairing, AbandoningLosesTheSessionForTheOther) {
  SessionPairing pairing = MakeState(kStates[7]);

  pairing.OnAbandoned(kC);

  EXPECT_EQ(pairing.end().by, RelayEnd::By::kConsole);
  EXPECT_EQ(pairing.end().reason.code, kCloseLost);
  EXPECT_EQ(pairing.close_for(kD).code, kClosePeerLost);
  EXPECT_THAT(pairing.close_for(kD).text, HasSubstr("the Console"));
  EXPECT_FALSE(pairing.is_over(kD));
}

TEST(SessionPairing, ALegThatCannotComeEndsItAsItsOwnEnd) {
  SessionPairing pairing(Spec(), absl::ZeroDuration());
  pairing.OnAttached(kC, absl::ZeroDuration());

  EXPECT_EQ(Word(pairing, pairing.OnFailed(kC, Reason(kClosePeerLost))), "-");
  EXPECT_EQ(Word(pairing, pairing.OnFailed(kD, Reason(kClosePeerLost, "not there"))), "endD");

  EXPECT_EQ(pairing.end().reason.code, kClosePeerLost);
  EXPECT_EQ(pairing.close_for(kC).code, kClosePeerLost);
  EXPECT_EQ(pairing.close_for(kC).text, "not there");
}

TEST(SessionPairing, TheFirstEndStands) {
  SessionPairing pairing = MakeState(kStates[9]);
  pairing.OnClosed(kD, Reason(1000, "bye"));

  pairing.OnClosed(kC, Reason(1006));
  pairing.OnEndRequested(Reason(4410, "no more"));
  pairing.OnRelayed(kC, 100, absl::Seconds(3));

  EXPECT_EQ(pairing.end().by, RelayEnd::By::kDevice);
  EXPECT_EQ(pairing.end().reason.text, "bye");
  EXPECT_EQ(pairing.end().bytes_to_console, 5u);
  EXPECT_TRUE(pairing.is_over(kD));
  EXPECT_FALSE(pairing.is_over(kC));
  EXPECT_EQ(pairing.close_for(kC).code, 1000);
}

TEST(SessionPairing, TerminationTellsBothTheSameAndFits) {
  SessionPairing pairing = MakeState(kStates[9]);

  pairing.OnEndRequested(Reason(4410, std::string(122, 'x') + "\xC3\xA4 and more"));

  for (const Side side : kSides) {
    EXPECT_EQ(pairing.close_for(side).code, 4410);
    EXPECT_EQ(pairing.close_for(side).text, std::string(122, 'x'));
    EXPECT_FALSE(pairing.is_over(side));
  }
}

TEST(ForwardedClose, EveryCode) {
  for (int code = 0; code <= 65535; ++code) {
    const CloseReason got = ForwardedClose(kD, Reason(static_cast<std::uint16_t>(code), "why"));
    const bool sendable = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                          (code >= 3000 && code <= 4999);
    if (code == 1005) {
      EXPECT_EQ(got.code, 1000);
      EXPECT_THAT(got.text, IsEmpty());
    } else if (code == 1006) {
      EXPECT_EQ(got.code, 4502);
      EXPECT_THAT(got.text, HasSubstr("the device was lost"));
    } else if (sendable) {
      EXPECT_EQ(got.code, code);
      EXPECT_EQ(got.text, "why");
    } else {
      EXPECT_EQ(got.code, 4400);
      EXPECT_THAT(got.text, HasSubstr(absl::StrCat(code)));
    }
    EXPECT_LE(got.text.size(), kMaxCloseTextBytes);
  }
}

TEST(SessionPairing, RandomWalksKeepTheInvariants) {
  std::vector<std::string> events;
  const std::vector<std::string> rows = absl::StrSplit(kTable, '\n', absl::SkipEmpty());
  for (std::size_t row = 1; row < rows.size(); ++row) {
    events.push_back(rows[row].substr(0, rows[row].find(' ')));
  }
  std::mt19937 random(1);
  for (int walk = 0; walk < 5000; ++walk) {
    SessionPairing pairing(Spec(), absl::ZeroDuration());
    int ends = 0;
    int attached = 0;
    int starts = 0;
    for (int step = 0; step < 20; ++step) {
      const std::string word = Do(pairing, events[random() % events.size()]);
      attached += word == "in" || word == "in+go";
      starts += word == "in+go";
      ends += word != "-" && word != "in" && word != "in+go" && word != "taken" && word != "late" &&
              word != "cnt" && word != "1st";
      ASSERT_EQ(pairing.paired(), starts == 1);
      ASSERT_EQ(pairing.ended(), ends == 1);
      ASSERT_EQ(pairing.deadline() == absl::InfiniteDuration(), pairing.ended());
    }
    EXPECT_LE(ends, 1);
    EXPECT_LE(attached, 2);
    EXPECT_TRUE(starts == 0 || attached == 2);
  }
}

}  // namespace
}  // namespace fairlead::dataplane
