// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What ends a session, with a fake edge, in virtual time: callers that give up, termination, late
// and repeated events, links that are lost, restarts, deletion.
#include <memory>
#include <string>

#include "base/status_matchers.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionEndTest : public SessionFixture {};

// ---- Those who give up or end it ----

TEST_F(SessionEndTest, ACallerThatGivesUpEndsTheOpeningSession) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  sessions().Abandon(outcome->id);
  RunAll();

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(CauseOf(outcome->id), v1::SessionEnd::CONSOLE_CLOSED);
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), outcome->id);
}

TEST_F(SessionEndTest, ACallerThatWasAnsweredCanGiveUpNoMore) {
  Connect();
  const std::string id = OpenInformed();

  sessions().Abandon(id);
  RunAll();

  EXPECT_EQ(Get(id).state(), v1::Session::OPENING);
}

TEST_F(SessionEndTest, TerminatingWhileOpeningAnswersBoth) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  const absl::StatusOr<v1::Session> terminated = Terminate(outcome->id);

  ASSERT_THAT(terminated, IsOk());
  EXPECT_EQ(terminated->state(), v1::Session::ENDED);
  EXPECT_EQ(terminated->end().cause(), v1::SessionEnd::TERMINATED);
  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kAborted,
                                        AllOf(HasSubstr("users/boss"), HasSubstr("enough"))));
}

TEST_F(SessionEndTest, TerminatingWaitsForTheEdge) {
  Connect();
  const std::string id = OpenActive();

  EXPECT_THAT(Terminate(id), StatusIs(absl::StatusCode::kUnknown));
  const v1::EndSession end = edge_.LastEnd();
  EXPECT_EQ(end.close_code(), 4410u);
  EXPECT_EQ(end.reason(), "terminated by users/boss: enough");
  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), id);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4410);

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ((*terminated_)->end().cause(), v1::SessionEnd::TERMINATED);
  EXPECT_THAT(store_.AuditLines(), Contains("users/boss session.terminate SUCCEEDED"));
}

TEST_F(SessionEndTest, TerminatingDoesNotWaitForASilentEdge) {
  Connect();
  const std::string id = OpenActive();
  Terminate(id).status().IgnoreError();

  Advance(absl::Milliseconds(500));

  ASSERT_THAT(*terminated_, IsOk());
  EXPECT_EQ((*terminated_)->state(), v1::Session::ENDED);
}

TEST_F(SessionEndTest, TerminatingAnEndedSessionReturnsItUnchanged) {
  Connect();
  const std::string id = OpenActive();
  ProgramEnds(id, 0);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  const absl::StatusOr<v1::Session> session = Terminate(id);

  ASSERT_THAT(session, IsOk());
  EXPECT_EQ(session->end().cause(), v1::SessionEnd::PROGRAM_ENDED);
  EXPECT_THAT(Terminate("nothing"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SessionEndTest, ADeletedDevicesSessionsAreTerminatedAndItsCertificatesRefused) {
  Connect();
  const std::string id = OpenActive();

  sessions().EndSessionsOf(kUnit, "device was deleted");
  edges().DropDevice(kUnit, "device was deleted", {"fingerprint"});
  RunAll();
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4410);

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::TERMINATED);
  const v1::DropDevice drop = edge_.Last(v1::EdgeCommand::kDropDevice).drop_device();
  EXPECT_EQ(drop.close_code(), 4403u);
  EXPECT_THAT(drop.revoked_fingerprints(), ElementsAre("fingerprint"));
  EXPECT_THAT(edges().Configuration().revoked_fingerprints(), ElementsAre("fingerprint"));
}

// ---- Late and repeated events ----

TEST_F(SessionEndTest, RepeatedEventsChangeNothing) {
  Connect();
  const std::string id = OpenActive();

  for (int i = 0; i < 2; ++i) {
    Tunnel(id, v1::TunnelEvent::DEVICE_ATTACHED);
    Tunnel(id, v1::TunnelEvent::CONSOLE_ATTACHED);
    Tunnel(id, v1::TunnelEvent::DATA_FLOWING);
  }

  EXPECT_EQ(Steps(id).size(), 6u);
}

TEST_F(SessionEndTest, ATunnelOfASessionThatIsOverIsEnded) {
  Tunnel("unknown", v1::TunnelEvent::DEVICE_ATTACHED);

  const v1::EndSession end = edge_.LastEnd();
  EXPECT_EQ(end.session_id(), "unknown");
  EXPECT_EQ(end.close_code(), 4410u);
}

TEST_F(SessionEndTest, AnotherDevicesReportIsIgnored) {
  Connect();
  const std::string id = OpenActive();

  ProgramEnds(id, 1, "another");
  ProgramEnds(id, 2);
  Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::DEVICE, 1000);

  EXPECT_EQ(Get(id).end().exit_code(), 2);
}

TEST_F(SessionEndTest, ATerminalThatShouldNotRunIsEnded) {
  Connect(1, "left-over");

  EXPECT_EQ(edge_.LastToDevice().close_terminal().session_id(), "left-over");
}

// ---- Links and restarts ----

TEST_F(SessionEndTest, ALostLinkMakesDevicesOfflineAndKeepsSessionsThatRun) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();

  Unlink();

  EXPECT_EQ(directory().Get(kUnit)->connection().state(), v1::Connection::OFFLINE);
  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Get(active).state(), v1::Session::ACTIVE);
}

TEST_F(SessionEndTest, ASnapshotEndsSessionsThatItDoesNotName) {
  Connect();
  const std::string kept = OpenActive();
  const std::string lost = OpenActive();
  Unlink();

  EdgeUp("boot1");
  Tunnel(kept, v1::TunnelEvent::DEVICE_ATTACHED);
  SnapshotComplete();

  EXPECT_EQ(Get(kept).state(), v1::Session::ACTIVE);
  EXPECT_EQ(CauseOf(lost), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionEndTest, AnEdgeWithAnotherBootIdHasLostAllSessions) {
  Connect();
  const std::string id = OpenActive();
  Unlink();

  Link("boot2");

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::SERVER_STOPPED);
}

TEST_F(SessionEndTest, SessionsOfAnEarlierRunAreEnded) {
  v1::Session left;
  left.set_name("sessions/left");
  left.set_state(v1::Session::ACTIVE);
  ASSERT_THAT(store_.PutSession(left), IsOk());

  ASSERT_THAT(sessions().Recover(), IsOk());

  EXPECT_EQ(Get("left").state(), v1::Session::ENDED);
  EXPECT_EQ(CauseOf("left"), v1::SessionEnd::SERVER_STOPPED);
  EXPECT_THAT(store_.AuditLines(), ElementsAre("server session.end SUCCEEDED"));
}

TEST_F(SessionEndTest, ShutdownEndsAndStoresAll) {
  Connect();
  const std::string active = OpenActive();
  const std::shared_ptr<Outcome> opening = Open();

  EXPECT_TRUE(Shutdown());

  EXPECT_EQ(CauseOf(active), v1::SessionEnd::SERVER_STOPPED);
  EXPECT_THAT(opening->result, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(edge_.LastEnd().close_code(), 4503u);
  EXPECT_THAT(Open()->result, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace fairlead::control
