// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an edge tells besides sessions, with a fake edge: devices that come, settings that go to
// them, enrolment, refusals.
#include "control/edge_controller.h"

#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;

class EdgeControllerTest : public SessionFixture {};

TEST_F(EdgeControllerTest, AConnectedDeviceIsWelcomedWithItsSettings) {
  Connect();

  const v1::ServerWelcome welcome = edge_.LastToDevice().welcome();
  EXPECT_EQ(welcome.unit_id(), kUnit);
  EXPECT_TRUE(welcome.settings().enabled());
  EXPECT_EQ(welcome.settings().max_sessions(), 16u);
  EXPECT_EQ(FromTimestamp(welcome.server_time()), clock_.Now());
}

TEST_F(EdgeControllerTest, ADeviceThatIsNotInTheDirectoryIsDropped) {
  v1::EdgeEvent event;
  event.mutable_device_connected()->set_unit_id("stranger");
  Happen(event);

  const v1::DropDevice drop = edge_.Last(v1::EdgeCommand::kDropDevice).drop_device();
  EXPECT_EQ(drop.unit_id(), "stranger");
  EXPECT_EQ(drop.close_code(), 4403u);
}

TEST_F(EdgeControllerTest, SettingsAreForwardedToADeviceThatIsOnline) {
  Connect();
  v1::TerminalSettings settings;
  settings.set_enabled(false);

  edges().ForwardSettings(kUnit, settings);
  RunAll();

  EXPECT_TRUE(edge_.LastToDevice().has_update_settings());
  EXPECT_FALSE(edge_.LastToDevice().update_settings().enabled());
}

TEST_F(EdgeControllerTest, EnrolmentIsAnsweredOverTheLink) {
  v1::EdgeEvent event;
  event.mutable_est_request()->set_request_id(9);
  event.mutable_est_request()->set_unit_id("new");
  Happen(event);

  const v1::EstResponse response = edge_.Last(v1::EdgeCommand::kEstResponse).est_response();
  EXPECT_EQ(response.request_id(), 9u);
  EXPECT_EQ(response.body(), "for new");
}

TEST_F(EdgeControllerTest, RefusalsAtTheEdgeAreAudited) {
  v1::EdgeEvent event;
  event.mutable_refusal()->set_action("tunnel.attach");
  event.mutable_refusal()->set_detail("ticket used");
  Happen(event);

  EXPECT_THAT(store_.AuditLines(), ElementsAre("anonymous tunnel.attach REFUSED"));
}

}  // namespace
}  // namespace fairlead::control
