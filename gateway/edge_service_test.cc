// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge's end of the link, through a real gRPC server in this process: who may link, what a
// newcomer is told, how links end. What goes over one is in edge_traffic_test.cc.
#include "gateway/edge_service.h"

#include <atomic>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "gateway/testing/edge_service_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spdlog/sinks/ostream_sink.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EdgeServiceTest : public EdgeServiceFixture {};

TEST_F(EdgeServiceTest, TellsHelloThenSnapshotThenWhatHappens) {
  edge_->Publish(Connected("a", 1));
  edge_->OnAttached("s1", dataplane::Side::kDevice);
  edge_->OnAttached("s1", dataplane::Side::kConsole);
  EXPECT_FALSE(edge_->linked());
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));

  EXPECT_THAT(link.ReadSnapshot(), ElementsAre("hello", "device_connected", "tunnel_event",
                                               "tunnel_event", "snapshot_complete"));
  EXPECT_THAT(actions_.Await(1), ElementsAre("configure ums"));

  edge_->OnDataFlowing("s1");
  const v1::TunnelEvent flowing = link.Read().tunnel_event();
  EXPECT_EQ(flowing.type(), v1::TunnelEvent::DATA_FLOWING);
  EXPECT_EQ(flowing.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_TRUE(edge_->linked());

  dataplane::RelayEnd end;
  end.by = dataplane::RelayEnd::By::kDevice;
  end.reason.code = 1000;
  end.reason.text = "exited";
  end.bytes_to_console = 7;
  end.bytes_to_device = 3;
  edge_->OnEnded("s1", end);
  const v1::TunnelEvent ended = link.Read().tunnel_event();
  EXPECT_EQ(ended.type(), v1::TunnelEvent::ENDED);
  EXPECT_EQ(ended.ended_by(), v1::TunnelEvent::DEVICE);
  EXPECT_EQ(ended.close_code(), 1000u);
  EXPECT_EQ(ended.reason(), "exited");
  EXPECT_EQ(ended.bytes_to_console(), 7u);
  EXPECT_EQ(ended.bytes_to_device(), 3u);
}

TEST_F(EdgeServiceTest, ALinkIsLoggedOnceHoweverOftenItIsConfigured) {
  std::ostringstream log;
  const auto logger = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  ASSERT_TRUE(link.Configure("ums"));
  actions_.Await(2);
  spdlog::set_default_logger(logger);

  const std::string sentence = "linked by server ums";
  const std::size_t at = log.str().find(sentence);
  ASSERT_NE(at, std::string::npos) << log.str();
  EXPECT_EQ(log.str().find(sentence, at + 1), std::string::npos) << log.str();
}

TEST_F(EdgeServiceTest, HelloNamesTheProcess) {
  options_.version = "1.2.3";
  Restart();
  TestLink first(channel_);
  ASSERT_TRUE(first.Configure("ums"));
  const v1::EdgeHello hello = first.Read().hello();
  TestLink second(channel_);
  ASSERT_TRUE(second.Configure("ums"));

  EXPECT_EQ(hello.version(), "1.2.3");
  EXPECT_EQ(hello.boot_id().size(), 24u);
  EXPECT_EQ(second.Read().hello().boot_id(), hello.boot_id());
}

TEST_F(EdgeServiceTest, ConfigureMustComeFirst) {
  TestLink link(channel_);
  v1::EdgeCommand command;
  command.mutable_end_session()->set_session_id("s1");
  ASSERT_TRUE(link.Write(command));

  EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(edge_->linked());
}

TEST_F(EdgeServiceTest, ConfigureMustComeInTime) {
  options_.configure_timeout = absl::Milliseconds(1);
  Restart();
  TestLink link(channel_);
  auto ended = std::async(std::launch::async, [&] { return link.Finish(); });

  RunUntil(io_,
           [&] { return ended.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });

  const grpc::Status status = ended.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("configure"));
}

TEST_F(EdgeServiceTest, ANewerLinkTakesThePlace) {
  TestLink older(channel_);
  ASSERT_TRUE(older.Configure("ums"));
  older.ReadSnapshot();
  TestLink newer(channel_);
  ASSERT_TRUE(newer.Configure("ums"));
  newer.ReadSnapshot();

  EXPECT_EQ(older.Finish().error_code(), grpc::StatusCode::ABORTED);
  edge_->Publish(Connected("a", 1));
  EXPECT_EQ(newer.Read().device_connected().unit_id(), "a");
}

TEST_F(EdgeServiceTest, OverflowEndsTheLinkAndTheNextOneKnowsAll) {
  options_.max_queued_events = 4;
  Restart();
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  for (int i = 0; i < 1000; ++i) edge_->Publish(Connected(absl::StrCat("d", i), i + 1));

  int told = 0;
  const grpc::Status status = link.Finish(&told);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_LT(told, 1000);
  EXPECT_FALSE(edge_->linked());
  EXPECT_EQ(edge_->counters().links_overflowed, 1u);

  // The snapshot may be larger than the queue.
  TestLink again(channel_);
  ASSERT_TRUE(again.Configure("ums"));
  EXPECT_EQ(again.ReadSnapshot().size(), 1000u + 2u);
}

TEST_F(EdgeServiceTest, TheQueueIsBoundedInBytesToo) {
  options_.max_queued_bytes = 1000;
  Restart();
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  edge_->Publish(Connected(std::string(2000, 'u'), 1));

  EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(EdgeServiceTest, OnlyAServersCertificateMayLinkFromOutside) {
  for (const std::vector<std::string>& uris : std::vector<std::vector<std::string>>{
           {}, {"urn:fairlead:device:a"}, {"urn:fairlead:icg:1"}}) {
    resolver_.uris = uris;
    TestLink link(Dial());
    link.Configure("ums");
    const grpc::Status status = link.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr("urn:fairlead:server:"));
  }
  EXPECT_EQ(edge_->counters().links_refused, 3u);

  resolver_.uris = {"urn:fairlead:server:ums"};
  TestLink link(Dial());
  ASSERT_TRUE(link.Configure("ums"));
  EXPECT_THAT(link.ReadSnapshot(), ElementsAre("hello", "snapshot_complete"));
}

TEST_F(EdgeServiceTest, WhatHappensWithoutALinkIsToldToTheNext) {
  dataplane::RelayEnd end;
  end.reason.code = 1000;
  dataplane::PeerInfo peer;
  edge_->OnAttached("s1", dataplane::Side::kDevice);
  edge_->OnEnded("s1", end);
  edge_->OnRefused("s2", dataplane::Side::kConsole, peer, {4401, "The ticket was used."});

  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  EXPECT_THAT(link.ReadSnapshot(),
              ElementsAre("hello", "tunnel_event", "tunnel_event", "refusal", "snapshot_complete"));
  // Told, but perhaps to nobody: ends are told again for a while, refusals are not.
  RunUntil(io_, [&] { return edge_->linked(); });
  TestLink second(channel_);
  ASSERT_TRUE(second.Configure("ums"));
  EXPECT_THAT(second.ReadSnapshot(),
              ElementsAre("hello", "tunnel_event", "tunnel_event", "snapshot_complete"));
  RunUntil(io_, [&] { return edge_->linked(); });
  clock_.Advance(absl::Seconds(31));
  TestLink third(channel_);
  ASSERT_TRUE(third.Configure("ums"));
  EXPECT_THAT(third.ReadSnapshot(), ElementsAre("hello", "snapshot_complete"));
}

TEST_F(EdgeServiceTest, TellsThatALinkCameOrWent) {
  std::atomic<int> changes{0};
  edge_->SetLinkObserver([&] { ++changes; });
  EXPECT_FALSE(edge_->has_link());
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();
  EXPECT_TRUE(edge_->has_link());
  EXPECT_EQ(changes, 1);

  link.HangUp();
  EXPECT_TRUE(link.Finish().ok());

  EXPECT_FALSE(edge_->has_link());
  EXPECT_EQ(changes, 2);
  Stop();
}

TEST_F(EdgeServiceTest, StopTellsWhatIsLeftAndEndsTheLink) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  for (int i = 0; i < 10; ++i) edge_->Publish(Connected(absl::StrCat("d", i), i + 1));
  edge_->Stop();

  int told = 0;
  EXPECT_EQ(link.Finish(&told).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(told, 10);
  TestLink late(channel_);
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(EdgeServiceTest, AServerThatHangsUpUnlinks) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  link.HangUp();

  EXPECT_TRUE(link.Finish().ok());
  EXPECT_FALSE(edge_->linked());
}

}  // namespace
}  // namespace fairlead::gateway
