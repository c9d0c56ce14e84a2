// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions over an ICG that outlast losses of the link and restarts of the server, or do not. In
// virtual time.
#include <memory>
#include <string>

#include "base/status_matchers.h"
#include "control/testing/session_icg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

class SessionIcgLossTest : public SessionIcgFixture {};

// ---- Losses of the link ----

TEST_F(SessionIcgLossTest, ALinkThatIsLostWhileOpeningFailsTheCall) {
  const std::shared_ptr<Outcome> outcome = Open();

  Unlink(kIcg);

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(kIcg)));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::EDGE_LOST);
  EdgeUp("icg1", kIcg);
  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});
  EXPECT_EQ(icg_.LastEnd().session_id(), outcome->id);
  EXPECT_EQ(icg_.LastEnd().close_code(), 4410u);
}

TEST_F(SessionIcgLossTest, AShortLossOfTheLinkIsOutlasted) {
  const std::string running = RunAtIcg();
  const std::string informed = OpenAtIcg();

  Unlink(kIcg);
  Advance(absl::Seconds(39));
  EdgeUp("icg1", kIcg);
  Connect(1, running, kIcg);
  Name(running);
  TunnelAtIcg(informed, {Tunnels::ACCEPTED, Tunnels::DEVICE_REQUESTED, Tunnels::DEVICE_ATTACHED});
  SnapshotComplete(kIcg);
  Advance(absl::Seconds(41));

  EXPECT_EQ(Get(running).state(), v1::Session::ACTIVE);
  EXPECT_EQ(Steps(running).size(), 7u);
  EXPECT_EQ(Get(informed).state(), v1::Session::OPENING);
  TunnelAtIcg(informed, {Tunnels::CONSOLE_ATTACHED});
  EXPECT_EQ(Get(informed).state(), v1::Session::ACTIVE);
  ProgramEnds(running, 0);
  EndAtIcg(running);
  EXPECT_EQ(CauseOf(running), v1::SessionEnd::PROGRAM_ENDED);
}

TEST_F(SessionIcgLossTest, ALongLossOfTheLinkEndsTheSession) {
  const std::string id = RunAtIcg();

  Unlink(kIcg);
  Advance(absl::Seconds(39));
  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
  Advance(absl::Seconds(1));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
  EXPECT_THAT(Get(id).end().message(), HasSubstr("icgs/berlin was lost and did not return in 40s"));
  EdgeUp("icg1", kIcg);
  Name(id);

  EXPECT_EQ(icg_.LastEnd().session_id(), id);
  EXPECT_EQ(icg_.LastEnd().close_code(), 4410u);
}

TEST_F(SessionIcgLossTest, LossesDoNotAddUp) {
  const std::string id = RunAtIcg();

  for (int i = 0; i < 3; ++i) {
    Unlink(kIcg);
    Advance(absl::Seconds(30));
    EdgeUp("icg1", kIcg);
    Name(id);
    SnapshotComplete(kIcg);
  }

  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
}

TEST_F(SessionIcgLossTest, AnEndThatWasKeptWhileUnlinkedHasItsByteCounts) {
  const std::string id = RunAtIcg();
  Unlink(kIcg);
  Advance(absl::Seconds(10));

  EdgeUp("icg1", kIcg);
  EndAtIcg(id);
  SnapshotComplete(kIcg);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_EQ(Get(id).end().bytes_to_console(), 5u);
}

TEST_F(SessionIcgLossTest, ASnapshotThatDoesNotNameASessionEndsIt) {
  const std::string id = RunAtIcg();

  Unlink(kIcg);
  Link("icg1", kIcg);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
}

TEST_F(SessionIcgLossTest, ARestartedIcgHasLostItsSessions) {
  const std::string id = RunAtIcg();

  Unlink(kIcg);
  EdgeUp("icg2", kIcg);
  RunAll();

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
  EXPECT_THAT(Get(id).end().message(), HasSubstr("restarted"));
}

TEST_F(SessionIcgLossTest, ADeletedIcgsSessionsEndAtOnce) {
  const std::string id = RunAtIcg();

  sessions().OnEdgeRemoved(kIcg);
  RunAll();

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
  EXPECT_EQ(icg_.LastEnd().session_id(), id);
}

TEST_F(SessionIcgLossTest, TerminatingWhileTheLinkIsDownSaysWhenTheTunnelsClose) {
  const std::string id = RunAtIcg();
  Unlink(kIcg);

  Terminate(id).status().IgnoreError();
  Advance(absl::Milliseconds(400));

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::TERMINATED);
  EXPECT_THAT(Get(id).end().message(), HasSubstr("the link to icgs/berlin is down"));
  EdgeUp("icg1", kIcg);
  Name(id);
  EXPECT_EQ(icg_.LastEnd().close_code(), 4410u);
}

TEST_F(SessionIcgLossTest, ALossOfTheServersOwnEdgeDoesNotTouchIt) {
  const std::string id = RunAtIcg();

  Unlink();
  Advance(absl::Seconds(60));

  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
}

// ---- Restarts of the server ----

TEST_F(SessionIcgLossTest, AKilledServerTakesUpWhatRunsAtTheIcg) {
  const std::string running = RunAtIcg();
  const std::string informed = OpenAtIcg();
  const std::string user = Get(running).user();

  Restart();
  EXPECT_EQ(Get(running).state(), v1::Session::ACTIVE);
  Advance(absl::Seconds(30));
  EdgeUp("icg1", kIcg);
  Connect(1, running, kIcg);
  Name(running);
  TunnelAtIcg(informed, {Tunnels::ACCEPTED, Tunnels::DEVICE_REQUESTED, Tunnels::DEVICE_ATTACHED,
                         Tunnels::CONSOLE_ATTACHED});
  SnapshotComplete(kIcg);
  Advance(absl::Seconds(60));

  EXPECT_EQ(Get(running).state(), v1::Session::ACTIVE);
  EXPECT_EQ(Get(running).user(), user);
  EXPECT_EQ(Get(informed).state(), v1::Session::ACTIVE);
  EXPECT_FALSE(icg_.LastToDevice().has_close_terminal());
  EXPECT_EQ(icg_.LastEnd().session_id(), "");
  ProgramEnds(running, 7);
  EndAtIcg(running);
  EXPECT_EQ(Get(running).end().exit_code(), 7);
  EXPECT_EQ(store_.GetSession(absl::StrCat("sessions/", running))->state(), v1::Session::ENDED);
}

TEST_F(SessionIcgLossTest, AnAdoptedSessionCanBeTerminated) {
  const std::string id = RunAtIcg();
  Restart();
  EdgeUp("icg1", kIcg);
  Connect(1, id, kIcg);
  Name(id);
  SnapshotComplete(kIcg);

  Terminate(id).status().IgnoreError();
  EXPECT_EQ(icg_.LastEnd().reason(), "terminated by users/boss: enough");
  EXPECT_EQ(icg_.LastToDevice().close_terminal().session_id(), id);
  Tunnel(id, Tunnels::ENDED, Tunnels::SIDE_UNSPECIFIED, 4410, kIcg);

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ((*terminated_)->end().cause(), v1::SessionEnd::TERMINATED);
}

TEST_F(SessionIcgLossTest, AnAdoptedSessionCountsAgainstTheDevicesLimit) {
  RunAtIcg();
  ASSERT_THAT(directory().Change(
                  kUnit,
                  [](v1::Device& device) {
                    device.mutable_terminal()->set_max_sessions(1);
                    return absl::OkStatus();
                  },
                  Unaudited),
              IsOk());
  Restart();
  Link("icg1", kLocalEdge);
  Connect(2, "", kLocalEdge);

  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(SessionIcgLossTest, AnAdoptedSessionThatTheIcgDoesNotNameEnds) {
  const std::string id = RunAtIcg();
  Restart();

  Link("icg1", kIcg);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
}

TEST_F(SessionIcgLossTest, AnAdoptedSessionDoesNotWaitForEver) {
  const std::string id = RunAtIcg();
  Restart();

  Advance(absl::Seconds(40));
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::EDGE_LOST);
  Advance(absl::Seconds(5));

  EXPECT_FALSE(OnBoard(id));
}

TEST_F(SessionIcgLossTest, WhatWasBeingOpenedIsEndedByARestart) {
  const std::shared_ptr<Outcome> outcome = Open();

  Restart();

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::SERVER_STOPPED);
  EdgeUp("icg1", kIcg);
  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});
  EXPECT_EQ(icg_.LastEnd().session_id(), outcome->id);
}

TEST_F(SessionIcgLossTest, AStopLeavesWhatRunsAtTheIcg) {
  const std::string running = RunAtIcg();
  const std::string informed = OpenAtIcg();
  const std::shared_ptr<Outcome> opening = Open();

  EXPECT_TRUE(Shutdown());

  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(icg_.LastEnd().session_id(), opening->id);
  EXPECT_EQ(icg_.LastEnd().close_code(), 4503u);
  EXPECT_EQ(store_.GetSession(absl::StrCat("sessions/", running))->state(), v1::Session::ACTIVE);
  EXPECT_EQ(store_.GetSession(absl::StrCat("sessions/", informed))->state(), v1::Session::OPENING);
  Restart();
  EdgeUp("icg1", kIcg);
  Name(running);
  Name(informed);
  SnapshotComplete(kIcg);
  EXPECT_EQ(Get(running).state(), v1::Session::ACTIVE);
  EXPECT_EQ(Get(informed).state(), v1::Session::ACTIVE);
}

TEST_F(SessionIcgLossTest, AStopWaitsUntilWhatIsLeftIsStored) {
  const std::string id = OpenAtIcg();
  store_runs_ = false;
  TunnelAtIcg(id, {Tunnels::DEVICE_ATTACHED, Tunnels::CONSOLE_ATTACHED});
  bool stopped = false;
  sessions().Shutdown([&stopped]() { stopped = true; });
  RunAll();
  EXPECT_FALSE(stopped);

  store_runs_ = true;
  RunAll();

  EXPECT_TRUE(stopped);
  EXPECT_EQ(store_.GetSession(absl::StrCat("sessions/", id))->state(), v1::Session::ACTIVE);
}

}  // namespace
}  // namespace fairlead::control
