// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions on OS 11 devices that the server dials. In virtual time.
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tunnels = v1::TunnelEvent;

constexpr char kAddress[] = "192.0.2.7:30022";

class SessionOs11Test : public SessionFixture {
 protected:
  SessionOs11Test() {
    Change([](v1::Device& device) {
      device.set_os_generation(v1::Device::OS_11);
      device.set_address(kAddress);
    });
    directory().OnProbed(kUnit, kAddress, absl::OkStatus());
  }

  void Change(void (*change)(v1::Device&)) {
    EXPECT_THAT(directory().Change(
                    kUnit,
                    [change](v1::Device& device) {
                      change(device);
                      return absl::OkStatus();
                    },
                    Unaudited),
                IsOk());
  }
};

TEST_F(SessionOs11Test, WhatFailedAtTheOldAddressSaysNothingOfTheNewOne) {
  directory().OnProbed(kUnit, kAddress, absl::UnavailableError("connection refused"));
  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("connection refused")));

  Change([](v1::Device& device) { device.set_address("192.0.2.8:30022"); });

  EXPECT_EQ(directory().Get(kUnit)->connection().last_error(), "");
  EXPECT_FALSE(Open()->answered);
  EXPECT_EQ(edge_.Last(v1::EdgeCommand::kDialDevice).dial_device().address(), "192.0.2.8:30022");
}

TEST_F(SessionOs11Test, TheFlowPassesItsStepsInOrder) {
  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_FALSE(outcome->answered);
  const v1::RegisterSession registration =
      edge_.Last(v1::EdgeCommand::kRegisterSession).register_session();
  const v1::DialDevice dial = edge_.Last(v1::EdgeCommand::kDialDevice).dial_device();
  EXPECT_EQ(edge_.sent.back().command_case(), v1::EdgeCommand::kDialDevice);
  EXPECT_EQ(dial.session_id(), outcome->id);
  EXPECT_EQ(dial.unit_id(), kUnit);
  EXPECT_EQ(dial.address(), kAddress);
  EXPECT_EQ(Sha256(dial.ticket()), registration.device_ticket_sha256());
  EXPECT_TRUE(registration.unacknowledged());

  Tunnel(outcome->id, Tunnels::ACCEPTED);
  Tunnel(outcome->id, Tunnels::DEVICE_REQUESTED);
  EXPECT_FALSE(outcome->answered);
  Tunnel(outcome->id, Tunnels::DEVICE_ATTACHED);

  ASSERT_THAT(outcome->result, IsOk());
  EXPECT_EQ(outcome->result->flow(), v1::Session::OS11_DIRECT);
  EXPECT_EQ(outcome->result->stream(), v1::Session::TELNET);
  EXPECT_EQ(outcome->result->console_url(), "wss://ums.example:8443/console-connector/terminal");
  Tunnel(outcome->id, Tunnels::CONSOLE_ATTACHED);
  Tunnel(outcome->id, Tunnels::DATA_FLOWING);
  Tunnel(outcome->id, Tunnels::ENDED, Tunnels::DEVICE, 1000);
  EXPECT_THAT(
      Steps(outcome->id),
      ElementsAre(Step::CONSOLE_REQUESTED, Step::DEVICE_REQUESTED, Step::DEVICE_ATTACHED,
                  Step::CONSOLE_INFORMED, Step::CONSOLE_ATTACHED, Step::DATA_FLOWING, Step::ENDED));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_EQ(Get(outcome->id).end().result_case(), v1::SessionEnd::RESULT_NOT_SET);
  // No result can come, so none is awaited.
  EXPECT_FALSE(OnBoard(outcome->id));
}

TEST_F(SessionOs11Test, ADialThatFailsIsToldAtOnceAndTheNextIsTried) {
  const std::shared_ptr<Outcome> outcome = Open();

  Tunnel(outcome->id, Tunnels::ENDED, Tunnels::DEVICE, 4502, kLocalEdge,
         "192.0.2.7:30022 refused the connection");

  EXPECT_THAT(outcome->result,
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("device 00E0C514325B (reception) could not be reached: "),
                             HasSubstr("refused the connection"))));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::NEVER_ATTACHED);
  EXPECT_FALSE(OnBoard(outcome->id));
  EXPECT_FALSE(Open()->answered);
}

TEST_F(SessionOs11Test, AnEdgeThatSaysNothingOfTheDialLeavesNoGhost) {
  const std::shared_ptr<Outcome> outcome = Open();

  Advance(absl::Seconds(20));

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kUnit)));
  EXPECT_EQ(edge_.LastEnd().session_id(), outcome->id);
  EXPECT_FALSE(OnBoard(outcome->id));
}

TEST_F(SessionOs11Test, ADeviceWhoseLastProbeFailedIsOfflineForThatReason) {
  directory().OnProbed(kUnit, kAddress, absl::UnavailableError("connection refused"));

  const absl::Status status = Open()->result.status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(kUnit), HasSubstr(kAddress),
                                     HasSubstr("connection refused"))));
  EXPECT_EQ(ReasonOf(status), "DEVICE_OFFLINE");
}

TEST_F(SessionOs11Test, ADeviceThatWasNeverProbedIsTried) {
  Restart();

  EXPECT_FALSE(Open()->answered);
  EXPECT_EQ(edge_.sent.back().command_case(), v1::EdgeCommand::kDialDevice);
}

TEST_F(SessionOs11Test, WithoutAnAddressTheSentenceSaysWhatToDo) {
  Change([](v1::Device& device) { device.clear_address(); });

  const absl::Status status = Open()->result.status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(kUnit),
                                     HasSubstr("`devices update 00E0C514325B --address HOST:PORT`"),
                                     HasSubstr("connect it to an ICG"))));
  EXPECT_EQ(ReasonOf(status), "NO_ADDRESS");
}

TEST_F(SessionOs11Test, AProfileIsRefused) {
  v1::CreateSessionRequest request = Request();
  request.set_profile("root");

  EXPECT_THAT(Open(request)->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                              AllOf(HasSubstr(kUnit), HasSubstr("root"))));
  Change([](v1::Device& device) { device.mutable_terminal()->set_default_profile("shell"); });
  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_FALSE(outcome->answered);
  EXPECT_EQ(Get(outcome->id).profile(), "");
}

TEST_F(SessionOs11Test, ADisabledTerminalIsNotDialled) {
  Change([](v1::Device& device) { device.mutable_terminal()->set_enabled(false); });

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("disabled")));
}

TEST_F(SessionOs11Test, TheServerCountsItsSessions) {
  Change([](v1::Device& device) { device.mutable_terminal()->set_max_sessions(1); });
  const std::string id = OpenActive();

  EXPECT_THAT(Open()->result,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_sessions")));
  Tunnel(id, Tunnels::ENDED, Tunnels::CONSOLE, 1000);
  EXPECT_FALSE(Open()->answered);
}

TEST_F(SessionOs11Test, ItsCommandConnectionToAnIcgGoesBeforeItsAddress) {
  Link("icg1", kIcg);
  Connect(1, "", kIcg, v1::Device::OS_11);

  const std::shared_ptr<Outcome> outcome = Open();

  EXPECT_EQ(Get(outcome->id).flow(), v1::Session::OS11_ICG);
  Disconnect(1, kIcg);
  EXPECT_EQ(Get(Open()->id).flow(), v1::Session::OS11_DIRECT);
}

TEST_F(SessionOs11Test, ADialledSessionDoesNotDependOnTheCommandConnection) {
  Link("icg1", kIcg);
  const std::shared_ptr<Outcome> outcome = Open();

  Connect(1, "", kIcg, v1::Device::OS_11);
  Disconnect(1, kIcg);
  Tunnel(outcome->id, Tunnels::DEVICE_ATTACHED);

  EXPECT_THAT(outcome->result, IsOk());
}

TEST_F(SessionOs11Test, TerminatingClosesItsTunnels) {
  const std::string id = OpenActive();

  Terminate(id).status().IgnoreError();
  EXPECT_EQ(edge_.LastEnd().close_code(), 4410u);
  Tunnel(id, Tunnels::ENDED, Tunnels::SIDE_UNSPECIFIED, 4410);

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_FALSE(OnBoard(id));
}

}  // namespace
}  // namespace fairlead::control
