// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge's end of the link, through a real gRPC server in this process.
#include "gateway/edge_service.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_matchers.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/server_posix.h"
#include "gtest/gtest.h"
#include "proto/edge.grpc.pb.h"
#include "spdlog/sinks/ostream_sink.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Remembers what it was told to do.
class FakeActions : public EdgeActions {
 public:
  void Configure(const v1::EdgeConfiguration& configuration) override {
    Note("configure " + configuration.server_name());
  }
  absl::Status RegisterSession(const v1::RegisterSession& session) override {
    Note("register " + session.session_id());
    absl::MutexLock lock(&mutex_);
    return registration_;
  }
  void EndSession(const v1::EndSession& end) override { Note("end " + end.session_id()); }
  void SendToDevice(const v1::DeviceCommand& command) override {
    Note("send " + command.unit_id());
  }
  void DropDevice(const v1::DropDevice& drop) override { Note("drop " + drop.unit_id()); }
  void DialDevice(const v1::DialDevice& dial) override { Note("dial " + dial.unit_id()); }
  void ProbeDevice(const v1::ProbeDevice& probe) override { Note("probe " + probe.unit_id()); }
  void ForwardConsole(const v1::ForwardConsole& forward) override {
    Note("forward " + forward.session_id());
  }

  void FailRegistration(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    registration_ = std::move(status);
  }
  // Waits until `count` things were done, and gives them.
  std::vector<std::string> Await(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    wanted_ = count;
    mutex_.AwaitWithTimeout(absl::Condition(this, &FakeActions::Enough), absl::Seconds(10));
    return done_;
  }

 private:
  void Note(std::string what) {
    absl::MutexLock lock(&mutex_);
    done_.push_back(std::move(what));
  }
  bool Enough() const { return done_.size() >= wanted_; }

  absl::Mutex mutex_;
  std::vector<std::string> done_;
  std::size_t wanted_ = 0;
  absl::Status registration_;
};

class FakeResolver : public CallPeerResolver {
 public:
  absl::optional<CallPeer> Resolve(absl::string_view peer) const override {
    if (peer.substr(0, 3) != "fd:" || uris.empty()) return absl::nullopt;
    return CallPeer{"192.0.2.1:4711", uris};
  }
  std::vector<std::string> uris;
};

v1::EdgeEvent Connected(const std::string& unit_id, std::uint64_t connection_id) {
  v1::EdgeEvent event;
  event.mutable_device_connected()->set_unit_id(unit_id);
  event.mutable_device_connected()->set_connection_id(connection_id);
  return event;
}

class EdgeServiceTest : public ::testing::Test {
 protected:
  EdgeServiceTest() { Restart(); }
  ~EdgeServiceTest() override { Stop(); }

  void Stop() {
    if (server_ == nullptr) return;
    edge_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    server_.reset();
    edge_.reset();
  }
  void Restart() {
    Stop();
    edge_ = std::make_unique<EdgeServer>(resolver_, clock_, io_.get_executor(), options_);
    edge_->SetActions(&actions_);
    grpc::ServerBuilder builder;
    builder.RegisterService(edge_->service());
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
  }
  // A channel that is not in-process: the caller's certificate counts.
  std::shared_ptr<grpc::Channel> Dial() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    grpc::AddInsecureChannelFromFd(server_.get(), ends[0]);
    return grpc::CreateInsecureChannelFromFd("edge", ends[1]);
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  FakeResolver resolver_;
  FakeActions actions_;
  EdgeServerOptions options_;
  std::unique_ptr<EdgeServer> edge_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

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

TEST_F(EdgeServiceTest, CommandsReachTheEdgeInOrder) {
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

TEST_F(EdgeServiceTest, ARegisteredSessionIsToldAsAccepted) {
  TestLink link(channel_);
  ASSERT_TRUE(link.Configure("ums"));
  link.ReadSnapshot();

  edge_->OnRegistered("s1");

  const v1::TunnelEvent accepted = link.Read().tunnel_event();
  EXPECT_EQ(accepted.type(), v1::TunnelEvent::ACCEPTED);
  EXPECT_EQ(accepted.session_id(), "s1");
  EXPECT_EQ(accepted.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
}

TEST_F(EdgeServiceTest, ASessionThatCannotBeRegisteredEnds) {
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

TEST_F(EdgeServiceTest, RefusalsAreToldAndAFloodIsThinnedOut) {
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

TEST_F(EdgeServiceTest, EnrolmentWithoutALinkIsUnavailable) {
  EXPECT_THAT(Await(io_, edge_->Forward(v1::EstRequest())),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(EdgeServiceTest, EnrolmentsAreAnsweredByNumber) {
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

TEST_F(EdgeServiceTest, EnrolmentsEndInTimeAndWithTheLink) {
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
