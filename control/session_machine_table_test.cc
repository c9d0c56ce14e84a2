// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The session's states: every situation of each flow with every event.
#include <string>
#include <vector>

#include "control/testing/session_machine_events.h"
#include "control/testing/session_machine_ledger.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

// A situation, and what each event of kAllSessionEvents does in it.
struct Row {
  const char* name;
  v1::Session::Flow flow;
  std::vector<Type> before;
  std::vector<const char*> expected;
};

class SessionMachineTable : public ::testing::TestWithParam<Row> {};

TEST_P(SessionMachineTable, EveryEvent) {
  const Row& row = GetParam();
  ASSERT_EQ(row.expected.size(), std::size(kAllSessionEvents));

  for (std::size_t i = 0; i < std::size(kAllSessionEvents); ++i) {
    SessionMachine machine = NewMachine(row.flow);
    ApplyAll(machine, row.before);

    const SessionActions actions = machine.Apply(EventOf(kAllSessionEvents[i]));

    EXPECT_EQ(Describe(machine, actions), row.expected[i]) << row.name << ", event " << i;
  }
}

// Nothing that happens after the end, in any order, changes anything but the program's result.
TEST_P(SessionMachineTable, EveryPairOfEventsKeepsTheInvariants) {
  const Row& row = GetParam();
  for (Type first : kAllSessionEvents) {
    for (Type second : kAllSessionEvents) {
      SessionMachine machine = NewMachine(row.flow);
      Ledger ledger;
      std::vector<Type> all = row.before;
      all.insert(all.end(), {first, second});
      for (Type type : all) ledger.Take(machine, machine.Apply(EventOf(type)));
      ledger.Check(machine);
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
             "-> New", "-> New", "-> New", "-> New", "-> New"}},
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
             "Done",
             "-> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
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
             "Done",
             "-> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
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
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:5s -> Ended",
             "-> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:5s -> Ended"}},
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
             "end:4502 close changed ended:NEVER_ATTACHED deadline:5s -> Ended", "-> Informed",
             "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended"}},
        Row{"Active",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "-> Active", "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active", "-> Active",
             "end:4503 close changed ended:SERVER_STOPPED deadline:5s -> Ended"}},
        Row{"ActiveWithResult",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kProgramEnded},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Active",
             "-> Active", "-> Active",
             "end:4503 close changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active", "-> Active",
             "end:4503 close changed ended:SERVER_STOPPED deadline:0 forget -> Done"}},
        Row{"Closing",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTerminated},
            {"-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing",
             "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing",
             "-> Closing", "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended",
             "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing", "-> Closing",
             "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing",
             "changed ended:TERMINATED deadline:5s -> Ended"}},
        Row{"Ended",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTunnelEnded},
            {"-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended",
             "-> Ended", "changed deadline:0 forget -> Done", "changed deadline:0 forget -> Done",
             "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "forget -> Done",
             "-> Ended", "forget -> Done"}},
        Row{"Done",
            v1::Session::OS12_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTunnelEnded, Type::kProgramEnded},
            {"-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done",
             "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done", "-> Done",
             "-> Done", "-> Done"}},
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
             "end:4503 close changed reply:UNAVAILABLE ended:EDGE_LOST deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:EDGE_LOST deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done",
             "changed -> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
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
             "end:4503 close changed reply:UNAVAILABLE ended:EDGE_LOST deadline:0 forget -> "
             "Done",
             "end:4503 close changed reply:UNAVAILABLE ended:EDGE_LOST deadline:0 forget -> "
             "Done",
             "end:4410 close changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 close changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> "
             "Done",
             "end:4502 close changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> "
             "Done",
             "changed -> Opening",
             "end:4503 close changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> "
             "Done"}},
        Row{"IcgInformed",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed", "changed -> Informed",
             "changed -> Informed", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "end:4502 close changed ended:DEVICE_LOST deadline:0 forget -> Done",
             "deadline:40s -> Informed",
             "end:4503 close changed ended:EDGE_LOST deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4502 close changed ended:NEVER_ATTACHED deadline:0 forget -> Done",
             "changed -> Informed", "-> Informed"}},
        Row{"IcgInformedConsoleFirst",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kConsoleAttached},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed",
             "changed deadline:0 -> Active", "-> Informed", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "end:4502 close changed ended:DEVICE_LOST deadline:0 forget -> Done",
             "deadline:40s -> Informed",
             "end:4503 close changed ended:EDGE_LOST deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4502 close changed ended:NEVER_ATTACHED deadline:0 forget -> Done",
             "changed -> Informed", "-> Informed"}},
        Row{"IcgActive",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kConsoleAttached,
             Type::kDeviceAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "deadline:40s -> Active",
             "end:4503 close changed ended:EDGE_LOST deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active",
             "changed -> Active", "-> Active"}},
        Row{"IcgInformedAbsent",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kEdgeGone},
            {"-> Informed", "-> Informed", "-> Informed", "deadline:45s -> Informed",
             "changed deadline:45s -> Informed", "changed deadline:45s -> Informed",
             "deadline:45s -> Informed", "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "end:4502 close changed ended:DEVICE_LOST deadline:0 forget -> Done",
             "deadline:40s -> Informed",
             "end:4503 close changed ended:EDGE_LOST deadline:0 forget -> Done",
             "end:4410 close deadline:400ms -> Closing", "-> Informed",
             "end:4410 close changed ended:EDGE_LOST deadline:0 forget -> Done",
             "changed deadline:45s -> Informed", "-> Informed"}},
        Row{"IcgActiveAbsent",
            v1::Session::OS12_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
             Type::kConsoleAttached, Type::kDeviceAttached, Type::kEdgeGone},
            {"-> Active", "-> Active", "-> Active", "deadline:0 -> Active", "deadline:0 -> Active",
             "deadline:0 -> Active", "changed deadline:0 -> Active",
             "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "deadline:40s -> Active",
             "end:4503 close changed ended:EDGE_LOST deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active",
             "end:4410 close changed ended:EDGE_LOST deadline:5s -> Ended", "deadline:0 -> Active",
             "-> Active"}},
        Row{"IcgClosingAbsent",
            v1::Session::OS11_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
             Type::kConsoleAttached, Type::kDeviceAttached, Type::kEdgeGone, Type::kTerminated},
            {"-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing",
             "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing",
             "-> Closing", "-> Closing", "changed ended:TERMINATED deadline:5s -> Ended",
             "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing", "-> Closing",
             "changed ended:TERMINATED deadline:5s -> Ended", "-> Closing",
             "changed ended:TERMINATED deadline:5s -> Ended"}},
        Row{"IcgEnded",
            v1::Session::OS11_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
             Type::kDeviceAttached, Type::kConsoleAttached, Type::kTunnelEnded},
            {"-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended",
             "-> Ended", "changed deadline:0 forget -> Done", "changed deadline:0 forget -> Done",
             "-> Ended", "-> Ended", "-> Ended", "-> Ended", "-> Ended", "forget -> Done",
             "-> Ended", "forget -> Done"}},
        Row{"Os11IcgActive",
            v1::Session::OS11_ICG,
            {Type::kRequested, Type::kRecorded, Type::kEdgeAccepted, Type::kDeviceRequested,
             Type::kDeviceAttached, Type::kConsoleAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:5s -> Ended",
             "end:4502 changed ended:DEVICE_REFUSED deadline:5s -> Ended", "-> Active", "-> Active",
             "deadline:40s -> Active",
             "end:4503 close changed ended:EDGE_LOST deadline:5s -> Ended",
             "end:4410 close deadline:400ms -> Closing", "-> Active", "-> Active", "-> Active",
             "-> Active"}},
        Row{"DialledRequested",
            v1::Session::OS11_DIRECT,
            {Type::kRequested},
            {"-> Opening", "-> Opening",
             "end:4503 changed reply:INTERNAL ended:CAUSE_UNSPECIFIED deadline:0 forget -> Done",
             "-> Opening", "changed -> Opening", "changed -> Opening", "-> Opening",
             "changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> Done",
             "end:4502 changed reply:FAILED_PRECONDITION ended:DEVICE_REFUSED deadline:0 forget -> "
             "Done",
             "-> Opening", "-> Opening",
             "end:4503 changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4503 changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 changed reply:ABORTED ended:TERMINATED deadline:0 forget -> Done",
             "end:1000 changed reply:CANCELLED ended:CONSOLE_CLOSED deadline:0 forget -> Done",
             "end:4502 changed reply:UNAVAILABLE ended:NEVER_ATTACHED deadline:0 forget -> Done",
             "-> Opening",
             "end:4503 changed reply:UNAVAILABLE ended:SERVER_STOPPED deadline:0 forget -> Done"}},
        Row{"DialledInformed",
            v1::Session::OS11_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached},
            {"-> Informed", "-> Informed", "-> Informed", "-> Informed", "-> Informed",
             "changed deadline:0 -> Active", "-> Informed",
             "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Informed",
             "-> Informed", "-> Informed",
             "end:4503 changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 deadline:400ms -> Closing", "-> Informed",
             "end:4502 changed ended:NEVER_ATTACHED deadline:0 forget -> Done", "-> Informed",
             "end:4503 changed ended:SERVER_STOPPED deadline:0 forget -> Done"}},
        Row{"DialledActive",
            v1::Session::OS11_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached},
            {"-> Active", "-> Active", "-> Active", "-> Active", "-> Active", "-> Active",
             "changed -> Active", "changed ended:PROGRAM_ENDED deadline:0 forget -> Done",
             "end:4502 changed ended:DEVICE_REFUSED deadline:0 forget -> Done", "-> Active",
             "-> Active", "-> Active",
             "end:4503 changed ended:SERVER_STOPPED deadline:0 forget -> Done",
             "end:4410 deadline:400ms -> Closing", "-> Active", "-> Active", "-> Active",
             "end:4503 changed ended:SERVER_STOPPED deadline:0 forget -> Done"}},
        Row{"DialledClosing",
            v1::Session::OS11_DIRECT,
            {Type::kRequested, Type::kRecorded, Type::kDeviceAttached, Type::kConsoleAttached,
             Type::kTerminated},
            {"-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing", "-> Closing",
             "-> Closing", "changed ended:TERMINATED deadline:0 forget -> Done", "-> Closing",
             "-> Closing", "-> Closing", "changed ended:TERMINATED deadline:0 forget -> Done",
             "changed ended:TERMINATED deadline:0 forget -> Done", "-> Closing", "-> Closing",
             "changed ended:TERMINATED deadline:0 forget -> Done", "-> Closing",
             "changed ended:TERMINATED deadline:0 forget -> Done"}}),
    [](const ::testing::TestParamInfo<Row>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fairlead::control
