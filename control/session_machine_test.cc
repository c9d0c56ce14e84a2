// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The session's states: the order of the timeline in each flow, restored sessions, and how an end's
// cause follows from what the edge says. Every event in every situation is in
// session_machine_table_test.cc.
#include "control/session_machine.h"

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/session_outcome.h"
#include "control/testing/session_machine_events.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;
using Phase = SessionMachine::Phase;
using Step = v1::TimelineEntry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SessionMachine, Os12DirectPassesTheStepsInTheArticlesOrder) {
  SessionMachine machine = NewMachine();

  for (Type type : {Type::kRequested, Type::kRecorded, Type::kDeviceAttached,
                    Type::kConsoleAttached, Type::kDataFlowing, Type::kTunnelEnded}) {
    machine.Apply(EventOf(type));
  }

  EXPECT_THAT(StepsOf(machine.session()),
              ElementsAre(v1::TimelineEntry::CONSOLE_REQUESTED, v1::TimelineEntry::DEVICE_REQUESTED,
                          v1::TimelineEntry::DEVICE_ATTACHED, v1::TimelineEntry::CONSOLE_INFORMED,
                          v1::TimelineEntry::CONSOLE_ATTACHED, v1::TimelineEntry::DATA_FLOWING,
                          v1::TimelineEntry::ENDED));
}

TEST(SessionMachine, Os11DirectPassesTheSameStepsWhenTheServerDials) {
  SessionMachine machine = NewMachine(v1::Session::OS11_DIRECT);

  ApplyAll(machine,
           {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
            Type::kDeviceAttached, Type::kConsoleAttached, Type::kDataFlowing, Type::kTunnelEnded});

  EXPECT_THAT(
      StepsOf(machine.session()),
      ElementsAre(Step::CONSOLE_REQUESTED, Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED,
                  Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED, Step::DATA_FLOWING, Step::ENDED));
  EXPECT_EQ(machine.phase(), Phase::kDone);
  EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_EQ(machine.session().end().result_case(), v1::SessionEnd::RESULT_NOT_SET);
}

// ---- Over an ICG ----

// An order of what the ICG and the store say, and what follows from it.
struct OrderOverIcg {
  const char* name;
  std::vector<Type> events;
  std::vector<Step::Step> steps;
};

class SessionMachineOverIcg
    : public ::testing::TestWithParam<std::tuple<v1::Session::Flow, OrderOverIcg>> {};

TEST_P(SessionMachineOverIcg, TheParallelStepsComeInEitherOrderAndOnce) {
  const OrderOverIcg& order = std::get<1>(GetParam());
  SessionMachine machine = NewMachine(std::get<0>(GetParam()));
  machine.Apply(EventOf(Type::kRequested));

  int replies = 0;
  for (Type type : order.events) {
    for (int times = 0; times < 2; ++times) {
      replies += machine.Apply(EventOf(type)).reply.has_value();
    }
  }

  EXPECT_EQ(machine.phase(), Phase::kActive);
  EXPECT_EQ(replies, 1);
  std::vector<Step::Step> steps = {Step::CONSOLE_REQUESTED, Step::ICG_REQUESTED};
  steps.insert(steps.end(), order.steps.begin(), order.steps.end());
  EXPECT_EQ(StepsOf(machine.session()), steps);
}

INSTANTIATE_TEST_SUITE_P(
    Orders, SessionMachineOverIcg,
    ::testing::Combine(
        ::testing::Values(v1::Session::OS12_ICG, v1::Session::OS11_ICG),
        ::testing::Values(
            OrderOverIcg{"InformedFirstConsoleFirst",
                         {Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
                          Type::kConsoleAttached, Type::kDeviceAttached},
                         {Step::CONSOLE_INFORMED, Step::DEVICE_REQUESTED, Step::CONSOLE_ATTACHED,
                          Step::DEVICE_ATTACHED}},
            OrderOverIcg{"InformedFirstDeviceFirst",
                         {Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
                          Type::kDeviceAttached, Type::kConsoleAttached},
                         {Step::CONSOLE_INFORMED, Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED,
                          Step::CONSOLE_ATTACHED}},
            OrderOverIcg{"DeviceRequestedFirstConsoleFirst",
                         {Type::kEdgeAccepted, Type::kDeviceRequested, Type::kRecorded,
                          Type::kConsoleAttached, Type::kDeviceAttached},
                         {Step::DEVICE_REQUESTED, Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED,
                          Step::DEVICE_ATTACHED}},
            OrderOverIcg{"DeviceRequestedFirstDeviceFirst",
                         {Type::kEdgeAccepted, Type::kDeviceRequested, Type::kDeviceAttached,
                          Type::kRecorded, Type::kConsoleAttached},
                         {Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED, Step::CONSOLE_INFORMED,
                          Step::CONSOLE_ATTACHED}})),
    [](const ::testing::TestParamInfo<SessionMachineOverIcg::ParamType>& info) {
      return absl::StrCat(v1::Session::Flow_Name(std::get<0>(info.param)),
                          std::get<1>(info.param).name);
    });

TEST(SessionMachine, ARestoredSessionWaitsForItsIcg) {
  SessionMachine before = NewMachine(v1::Session::OS12_ICG);
  ApplyAll(before, {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
                    Type::kConsoleAttached, Type::kDeviceAttached});

  absl::optional<SessionMachine> machine =
      SessionMachine::Restore(before.session(), "device d1", SessionDeadlines());

  ASSERT_TRUE(machine.has_value());
  EXPECT_EQ(machine->phase(), Phase::kActive);
  EXPECT_EQ(machine->Apply(EventOf(Type::kDeviceAttached)).deadline, absl::ZeroDuration());
  ApplyAll(*machine, {Type::kDataFlowing, Type::kTunnelEnded, Type::kProgramEnded});
  EXPECT_EQ(machine->session().end().exit_code(), 7);
  EXPECT_THAT(StepsOf(machine->session()),
              ElementsAre(Step::CONSOLE_REQUESTED, Step::ICG_REQUESTED, Step::CONSOLE_INFORMED,
                          Step::DEVICE_REQUESTED, Step::CONSOLE_ATTACHED, Step::DEVICE_ATTACHED,
                          Step::DATA_FLOWING, Step::ENDED));
}

TEST(SessionMachine, OnlyWhatCanHaveOutlastedTheServerIsRestored) {
  SessionMachine machine = NewMachine(v1::Session::OS11_ICG);
  const auto restored = [&machine]() {
    return SessionMachine::Restore(machine.session(), "device d1", SessionDeadlines());
  };
  ApplyAll(machine, {Type::kRequested, Type::kRecorded});
  EXPECT_FALSE(restored().has_value());
  machine.Apply(EventOf(Type::kEdgeAccepted));
  ASSERT_TRUE(restored().has_value());
  EXPECT_EQ(restored()->phase(), Phase::kInformed);
  machine.Apply(EventOf(Type::kTunnelEnded));
  EXPECT_FALSE(restored().has_value());

  SessionMachine direct = NewMachine();
  ApplyAll(direct, {Type::kRequested, Type::kRecorded, Type::kDeviceAttached});
  EXPECT_FALSE(
      SessionMachine::Restore(direct.session(), "device d1", SessionDeadlines()).has_value());
}

TEST(SessionMachine, TheLostLinksSentenceNamesTheIcg) {
  SessionMachine machine = NewMachine(v1::Session::OS12_ICG);
  ApplyAll(machine, {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kEdgeGone,
                     Type::kDeadline});

  EXPECT_EQ(machine.session().end().message(),
            "the link to icgs/berlin was lost and did not return in 40s");
}

TEST(SessionMachine, AnEndToldAfterAnAbsenceIsThatOfASessionThatRan) {
  SessionMachine machine = NewMachine(v1::Session::OS12_ICG);
  ApplyAll(machine, {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kEdgeGone});
  SessionEvent ended = EventOf(Type::kTunnelEnded);
  ended.tunnel.set_ended_by(v1::TunnelEvent::SIDE_UNSPECIFIED);
  ended.tunnel.set_close_code(1011);

  machine.Apply(ended);

  EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::CAUSE_UNSPECIFIED);
  EXPECT_EQ(machine.session().end().bytes_to_console(), 5u);
}

// ---- Ends ----

TEST(SessionMachine, ADialThatFailsSaysWhy) {
  SessionMachine machine = NewMachine(v1::Session::OS11_DIRECT);
  ApplyAll(machine, {Type::kRequested, Type::kRecorded});
  SessionEvent failed = EventOf(Type::kTunnelEnded);
  failed.tunnel.set_close_code(4502);
  failed.tunnel.set_reason("192.0.2.7:30022: connection refused");

  const SessionActions actions = machine.Apply(failed);

  ASSERT_TRUE(actions.reply.has_value());
  EXPECT_EQ(actions.reply->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(actions.reply->message()),
            "device d1 could not be reached: 192.0.2.7:30022: connection refused");
  EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::NEVER_ATTACHED);
  EXPECT_EQ(machine.session().end().message(), "192.0.2.7:30022: connection refused");
  EXPECT_EQ(machine.phase(), Phase::kDone);
}

TEST(SessionMachine, TheResultMayComeBeforeOrAfterTheTunnelsEnd) {
  for (const bool result_first : {true, false}) {
    SessionMachine machine = NewMachine();
    for (Type type :
         {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached}) {
      machine.Apply(EventOf(type));
    }

    machine.Apply(EventOf(result_first ? Type::kProgramEnded : Type::kTunnelEnded));
    machine.Apply(EventOf(result_first ? Type::kTunnelEnded : Type::kProgramEnded));

    EXPECT_EQ(machine.phase(), Phase::kDone);
    EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::PROGRAM_ENDED);
    EXPECT_EQ(machine.session().end().exit_code(), 7);
    EXPECT_EQ(machine.session().end().bytes_to_console(), 5u);
  }
}

TEST(SessionMachine, AnUnknownResultIsNotZero) {
  SessionMachine machine = NewMachine();
  for (Type type : {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kTunnelEnded,
                    Type::kDeadline}) {
    machine.Apply(EventOf(type));
  }

  EXPECT_EQ(machine.phase(), Phase::kDone);
  EXPECT_EQ(machine.session().end().result_case(), v1::SessionEnd::RESULT_NOT_SET);
}

TEST(SessionMachine, ARefusalAfterTheTunnelsEndExplainsIt) {
  SessionMachine machine = NewMachine();
  for (Type type : {Type::kRequested, Type::kRecorded, Type::kDeviceAttached}) {
    machine.Apply(EventOf(type));
  }
  SessionEvent lost = EventOf(Type::kTunnelEnded);
  lost.tunnel.set_close_code(1006);
  machine.Apply(lost);

  machine.Apply(EventOf(Type::kDeviceRefused));

  EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::DEVICE_REFUSED);
  EXPECT_EQ(machine.session().end().message(), "refused");
}

TEST(SessionMachine, ATerminatedSessionKeepsWhatTheEdgeCounted) {
  SessionMachine machine = NewMachine();
  for (Type type : {Type::kRequested, Type::kRecorded, Type::kDeviceAttached,
                    Type::kConsoleAttached, Type::kTerminated, Type::kTunnelEnded}) {
    machine.Apply(EventOf(type));
  }

  EXPECT_EQ(machine.session().end().cause(), v1::SessionEnd::TERMINATED);
  EXPECT_EQ(machine.session().end().message(), "because");
  EXPECT_EQ(machine.session().end().bytes_to_console(), 5u);
}

TEST(SessionMachine, TheDeadlinesSentenceNamesTheDevice) {
  SessionMachine machine = NewMachine();
  machine.Apply(EventOf(Type::kRequested));
  machine.Apply(EventOf(Type::kRecorded));

  const SessionActions actions = machine.Apply(EventOf(Type::kDeadline));

  ASSERT_TRUE(actions.reply.has_value());
  EXPECT_THAT(std::string(actions.reply->message()), HasSubstr("device d1"));
}

struct CauseCase {
  v1::TunnelEvent::Side by;
  std::uint32_t code;
  bool was_active;
  v1::SessionEnd::Cause cause;
};

TEST(SessionMachine, CauseOfTunnelEnd) {
  const v1::TunnelEvent::Side kEdge = v1::TunnelEvent::SIDE_UNSPECIFIED;
  const v1::TunnelEvent::Side kConsole = v1::TunnelEvent::CONSOLE;
  const v1::TunnelEvent::Side kDevice = v1::TunnelEvent::DEVICE;
  const CauseCase kCases[] = {
      {kDevice, 1000, true, v1::SessionEnd::PROGRAM_ENDED},
      {kDevice, 1000, false, v1::SessionEnd::PROGRAM_ENDED},
      {kDevice, 1005, true, v1::SessionEnd::PROGRAM_ENDED},
      {kDevice, 1001, true, v1::SessionEnd::DEVICE_LOST},
      {kDevice, 1006, true, v1::SessionEnd::DEVICE_LOST},
      {kConsole, 1000, true, v1::SessionEnd::CONSOLE_CLOSED},
      {kConsole, 1001, true, v1::SessionEnd::CONSOLE_CLOSED},
      {kConsole, 1005, true, v1::SessionEnd::CONSOLE_CLOSED},
      {kConsole, 1006, true, v1::SessionEnd::CONSOLE_LOST},
      {kConsole, 1002, true, v1::SessionEnd::CONSOLE_LOST},
      {kEdge, 4502, false, v1::SessionEnd::NEVER_ATTACHED},
      {kEdge, 4408, false, v1::SessionEnd::LIMIT_REACHED},
      {kEdge, 4408, true, v1::SessionEnd::LIMIT_REACHED},
      {kEdge, 4410, true, v1::SessionEnd::TERMINATED},
      {kEdge, 4503, true, v1::SessionEnd::SERVER_STOPPED},
      {kEdge, 1001, true, v1::SessionEnd::SERVER_STOPPED},
      {kEdge, 1011, true, v1::SessionEnd::CAUSE_UNSPECIFIED},
  };
  for (const CauseCase& test : kCases) {
    v1::TunnelEvent event;
    event.set_ended_by(test.by);
    event.set_close_code(test.code);
    EXPECT_EQ(CauseOfTunnelEnd(event, test.was_active), test.cause)
        << v1::TunnelEvent::Side_Name(test.by) << " " << test.code;
  }
}

TEST(SessionMachine, StatusOfRefusal) {
  v1::OpenTerminalResult result;
  result.set_message("terminals are switched off here");

  result.set_refusal(v1::OpenTerminalResult::DISABLED);
  EXPECT_EQ(StatusOfRefusal(result, "device d1").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(StatusOfRefusal(result, "device d1").message()),
              HasSubstr("device d1 refused the terminal: terminals are switched off here"));
  result.set_refusal(v1::OpenTerminalResult::TOO_MANY_SESSIONS);
  EXPECT_EQ(StatusOfRefusal(result, "device d1").code(), absl::StatusCode::kResourceExhausted);
  result.set_refusal(v1::OpenTerminalResult::STOPPING);
  EXPECT_EQ(StatusOfRefusal(result, "device d1").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace fairlead::control
