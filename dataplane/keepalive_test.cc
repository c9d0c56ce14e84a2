// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The keep-alive in virtual time: when pings go out and when a peer counts as lost.
#include "dataplane/keepalive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::dataplane {
namespace {

enum class Event {
  kReadStarts,
  kReadEnds,
  kHeard,
  kWriteStarts,
  kWriteAdvances,
  kWriteEnds,
  kPingSent,
  kClosing,
};

struct Step {
  int second;
  Event event;
};

struct Case {
  const char* name;
  std::vector<Step> steps;
  // Whether a ping that is asked for is sent at once.
  bool pings_leave;
  // "p20" for a ping at second 20, "l40" for the loss, "s40" for a stall; up to second 120.
  std::string expected;
  bool patient = false;
};

void Apply(KeepAlive& keep_alive, Event event, absl::Duration now) {
  switch (event) {
    case Event::kReadStarts:
      return keep_alive.OnReadStarted(now);
    case Event::kReadEnds:
      return keep_alive.OnReadFinished(now);
    case Event::kHeard:
      return keep_alive.OnHeard(now);
    case Event::kWriteStarts:
      return keep_alive.OnWriteStarted(now);
    case Event::kWriteAdvances:
      return keep_alive.OnWriteProgress(now);
    case Event::kWriteEnds:
      return keep_alive.OnWriteFinished(now);
    case Event::kPingSent:
      return keep_alive.OnPingSent(now);
    case Event::kClosing:
      return keep_alive.OnClosing(now);
  }
}

// Runs `c` second by second. Poll must do nothing before NextPoll.
std::string Play(const Case& c) {
  KeepAlive keep_alive(c.patient ? PatientKeepAlive() : KeepAliveOptions(), absl::ZeroDuration());
  std::string seen;
  for (int second = 0; second <= 120; ++second) {
    const absl::Duration now = absl::Seconds(second);
    for (const Step& step : c.steps) {
      if (step.second == second) Apply(keep_alive, step.event, now);
    }
    const bool due = keep_alive.NextPoll() <= now;
    const KeepAlive::Action action = keep_alive.Poll(now);
    EXPECT_TRUE(due || action == KeepAlive::Action::kNone) << c.name << " at " << second;
    if (action == KeepAlive::Action::kNone) continue;
    const bool lost = action == KeepAlive::Action::kLost;
    const bool stalled = action == KeepAlive::Action::kStalled;
    seen += (seen.empty() ? "" : " ") +
            std::string(lost      ? "l"
                        : stalled ? "s"
                                  : "p") +
            std::to_string(second);
    if (lost) break;
    if (stalled) keep_alive.OnStallExcused(now);
    if (stalled) continue;
    if (c.pings_leave) keep_alive.OnPingSent(now);
  }
  return seen;
}

class KeepAliveTest : public ::testing::TestWithParam<Case> {};

TEST_P(KeepAliveTest, R11ActsWhenDue) { EXPECT_EQ(Play(GetParam()), GetParam().expected); }

std::vector<Case> Cases() {
  const Step reading = {0, Event::kReadStarts};
  return {
      // A silent peer that is listened to is found out after 20 + 10 + 10 s.
      {"Silent", {reading}, true, "p20 p30 l40"},
      {"AnswersEveryPing",
       {reading,
        {21, Event::kHeard},
        {42, Event::kHeard},
        {63, Event::kHeard},
        {84, Event::kHeard},
        {105, Event::kHeard}},
       true,
       "p20 p41 p62 p83 p104"},
      {"AnswersTheSecondPingOnly",
       {reading,
        {35, Event::kHeard},
        {60, Event::kHeard},
        {85, Event::kHeard},
        {110, Event::kHeard}},
       true,
       "p20 p30 p55 p80 p105"},
      {"TalksAllTheTime",
       {reading,
        {15, Event::kReadEnds},
        {15, Event::kReadStarts},
        {30, Event::kReadEnds},
        {30, Event::kReadStarts},
        {45, Event::kReadEnds},
        {45, Event::kReadStarts},
        {60, Event::kReadEnds},
        {60, Event::kReadStarts},
        {75, Event::kReadEnds},
        {75, Event::kReadStarts},
        {90, Event::kReadEnds},
        {90, Event::kReadStarts},
        {105, Event::kReadEnds},
        {105, Event::kReadStarts}},
       true,
       ""},
      // Nobody listens: pings keep the way open, none is missed.
      {"NoReadPending", {}, true, "p20 p40 p60 p80 p100 p120"},
      {"ListensAfterAWhile", {{50, Event::kReadStarts}}, true, "p20 p40 p60 l70"},
      {"ListensAndHearsTheOldPong",
       {{50, Event::kReadStarts},
        {50, Event::kHeard},
        {71, Event::kHeard},
        {92, Event::kHeard},
        {113, Event::kHeard}},
       true,
       "p20 p40 p70 p91 p112"},
      {"PausesWhileAPingIsOut",
       {reading, {25, Event::kReadEnds}, {60, Event::kReadStarts}},
       true,
       "p20 p45 p70 l80"},
      // A write that is stalled is a loss after 40 s; it keeps pings back.
      {"StalledWrite", {reading, {5, Event::kWriteStarts}}, true, "l45"},
      {"SlowWrite",
       {reading,
        {0, Event::kWriteStarts},
        {30, Event::kWriteAdvances},
        {60, Event::kWriteAdvances},
        {90, Event::kWriteEnds},
        {91, Event::kHeard},
        {112, Event::kHeard}},
       true,
       "p90 p111"},
      {"StalledWriteOfAPeerThatIsAlive",
       {reading, {5, Event::kWriteStarts}, {100, Event::kWriteEnds}},
       true,
       "s45 s85 p100 p110 l120",
       true},
      {"ExcusedAndThenMoves",
       {reading, {5, Event::kWriteStarts}, {60, Event::kWriteAdvances}, {99, Event::kHeard}},
       true,
       "s45 s100",
       true},
      {"PatientWithoutAWrite", {reading}, true, "p20 p30 l40", true},
      {"StalledWriteThatNobodyListensTo", {{10, Event::kWriteStarts}}, true, "l50"},
      // A ping that cannot leave is a stalled write too.
      {"PingThatCannotLeave", {reading}, false, "p20 l60"},
      {"WriteBehindAPingThatCannotLeave", {reading, {30, Event::kWriteStarts}}, false, "p20 l60"},
      // Closing has two seconds, whatever else happens.
      {"Closing", {reading, {10, Event::kClosing}}, true, "l12"},
      {"ClosingTwice", {reading, {10, Event::kClosing}, {11, Event::kClosing}}, true, "l12"},
      {"ClosingAPeerThatTalks",
       {reading, {10, Event::kClosing}, {11, Event::kHeard}, {11, Event::kWriteAdvances}},
       true,
       "l12"},
  };
}

INSTANTIATE_TEST_SUITE_P(All, KeepAliveTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fairlead::dataplane
