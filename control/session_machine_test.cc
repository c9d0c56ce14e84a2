// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The session's states: every situation with every event, the order of the timeline in each flow,
// and how an end's cause follows from what the edge says.
#include "control/session_machine.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;
using Phase = SessionMachine::Phase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

v1::Session NewSession(v1::Session::Flow flow) {
  v1::Session session;
  session.set_name("sessions/s1");
  session.set_device("devices/d1");
  session.set_user("users/admin");
  session.set_flow(flow);
  session.set_stream(v1::Session::PTY);
  return session;
}

SessionMachine NewMachine(v1::Session::Flow flow = v1::Session::OS12_DIRECT) {
  return SessionMachine(NewSession(flow), "device d1", SessionDeadlines());
}

SessionEvent EventOf(Type type) {
  SessionEvent event{.type = type, .time = kStart};
  event.message = "because";
  if (type == Type::kRecordFailed) event.status = absl::InternalError("disk full");
  if (type == Type::kDeviceRefused) event.status = absl::FailedPreconditionError("refused");
  if (type == Type::kTunnelEnded) {
    event.tunnel.set_ended_by(v1::TunnelEvent::DEVICE);
    event.tunnel.set_close_code(1000);
    event.tunnel.set_bytes_to_console(5);
  }
  if (type == Type::kProgramEnded) event.result.set_exit_code(7);
  return event;
}

std::string PhaseName(Phase phase) {
  static const char* const kNames[] = {"New",     "Opening", "Informed", "Active",
                                       "Closing", "Ended",   "Done"};
  return kNames[static_cast<int>(phase)];
}

// What the machine did, in one line.
std::string Describe(const SessionMachine& machine, const SessionActions& actions) {
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

constexpr Type kAllTypes[] = {
    Type::kRequested,      Type::kRecorded,        Type::kRecordFailed, Type::kEdgeAccepted,
    Type::kDeviceAttached, Type::kConsoleAttached, Type::kDataFlowing,  Type::kTunnelEnded,
    Type::kDeviceRefused,  Type::kProgramEnded,    Type::kDeviceGone,   Type::kEdgeGone,
    Type::kEdgeForgot,     Type::kTerminated,      Type::kCallerGone,   Type::kDeadline};

// A situation, and what each event of kAllTypes does in it.
struct Row {
  const char* name;
  v1::Session::Flow flow;
  std::vector<Type> before;
  std::vector<const char*> expected;
};

class SessionMachineTable : public ::testing::TestWithParam<Row> {};

TEST_P(SessionMachineTable, EveryEvent) {
  const Row& row = GetParam();
  ASSERT_EQ(row.expected.size(), std::size(kAllTypes));

  for (std::size_t i = 0; i < std::size(kAllTypes); ++i) {
    SessionMachine machine = NewMachine(row.flow);
    for (Type type : row.before) machine.Apply(EventOf(type));

    const SessionActions actions = machine.Apply(EventOf(kAllTypes[i]));

    EXPECT_EQ(Describe(machine, actions), row.expected[i]) << row.name << ", event " << i;
  }
}

// Nothing that happens after the end, in any order, changes anything but the program's result.
TEST_P(SessionMachineTable, EveryPairOfEventsKeepsTheInvariants) {
  const Row& row = GetParam();
  for (Type first : kAllTypes) {
    for (Type second : kAllTypes) {
      SessionMachine machine = NewMachine(row.flow);
      int replies = 0;
      int ends = 0;
      std::vector<Type> all = row.before;
      all.insert(all.end(), {first, second});
      for (Type type : all) {
        const SessionActions actions = machine.Apply(EventOf(type));
        replies += actions.reply.has_value();
        ends += actions.ended;
        EXPECT_EQ(actions.forget && machine.phase() != Phase::kDone, false);
      }
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
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, SessionMachineTable,
    ::testing::Values(
        Row{"New",
            v1::Session::OS12_DIRECT,
            {},
            {"ask record changed deadline:20s -> Opening", "-> New", "-> New", "-> New", "-> New",
             "-> New", "-> New", "-> New", "-> New", "-> New", "-> New", "-> New", "-> New",
             "-> New", "-> New", "-> New"}},
        Row{"Requested",
            v1::Session::OS12_DIRECT,
            {Type::kRequested},
            {"-> Opening", "-> Opening",
             "end:4503 close changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:0 forget -> "
             "Done",
             "-> Opening", "changed -> Opening", "changed -> Opening", "-> Opening",
             "changed reply:UNAVAILABLE ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:0 forget -> "
             "Done",
             "-> Opening",
             "end:4502 close changed reply:UNAVAILABLE ended:DEVICE_LOST deadline:0 forget -> Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done"}},
        Row{"RequestedAndRecorded",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded},
            {"-> Opening", "-> Opening",
             "end:4503 close changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:0 forget -> "
             "Done",
             "-> Opening", "changed reply:OK deadline:45s -> Informed", "changed -> Opening",
             "-> Opening",
             "changed reply:UNAVAILABLE ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:0 forget -> "
             "Done",
             "-> Opening",
             "end:4502 close changed reply:UNAVAILABLE ended:DEVICE_LOST deadline:0 forget -> Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done"}},
        Row{"AttachedNotRecorded",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kDeviceAttached},
            {"-> Opening", "changed reply:OK deadline:45s -> Informed",
             "end:4503 close changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:5s -> Ended",
             "-> Opening", "-> Opening", "changed -> Opening", "-> Opening",
             "changed reply:UNAVAILABLE ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:5s -> Ended",
             "-> Opening", "-> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:5s -> Ended",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:5s -> Ended",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:5s -> Ended"}},
        Row{"Informed",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed", "-> Informed",
             "changed deadline:0 -> Active", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Informed",
             "-> Informed", "-> Informed",
             "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4502 close changed ended:NEVER_ATTACHED deadline:5s -> Ended"}},
        Row{"Active",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "-> Active", "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active"}},
        Row{"ActiveWithResult",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kProgramEnded},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Active",
             "-> Active", "-> Active",
             "end:4503 close changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active"}},
        Row{"Closing",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTerminated},
            {"-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing",
             "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing",
             "-> Closing", "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended",
             "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing", "-> Closing",
             "changed ended:TERMINATED deadline:5s -> Ended"}},
        Row{"Ended",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTunnelEnded},
            {"-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended",
             "-> Ended", "changed deadline:0 forget -> Done", "changed deadline:0 forget -> Done",
             "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "forget -> Done"}},
        Row{"Done",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTunnelEnded, Type::kProgramEnded},
            {"-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done",
             "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done",
             "-> Done"}},
        Row{"IcgRequested",
            v1::Session::OS12_ICG,
            {Type::kRequested},
            {"-> Opening", "-> Opening",
             "end:4503 close changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:0 forget -> "
             "Done",
             "-> Opening", "changed -> Opening", "changed -> Opening", "-> Opening",
             "changed reply:UNAVAILABLE ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:0 forget -> "
             "Done",
             "-> Opening",
             "end:4502 close changed reply:UNAVAILABLE ended:DEVICE_LOST deadline:0 forget -> Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done"}},
        Row{"IcgRecorded",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded},
            {"-> Opening", "-> Opening",
             "end:4503 close changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:0 forget -> "
             "Done",
             "changed reply:OK deadline:45s -> Informed", "changed -> Opening",
             "changed -> Opening", "-> Opening",
             "changed reply:UNAVAILABLE ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:0 forget -> "
             "Done",
             "-> Opening",
             "end:4502 close changed reply:UNAVAILABLE ended:DEVICE_LOST deadline:0 forget -> Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done"}},
        Row{"IcgInformed",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed", "changed -> Informed",
             "changed -> Informed", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "end:4502 close changed ended:DEVICE_LOST deadline:0 forget -> Done", "-> Informed",
             "end:4503 close changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4502 close changed ended:NEVER_ATTACHED deadline:0 forget -> Done"}},
        Row{"IcgInformedConsoleFirst",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kConsoleAttached},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed",
             "changed deadline:0 -> Active", "-> Informed", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "end:4502 close changed ended:DEVICE_LOST deadline:0 forget -> Done", "-> Informed",
             "end:4503 close changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4502 close changed ended:NEVER_ATTACHED deadline:0 forget -> Done"}},
        Row{"IcgActive",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kConsoleAttached,
             Type::kDeviceAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "-> Active", "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active"}}),
    [](const ::testing::TestParamInfo<Row>& info) { return std::string(info.param.name); });

std::vector<v1::TimelineEntry::Step> Steps(const SessionMachine& machine) {
  std::vector<v1::TimelineEntry::Step> steps;
  for (const v1::TimelineEntry& entry : machine.session().timeline()) steps.push_back(entry.step());
  return steps;
}

TEST(SessionMachine, Os12DirectPassesTheStepsInTheArticlesOrder) {
  SessionMachine machine = NewMachine();

  for (Type type : {Type::kRequested, Type::kRecorded, Type::kDeviceAttached,
                    Type::kConsoleAttached, Type::kDataFlowing, Type::kTunnelEnded}) {
    machine.Apply(EventOf(type));
  }

  EXPECT_THAT(Steps(machine),
              ElementsAre(v1::TimelineEntry::CONSOLE_REQUESTED, v1::TimelineEntry::DEVICE_REQUESTED,
                          v1::TimelineEntry::DEVICE_ATTACHED, v1::TimelineEntry::CONSOLE_INFORMED,
                          v1::TimelineEntry::CONSOLE_ATTACHED, v1::TimelineEntry::DATA_FLOWING,
                          v1::TimelineEntry::ENDED));
}

TEST(SessionMachine, OverAnIcgTheConsoleIsInformedWhenTheIcgHasAccepted) {
  SessionMachine machine = NewMachine(v1::Session::OS12_ICG);

  for (Type type : {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kConsoleAttached,
                    Type::kDeviceAttached, Type::kDataFlowing}) {
    machine.Apply(EventOf(type));
  }

  EXPECT_EQ(machine.phase(), Phase::kActive);
  EXPECT_THAT(Steps(machine),
              ElementsAre(v1::TimelineEntry::CONSOLE_REQUESTED, v1::TimelineEntry::ICG_REQUESTED,
                          v1::TimelineEntry::DEVICE_REQUESTED, v1::TimelineEntry::CONSOLE_INFORMED,
                          v1::TimelineEntry::CONSOLE_ATTACHED, v1::TimelineEntry::DEVICE_ATTACHED,
                          v1::TimelineEntry::DATA_FLOWING));
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
