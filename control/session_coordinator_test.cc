// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The coordinator and the edge controller together, with a fake edge, in virtual time: the flow,
// requests that are refused, the failure of each step. What ends a session later is in
// session_end_test.cc; sessions over an ICG are in session_icg_test.cc, those on OS 11 devices in
// session_os11_test.cc.
#include "control/session_coordinator.h"

#include <memory>
#include <string>

#include "base/status.h"
#include "base/status_matchers.h"
#include "control/sha256.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionCoordinatorTest : public SessionFixture {};

// ---- The flow ----

TEST_F(SessionCoordinatorTest, TheFlowPassesItsStepsInOrder) {
  Connect();

  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_FALSE(outcome->answered);
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);
  ASSERT_THAT(outcome->result, IsOk());
  Tunnel(outcome->id, v1::TunnelEvent::CONSOLE_ATTACHED);
  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ACTIVE);
  Tunnel(outcome->id, v1::TunnelEvent::DATA_FLOWING);
  ProgramEnds(outcome->id, 7);
  Tunnel(outcome->id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  EXPECT_THAT(
      Steps(outcome->id),
      ElementsAre(Step::CONSOLE_REQUESTED, Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED,
                  Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED, Step::DATA_FLOWING, Step::ENDED));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_EQ(Get(outcome->id).end().exit_code(), 7);
  EXPECT_FALSE(OnBoard(outcome->id));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create SUCCEEDED",
                                               "users/admin session.end SUCCEEDED"));
  EXPECT_THAT(store_.audit()[0].detail(), HasSubstr("ticket 4711"));
}

TEST_F(SessionCoordinatorTest, TheReplyHasTheTicketOfWhichTheEdgeHasTheHash) {
  Connect();

  const std::shared_ptr<Outcome> outcome = Open();
  const v1::RegisterSession registration =
      edge_.Last(v1::EdgeCommand::kRegisterSession).register_session();
  const v1::OpenTerminal open = edge_.LastToDevice().open_terminal();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);

  ASSERT_THAT(outcome->result, IsOk());
  EXPECT_EQ(Sha256(outcome->result->console_ticket()), registration.console_ticket_sha256());
  EXPECT_EQ(Sha256(open.ticket()), registration.device_ticket_sha256());
  EXPECT_NE(open.ticket(), outcome->result->console_ticket());
  EXPECT_EQ(outcome->result->console_ticket().size(), 43u);
  EXPECT_EQ(outcome->result->console_url(), "wss://ums.example:8443/console-connector/terminal");
  EXPECT_EQ(registration.unit_id(), kUnit);
  EXPECT_FALSE(registration.unacknowledged());
  EXPECT_EQ(open.columns(), 80u);
  EXPECT_EQ(open.rows(), 24u);
  EXPECT_EQ(open.user(), "users/admin");
  EXPECT_FALSE(Get(outcome->id).has_console_ticket());
  EXPECT_FALSE(store_.GetSession(outcome->result->name())->has_console_ticket());
}

TEST_F(SessionCoordinatorTest, TheTicketWaitsForTheAuditRecord) {
  Connect();
  store_runs_ = false;

  const std::shared_ptr<Outcome> outcome = Open();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);
  EXPECT_FALSE(outcome->answered);
  store_runs_ = true;
  RunAll();

  EXPECT_THAT(outcome->result, IsOk());
}

TEST_F(SessionCoordinatorTest, AResultMayComeAfterTheTunnelsEnd) {
  Connect();
  const std::string id = OpenActive();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);
  EXPECT_EQ(Get(id).state(), v1::Session::ENDED);
  EXPECT_TRUE(OnBoard(id));
  Advance(absl::Seconds(4));
  ProgramEnds(id, 3);

  EXPECT_EQ(Get(id).end().exit_code(), 3);
  EXPECT_FALSE(OnBoard(id));
}

TEST_F(SessionCoordinatorTest, AResultThatNeverComesIsUnknown) {
  Connect();
  const std::string id = OpenActive();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1006);
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::DEVICE_LOST);
  EXPECT_EQ(Get(id).end().result_case(), v1::SessionEnd::RESULT_NOT_SET);
}

// ---- Requests that are refused ----

TEST_F(SessionCoordinatorTest, AnUnknownDeviceIsNotFound) {
  v1::CreateSessionRequest request = Request();
  request.set_device("devices/other");
  request.set_columns(5000);  // The device is looked at first.

  EXPECT_THAT(Open(request)->result, StatusIs(absl::StatusCode::kNotFound, HasSubstr("other")));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create REFUSED"));
}

TEST_F(SessionCoordinatorTest, SizesAndTextsOutOfRangeAreInvalid) {
  Connect();
  v1::CreateSessionRequest request = Request();
  request.set_columns(1001);
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("columns")));
  request = Request();
  request.set_rows(1001);
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rows")));
  request = Request();
  request.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(Open(request)->result,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reason")));
}

TEST_F(SessionCoordinatorTest, AnOfflineDevicesSentenceNamesItAndWhenItWasSeen) {
  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                       AllOf(HasSubstr(kUnit), HasSubstr("never been connected"))));

  Connect();
  Disconnect();
  Advance(absl::Minutes(3));

  const absl::Status status = Open()->result.status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(kUnit), HasSubstr("last seen"), HasSubstr("3m ago"))));
  EXPECT_EQ(ReasonOf(status), "DEVICE_OFFLINE");
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kRegisterSession).command_case(),
            v1::EdgeCommand::COMMAND_NOT_SET);
}

TEST_F(SessionCoordinatorTest, ADisabledTerminalIsRefused) {
  Connect();
  ASSERT_THAT(directory().Change(
                  kUnit,
                  [](v1::Device& device) {
                    device.mutable_terminal()->set_enabled(false);
                    return absl::OkStatus();
                  },
                  Unaudited),
              IsOk());

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("disabled"), HasSubstr(kUnit), HasSubstr("enable"))));
}

TEST_F(SessionCoordinatorTest, AnUnknownProfileIsRefusedWithThoseThereAre) {
  Connect();
  v1::CreateSessionRequest request = Request();
  request.set_profile("root");

  EXPECT_THAT(Open(request)->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                              AllOf(HasSubstr("root"), HasSubstr("shell"))));
}

TEST_F(SessionCoordinatorTest, TheRateLimitSaysWhenToTryAgain) {
  Connect();
  for (int i = 0; i < 3; ++i) OpenInformed();

  const std::shared_ptr<Outcome> refused = Open();
  EXPECT_THAT(refused->result,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("try again in 20s")));
  EXPECT_EQ(RetryDelayOf(refused->result.status()), absl::Seconds(20));
  Advance(absl::Seconds(20));
  EXPECT_FALSE(Open()->answered);
}

TEST_F(SessionCoordinatorTest, TheDevicesLimitCountsSessionsThatAreOpen) {
  Connect();
  ASSERT_THAT(directory().Change(
                  kUnit,
                  [](v1::Device& device) {
                    device.mutable_terminal()->set_max_sessions(1);
                    return absl::OkStatus();
                  },
                  Unaudited),
              IsOk());
  const std::string id = OpenActive();

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_sessions")));
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::CONSOLE, 1000);
  EXPECT_FALSE(Open()->answered);
}

// ---- Failures on the way ----

TEST_F(SessionCoordinatorTest, ADeviceThatDoesNotComeFailsAfterTheDeadline) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Advance(absl::Seconds(19));
  EXPECT_FALSE(outcome->answered);
  Advance(absl::Seconds(1));

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kUnit)));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::NEVER_ATTACHED);
  EXPECT_EQ(edge_.LastEnd().session_id(), outcome->id);
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), outcome->id);
  EXPECT_THAT(store_.AuditLines(), Contains("users/admin session.open FAILED"));
}

TEST_F(SessionCoordinatorTest, ADevicesRefusalReachesTheCaller) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();
  v1::DeviceMessage message;
  message.mutable_open_terminal_result()->set_session_id(outcome->id);
  message.mutable_open_terminal_result()->set_refusal(v1::OpenTerminalResult::DISABLED);
  message.mutable_open_terminal_result()->set_message("terminals are switched off here");

  Report(message, "another");
  EXPECT_FALSE(outcome->answered);
  Report(message);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("terminals are switched off here")));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::DEVICE_REFUSED);
  EXPECT_THAT(store_.AuditLines(), Contains("users/admin session.open REFUSED"));
}

TEST_F(SessionCoordinatorTest, ADeviceThatDisconnectsFailsItsOpeningSessionsAtOnce) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();

  Disconnect();

  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kUnit)));
  EXPECT_EQ(CauseOf(opening->id), v1::SessionEnd::DEVICE_LOST);
  EXPECT_EQ(Get(active).state(), v1::Session::ACTIVE);
}

TEST_F(SessionCoordinatorTest, ANewerConnectionFailsWhatWasAskedOverTheOlder) {
  Connect(1);
  const std::shared_ptr<Outcome> opening = Open();

  Connect(2);
  Disconnect(1);

  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(directory().Get(kUnit)->connection().state(), v1::Connection::ONLINE);
}

TEST_F(SessionCoordinatorTest, ALinkThatCannotSendFailsTheSession) {
  Connect();
  edge_.up = false;

  const std::shared_ptr<Outcome> outcome = Open();

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(OnBoard(outcome->id));
}

TEST_F(SessionCoordinatorTest, AStoreThatFailsGivesNoTicket) {
  Connect();
  store_.FailWrites(absl::InternalError("disk full"));

  const std::shared_ptr<Outcome> outcome = Open();
  Tunnel(outcome->id, v1::TunnelEvent::DEVICE_ATTACHED);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kInternal, HasSubstr("disk full")));
  EXPECT_FALSE(OnBoard(outcome->id));
  EXPECT_EQ(edge_.LastEnd().session_id(), outcome->id);
}

TEST_F(SessionCoordinatorTest, AnEndThatCannotBeStoredIsStoredLater) {
  Connect();
  const std::string id = OpenActive();
  store_.FailWrites(absl::InternalError("disk full"));
  ProgramEnds(id, 0);

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);
  EXPECT_TRUE(OnBoard(id));
  store_.FailWrites(absl::OkStatus());
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
  EXPECT_EQ(Get(id).state(), v1::Session::ENDED);
}

TEST_F(SessionCoordinatorTest, ATunnelThatEndsWhileOpeningFailsTheCall) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Tunnel(outcome->id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4503);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionCoordinatorTest, AConsoleThatNeverComesEndsTheSession) {
  Connect();
  const std::string id = OpenInformed();

  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4502);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::NEVER_ATTACHED);
}

TEST_F(SessionCoordinatorTest, AnEdgeThatSaysNothingLeavesNoGhost) {
  Connect();
  const std::string id = OpenInformed();

  Advance(absl::Seconds(46));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::NEVER_ATTACHED);
  Advance(absl::Seconds(6));

  EXPECT_FALSE(OnBoard(id));
}

}  // namespace
}  // namespace fairlead::control
