// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What goes over a link: the server's commands, sessions' events, refusals, enrolments.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/status_matchers.h"
#include "gateway/testing/edge_service_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EdgeTrafficTest : public EdgeServiceFixture {};

TEST_F(EdgeTrafficTest, CommandsReachTheEdgeInOrder) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  v1::EdgeCommand command;
  command.mutable_register_session()->set_session_id("s1");
  ASSERT_TRUE(link.Write(command));
  command.mutable_device_command()->set_unit_id("a");
  ASSERT_TRUE(link.Write(command));
  command.mutable_end_session()->set_session_id("s1");
  ASSERT_TRUE(link.Write(command));
  command.mutable_drop_device()->set_unit_id("a");
  ASSERT_TRUE(link.Write(command));
  command.mutable_dial_device()->set_unit_id("b");
  ASSERT_TRUE(link.Write(command));
  command.mutable_probe_device()->set_unit_id("c");
  ASSERT_TRUE(link.Write(command));
  ASSERT_TRUE(link.Configure("again"));

  EXPECT_THAT(actions_.Await(8), ElementsAre("configure ums", "register s1", "send a", "end s1",
                                             "drop a", "dial b", "probe c", "configure again"));
}

TEST_F(EdgeTrafficTest, ARegisteredSessionIsToldAsAccepted) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  edge_->OnRegistered("s1");

  const v1::TunnelEvent accepted = link.Read().tunnel_event();
  EXPECT_EQ(accepted.type(), v1::TunnelEvent::ACCEPTED);
  EXPECT_EQ(accepted.session_id(), "s1");
  EXPECT_EQ(accepted.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
}

TEST_F(EdgeTrafficTest, ASessionThatCannotBeRegisteredEnds) {
  actions_.FailRegistration(absl::ResourceExhaustedError("too many sessions"));
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();
  v1::EdgeCommand command;
  command.mutable_register_session()->set_session_id("s1");
  ASSERT_TRUE(link.Write(command));

  const v1::TunnelEvent ended = link.Read().tunnel_event();
  EXPECT_EQ(ended.type(), v1::TunnelEvent::ENDED);
  EXPECT_EQ(ended.session_id(), "s1");
  EXPECT_EQ(ended.close_code(), 4429u);
  EXPECT_EQ(ended.reason(), "too many sessions");

  // A session that is known already goes on.
  actions_.FailRegistration(absl::AlreadyExistsError("known"));
  ASSERT_TRUE(link.Write(command));
  actions_.Await(3);
  edge_->OnDataFlowing("s1");
  EXPECT_EQ(link.Read().tunnel_event().type(), v1::TunnelEvent::DATA_FLOWING);
}

TEST_F(EdgeTrafficTest, RefusalsAreToldAndAFloodIsThinnedOut) {
  options_.refusal_rate = Rate{3, absl::Hours(1)};
  Restart();
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();
  dataplane::PeerInfo peer;
  peer.address = "192.0.2.1:4711";

  for (int i = 0; i < 100; ++i) {
    edge_->OnRefused("s1", dataplane::Side::kConsole, peer, {4401, "The ticket was used."});
  }
  edge_->Publish(Connected("a", 1));

  for (int i = 0; i < 3; ++i) {
    const v1::EdgeRefusal refusal = link.Read().refusal();
    EXPECT_EQ(refusal.action(), "tunnel.attach");
    EXPECT_EQ(refusal.actor(), "anonymous");
    EXPECT_EQ(refusal.resource(), "sessions/s1");
    EXPECT_THAT(refusal.detail(), HasSubstr("The ticket was used."));
    EXPECT_EQ(refusal.peer_address(), "192.0.2.1:4711");
  }
  EXPECT_TRUE(link.Read().has_device_connected());
  EXPECT_EQ(edge_->counters().refusals_suppressed, 97u);
}

TEST_F(EdgeTrafficTest, EnrolmentWithoutALinkIsUnavailable) {
  EXPECT_THAT(Await(io_, edge_->Forward(v1::EstRequest())),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(EdgeTrafficTest, EnrolmentsAreAnsweredByNumber) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();
  // Two requests, answered in the other order.
  std::thread server([&] {
    const v1::EstRequest first = link.Read().est_request();
    const v1::EstRequest second = link.Read().est_request();
    for (const v1::EstRequest& request : {second, first}) {
      v1::EdgeCommand command;
      command.mutable_est_response()->set_request_id(request.request_id());
      command.mutable_est_response()->set_body("for " + request.unit_id());
      link.Write(command);
    }
  });
  std::vector<std::shared_ptr<std::string>> answers;
  for (const char* unit : {"a", "b"}) {
    v1::EstRequest request;
    request.set_unit_id(unit);
    auto answer = std::make_shared<std::string>();
    answers.push_back(answer);
    dataplane::net::co_spawn(io_, edge_->Forward(request),
                             [answer](std::exception_ptr, absl::StatusOr<v1::EstResponse> got) {
                               *answer = got.ok() ? got->body() : got.status().ToString();
                             });
  }
  RunUntil(io_, [&] { return !answers[0]->empty() && !answers[1]->empty(); });
  server.join();

  EXPECT_EQ(*answers[0], "for a");
  EXPECT_EQ(*answers[1], "for b");
}

TEST_F(EdgeTrafficTest, EnrolmentsEndInTimeAndWithTheLink) {
  options_.est_timeout = absl::Milliseconds(1);
  Restart();
  {
    TestLink link(channel_);
    ASSERT_TRUE(link.Configure("ums"));
    link.ReadSnapshot();
    EXPECT_THAT(Await(io_, edge_->Forward(v1::EstRequest())),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
  }
  options_.est_timeout = absl::Hours(1);
  options_.max_pending_est = 1;
  Restart();
  auto link = std::make_unique<TestLink>(channel_);
  ASSERT_TRUE(link->Configure("ums"));
  link->ReadSnapshot();
  auto lost = std::make_shared<absl::Status>();
  const auto keep = [lost](std::exception_ptr, absl::StatusOr<v1::EstResponse> got) {
    *lost = got.status();
  };
  dataplane::net::co_spawn(io_, edge_->Forward(v1::EstRequest()), keep);
  io_.poll();
  EXPECT_THAT(Await(io_, edge_->Forward(v1::EstRequest())),
              StatusIs(absl::StatusCode::kResourceExhausted));
  link.reset();
  RunUntil(io_, [&] { return !lost->ok(); });
  EXPECT_THAT(*lost, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace fairlead::gateway
