// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions over an ICG: the flow in both orders, refusals, and devices that move. In virtual time.
// Losses and restarts are in session_icg_loss_test.cc.
#include <memory>
#include <string>

#include "base/status.h"
#include "base/status_matchers.h"
#include "control/sha256.h"
#include "control/testing/session_icg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionIcgTest : public SessionIcgFixture {};

// ---- The flow ----

TEST_F(SessionIcgTest, TheConsoleIsInformedWhileTheIcgAsksTheDevice) {
  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_FALSE(outcome->answered);
  EXPECT_EQ(icg_.Last(v1::EdgeCommand::kRegisterSession).register_session().session_id(),
            outcome->id);
  EXPECT_EQ(icg_.LastToDevice().open_terminal().session_id(), outcome->id);

  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});

  ASSERT_THAT(outcome->result, IsOk());
  EXPECT_EQ(outcome->result->flow(), v1::Session::OS12_ICG);
  EXPECT_EQ(outcome->result->stream(), v1::Session::PTY);
  EXPECT_EQ(outcome->result->icg(), kIcg);
  EXPECT_EQ(outcome->result->console_url(), "wss://icg.example:443/console-connector/terminal");
  TunnelAtIcg(outcome->id, {Tunnels::DEVICE_REQUESTED, Tunnels::CONSOLE_ATTACHED,
                            Tunnels::DEVICE_ATTACHED, Tunnels::DATA_FLOWING});
  ProgramEnds(outcome->id, 7);
  EndAtIcg(outcome->id);
  EXPECT_THAT(Steps(outcome->id),
              ElementsAre(Step::CONSOLE_REQUESTED, Step::ICG_REQUESTED, Step::CONSOLE_INFORMED,
                          Step::DEVICE_REQUESTED, Step::CONSOLE_ATTACHED, Step::DEVICE_ATTACHED,
                          Step::DATA_FLOWING, Step::ENDED));
  EXPECT_EQ(Get(outcome->id).end().exit_code(), 7);
  EXPECT_EQ(Get(outcome->id).end().bytes_to_console(), 5u);
  EXPECT_FALSE(OnBoard(outcome->id));
}

TEST_F(SessionIcgTest, TheDeviceMayBeAskedAndComeBeforeTheConsoleIsInformed) {
  store_runs_ = false;
  const std::shared_ptr<Outcome> outcome = Open();
  TunnelAtIcg(outcome->id,
              {Tunnels::ACCEPTED, Tunnels::DEVICE_REQUESTED, Tunnels::DEVICE_ATTACHED});
  EXPECT_FALSE(outcome->answered);
  store_runs_ = true;
  RunAll();
  ASSERT_THAT(outcome->result, IsOk());
  TunnelAtIcg(outcome->id, {Tunnels::CONSOLE_ATTACHED});

  EXPECT_THAT(Steps(outcome->id),
              ElementsAre(Step::CONSOLE_REQUESTED, Step::ICG_REQUESTED, Step::DEVICE_REQUESTED,
                          Step::DEVICE_ATTACHED, Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED));
  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ACTIVE);
}

TEST_F(SessionIcgTest, AConsoleMayGoThroughTheServerWherePolicyAllows) {
  v1::Icg icg;
  icg.set_name(kIcg);
  icg.set_internal_address("grpcs://10.0.0.5:8443");
  icg.set_proxy("http://proxy:3128");
  sessions().SetIcg(icg);
  // By default it may not.
  const std::string direct = OpenAtIcg();
  EXPECT_FALSE(edge_.Last(v1::EdgeCommand::kForwardConsole).has_forward_console());
  consoles_through_server_ = true;
  Restart();
  sessions().SetIcg(icg);
  Link("icg1", kIcg);
  Connect(2, "", kIcg);

  const std::shared_ptr<Outcome> outcome = Open();
  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});

  ASSERT_THAT(outcome->result, IsOk());
  EXPECT_EQ(outcome->result->console_url(), "wss://icg.example:443/console-connector/terminal");
  EXPECT_EQ(outcome->result->console_fallback_url(),
            "wss://ums.example:8443/console-connector/terminal");
  const v1::ForwardConsole way = edge_.Last(v1::EdgeCommand::kForwardConsole).forward_console();
  EXPECT_EQ(way.session_id(), outcome->id);
  EXPECT_EQ(way.console_ticket_sha256(), Sha256(outcome->result->console_ticket()));
  EXPECT_EQ(way.icg_id(), "berlin");
  EXPECT_EQ(way.address(), "grpcs://10.0.0.5:8443");
  EXPECT_EQ(way.proxy(), "http://proxy:3128");
  EXPECT_FALSE(Get(outcome->id).console_through_server());
  EXPECT_TRUE(Get(outcome->id).console_fallback_url().empty());
  v1::EdgeEvent event;
  event.mutable_console_forwarded()->set_session_id(outcome->id);
  // An ICG has no say in it.
  Happen(event, kIcg);
  EXPECT_FALSE(Get(outcome->id).console_through_server());
  Happen(event);
  EXPECT_TRUE(Get(outcome->id).console_through_server());
  TunnelAtIcg(outcome->id, {Tunnels::DEVICE_ATTACHED, Tunnels::CONSOLE_ATTACHED});
  EndAtIcg(outcome->id);
  Happen(event);
  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ENDED);
}

TEST_F(SessionIcgTest, AnOs11DeviceOverAnIcgSpeaksTelnet) {
  Connect(2, "", kIcg, v1::Device::OS_11);

  const std::string id = RunAtIcg();

  EXPECT_EQ(Get(id).flow(), v1::Session::OS11_ICG);
  EXPECT_EQ(Get(id).stream(), v1::Session::TELNET);
  EXPECT_TRUE(icg_.Last(v1::EdgeCommand::kRegisterSession).register_session().unacknowledged());
  EndAtIcg(id);
  EXPECT_TRUE(OnBoard(id));
  ProgramEnds(id, 3);
  EXPECT_EQ(Get(id).end().exit_code(), 3);
  EXPECT_FALSE(OnBoard(id));
}

TEST_F(SessionIcgTest, R01HeartbeatsWhileOpeningAndRunningChangeNothing) {
  v1::DeviceMessage heartbeat;
  heartbeat.mutable_heartbeat();
  const std::shared_ptr<Outcome> outcome = Open();
  const std::string before = Get(outcome->id).SerializeAsString();

  for (int i = 0; i < 3; ++i) Report(heartbeat, kUnit, kIcg);

  EXPECT_EQ(Get(outcome->id).SerializeAsString(), before);
  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});
  Report(heartbeat, kUnit, kIcg);
  TunnelAtIcg(outcome->id, {Tunnels::DEVICE_REQUESTED, Tunnels::DEVICE_ATTACHED});
  Report(heartbeat, kUnit, kIcg);
  TunnelAtIcg(outcome->id, {Tunnels::CONSOLE_ATTACHED});
  Report(heartbeat, kUnit, kIcg);
  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ACTIVE);
}

TEST_F(SessionIcgTest, R02AfterAFailedSessionTheNextOpensAtOnce) {
  const std::string failed = RunAtIcg();
  const std::string first_ticket =
      icg_.Last(v1::EdgeCommand::kRegisterSession).register_session().console_ticket_sha256();
  Tunnel(failed, Tunnels::ENDED, Tunnels::DEVICE, 1006, kIcg);
  EXPECT_EQ(CauseOf(failed), v1::SessionEnd::DEVICE_LOST);

  const std::string id = RunAtIcg();

  EXPECT_NE(id, failed);
  EXPECT_NE(icg_.Last(v1::EdgeCommand::kRegisterSession).register_session().console_ticket_sha256(),
            first_ticket);
}

TEST_F(SessionIcgTest, R16NoRightOnTheIcgIsAskedFor) {
  // The caller is known to have rights on nothing but what CreateSession names: the device.
  EXPECT_EQ(Get(RunAtIcg()).icg(), kIcg);
}

TEST_F(SessionIcgTest, R17ARefusalNamesTheDeviceAndItsUnitId) {
  const std::shared_ptr<Outcome> outcome = Open();

  Disconnect(1, kIcg);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable,
                                        AllOf(HasSubstr(kUnit), HasSubstr("reception"))));
  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                       AllOf(HasSubstr(kUnit), HasSubstr("reception"))));
}

TEST_F(SessionIcgTest, ARefusalAfterTheConsoleWasInformedEndsTheSession) {
  const std::string id = OpenAtIcg();
  v1::DeviceMessage message;
  message.mutable_open_terminal_result()->set_session_id(id);
  message.mutable_open_terminal_result()->set_refusal(v1::OpenTerminalResult::DISABLED);
  message.mutable_open_terminal_result()->set_message("terminals are switched off here");

  Report(message, kUnit, kIcg);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::DEVICE_REFUSED);
  EXPECT_EQ(icg_.LastEnd().session_id(), id);
  EXPECT_THAT(icg_.LastEnd().reason(), HasSubstr("terminals are switched off here"));
}

TEST_F(SessionIcgTest, AnIcgThatDoesNotAcceptIsNamed) {
  const std::shared_ptr<Outcome> outcome = Open();

  Advance(absl::Seconds(20));

  EXPECT_THAT(outcome->result,
              StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr(kIcg), HasSubstr(kUnit))));
}

TEST_F(SessionIcgTest, AnIcgWithoutAnExternalAddressIsNoWay) {
  sessions().SetConsoleAddress(kIcg, "");

  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                       AllOf(HasSubstr(kIcg), HasSubstr("external address"))));
}

// ---- Devices that move ----

TEST_F(SessionIcgTest, ADeviceThatMovesWhileASessionIsOpenedFailsIt) {
  const std::shared_ptr<Outcome> outcome = Open();

  Connect(1, "", kLocalEdge);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable,
                                        AllOf(HasSubstr(kUnit), HasSubstr("try again"))));
  const std::shared_ptr<Outcome> again = Open();
  Tunnel(again->id, Tunnels::DEVICE_ATTACHED);
  ASSERT_THAT(again->result, IsOk());
  EXPECT_EQ(again->result->flow(), v1::Session::OS12_DIRECT);
  EXPECT_EQ(again->result->icg(), "");
}

TEST_F(SessionIcgTest, ARunningSessionOutlivesTheMoveOfItsDevice) {
  const std::string id = RunAtIcg();

  Connect(1, id, kLocalEdge);

  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
  EXPECT_FALSE(edge_.LastToDevice().has_close_terminal());
}

TEST_F(SessionIcgTest, AnotherEdgesWordOnASessionDoesNotCount) {
  const std::string id = RunAtIcg();

  Tunnel(id, Tunnels::ENDED, Tunnels::DEVICE, 1000, kLocalEdge);

  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
}

TEST_F(SessionIcgTest, ADeviceBehindALostLinkIsOfflineForThatReason) {
  Unlink(kIcg);

  const absl::Status status = Open()->result.status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(kUnit), HasSubstr("the link to icgs/berlin"))));
  EXPECT_EQ(ReasonOf(status), "DEVICE_OFFLINE");
  Link("icg1", kIcg);
  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("last seen")));
}

}  // namespace
}  // namespace fairlead::control
