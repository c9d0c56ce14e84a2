// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what the console takes from the server when a stream ended without telling how its program
// did: waits for the end and the result, never takes silence for a success.
#include "console/ask_outcome.h"

#include <algorithm>
#include <string>
#include <vector>

#include "console/testing/fake_api_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class AskOutcomeTest : public ::testing::Test {
 protected:
  AskOutcomeTest() {
    session_.set_name("sessions/1");
    untold_.message = "not known";
    untold_.ended_untold = true;
    options_.interval = absl::ZeroDuration();
    api_.Answer<v1::GetSessionRequest, v1::Session>(
        "SessionService.GetSession",
        [this](const v1::GetSessionRequest& request, v1::Session& session) {
          EXPECT_EQ(request.name(), "sessions/1");
          session = answers_[std::min(api_.calls().size(), answers_.size()) - 1];
          return status_;
        });
  }

  // One more answer of the server; the last one is given again and again.
  v1::Session& Answer(v1::Session::State state, v1::Session::Flow flow = v1::Session::OS11_ICG) {
    answers_.emplace_back();
    answers_.back().set_state(state);
    answers_.back().set_flow(flow);
    return answers_.back();
  }
  TerminalOutcome Ask() { return AskOutcome(api_, "token", session_, untold_, options_); }

  FakeApiClient api_;
  v1::Session session_;
  TerminalOutcome untold_;
  AskOptions options_;
  std::vector<v1::Session> answers_;
  absl::Status status_;
};

TEST_F(AskOutcomeTest, WaitsForTheEndAndItsResult) {
  Answer(v1::Session::ACTIVE);
  Answer(v1::Session::ENDED);
  Answer(v1::Session::ENDED).mutable_end()->set_exit_code(7);
  const TerminalOutcome outcome = Ask();

  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.message, "");
  EXPECT_THAT(api_.calls(), SizeIs(3));
}

TEST_F(AskOutcomeTest, AZeroIsASuccessOnlyWhenItIsTold) {
  Answer(v1::Session::ENDED).mutable_end()->set_exit_code(0);
  EXPECT_EQ(Ask().exit_code, 0);
}

TEST_F(AskOutcomeTest, ASignalGives128PlusItsNumber) {
  Answer(v1::Session::ENDED).mutable_end()->set_signal("SIGKILL");
  EXPECT_EQ(Ask().exit_code, 137);
}

TEST_F(AskOutcomeTest, ADialledDeviceIsNotWaitedFor) {
  options_.patience = absl::InfiniteDuration();
  Answer(v1::Session::ACTIVE, v1::Session::OS11_DIRECT);
  Answer(v1::Session::ENDED, v1::Session::OS11_DIRECT);
  const TerminalOutcome outcome = Ask();

  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_EQ(outcome.message, "not known");
  EXPECT_THAT(api_.calls(), SizeIs(2));
}

TEST_F(AskOutcomeTest, AnEndThatIsNeverToldIsUnknown) {
  options_.patience = absl::Milliseconds(20);
  Answer(v1::Session::ACTIVE);
  EXPECT_EQ(Ask().exit_code, 255);
}

TEST_F(AskOutcomeTest, AnImpossibleResultIsUnknown) {
  options_.patience = absl::Milliseconds(20);
  Answer(v1::Session::ENDED).mutable_end()->set_exit_code(256);
  EXPECT_EQ(Ask().exit_code, 255);
}

TEST_F(AskOutcomeTest, AServerThatDoesNotAnswerIsNamed) {
  Answer(v1::Session::ENDED).mutable_end()->set_exit_code(0);
  status_ = absl::UnavailableError("nobody answers");
  const TerminalOutcome outcome = Ask();

  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_THAT(outcome.message, HasSubstr("nobody answers"));
}

TEST_F(AskOutcomeTest, WhatTheStreamToldIsNotAskedFor) {
  untold_.ended_untold = false;
  untold_.exit_code = 3;
  EXPECT_EQ(Ask().exit_code, 3);
  EXPECT_THAT(api_.calls(), SizeIs(0));
}

}  // namespace
}  // namespace fairlead::console
