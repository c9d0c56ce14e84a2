// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A session's end and its record in the audit log, while the store or the audit log fails: both are
// written together, once, and as soon as that is possible.
#include <string>

#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionRecordsTest : public SessionFixture {
 protected:
  void End(const std::string& id) {
    Tunnel(id, v1::TunnelEvent::ENDED, v1::TunnelEvent::CONSOLE, 1000);
    // Nobody waits for the device's word on how the program ended.
    ProgramEnds(id, 0);
  }
  v1::Session::State StateInStore(const std::string& id) {
    return store_.GetSession("sessions/" + id)->state();
  }
};

TEST_F(SessionRecordsTest, AnEndIsNotStoredWithoutItsRecord) {
  Connect();
  const std::string id = OpenActive();
  store_.FailAudits(absl::InternalError("disk full"));

  End(id);

  EXPECT_EQ(Get(id).state(), v1::Session::ENDED);
  EXPECT_EQ(StateInStore(id), v1::Session::ACTIVE);
  EXPECT_TRUE(OnBoard(id));
}

TEST_F(SessionRecordsTest, AnEndIsRecordedOnceWhenTheStoreWorksAgain) {
  Connect();
  const std::string id = OpenActive();
  const absl::Time ended = clock_.Now();
  store_.FailWrites(absl::InternalError("disk full"));
  End(id);
  Advance(absl::Hours(1));

  store_.FailWrites(absl::OkStatus());
  Advance(absl::Seconds(6));

  EXPECT_EQ(StateInStore(id), v1::Session::ENDED);
  EXPECT_FALSE(OnBoard(id));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create SUCCEEDED",
                                               "users/admin session.end SUCCEEDED"));
  EXPECT_EQ(FromTimestamp(store_.audit()[1].time()), ended);
  Advance(absl::Hours(1));
  EXPECT_EQ(store_.audit().size(), 2u);
}

TEST_F(SessionRecordsTest, AnEndThatWasNotRecordedIsAtTheNextStart) {
  Connect();
  const std::string id = OpenActive();
  store_.FailAudits(absl::InternalError("disk full"));
  End(id);
  EXPECT_FALSE(Shutdown());
  store_.FailAudits(absl::OkStatus());

  Restart();

  EXPECT_EQ(StateInStore(id), v1::Session::ENDED);
  EXPECT_THAT(store_.AuditLines(),
              ElementsAre("users/admin session.create SUCCEEDED", "server session.end SUCCEEDED"));
}

TEST_F(SessionRecordsTest, AWriteThatWasQueuedBeforeTheEndDoesNotTakeItAlong) {
  Connect();
  const std::string id = OpenInformed();
  store_runs_ = false;
  Tunnel(id, v1::TunnelEvent::CONSOLE_ATTACHED);
  End(id);

  server_->store_executor.RunReady();

  EXPECT_EQ(StateInStore(id), v1::Session::ACTIVE);
  store_runs_ = true;
  RunAll();
  EXPECT_EQ(StateInStore(id), v1::Session::ENDED);
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create SUCCEEDED",
                                               "users/admin session.end SUCCEEDED"));
}

TEST_F(SessionRecordsTest, WhoEndsASessionLearnsThatItIsNotRecordedYet) {
  Connect();
  const std::string id = OpenActive();
  Terminate(id).status().IgnoreError();
  store_.FailAudits(absl::InternalError("disk full"));

  End(id);

  EXPECT_THAT(*terminated_,
              StatusIs(absl::StatusCode::kInternal, HasSubstr("has ended, but that could not")));
  store_.FailAudits(absl::OkStatus());
  Advance(absl::Seconds(6));
  EXPECT_THAT(store_.AuditLines(), ElementsAre("users/admin session.create SUCCEEDED",
                                               "users/admin session.end SUCCEEDED",
                                               "users/boss session.terminate SUCCEEDED"));
}

TEST_F(SessionRecordsTest, WhoEndsASessionThatCouldNotBeRecordedIsAnswered) {
  Connect();
  store_runs_ = false;
  const std::shared_ptr<Outcome> outcome = Open();
  EXPECT_THAT(Terminate(outcome->id), StatusIs(absl::StatusCode::kUnknown));
  store_.FailWrites(absl::InternalError("disk full"));
  store_runs_ = true;

  RunAll();

  EXPECT_THAT(*terminated_, StatusIs(absl::StatusCode::kInternal, HasSubstr("disk full")));
  EXPECT_FALSE(OnBoard(outcome->id));
}

}  // namespace
}  // namespace fairlead::control
