// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The link over an in-process channel: configuration first, hello, events in order, commands, and a
// new link after each loss.
#include "control/edge_link.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "control/fake_edge_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;

class Observer : public EdgeObserver {
 public:
  v1::EdgeConfiguration Configuration() override {
    v1::EdgeConfiguration configuration;
    configuration.set_server_name("ums");
    return configuration;
  }
  void OnEdgeUp(absl::string_view edge, const v1::EdgeHello& hello) override {
    Add(absl::StrCat("up ", edge, " ", hello.boot_id()));
  }
  void OnEdgeEvent(absl::string_view, const v1::EdgeEvent& event) override {
    Add(event.has_tunnel_event() ? event.tunnel_event().session_id() : "event");
  }
  void OnEdgeDown(absl::string_view, const absl::Status&) override { Add("down"); }

  std::vector<std::string> AwaitLines(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return lines_.size() >= count;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return lines_;
  }

 private:
  void Add(std::string line) {
    absl::MutexLock lock(&mutex_);
    lines_.push_back(std::move(line));
  }
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class EdgeLinkTest : public ::testing::Test {
 protected:
  ~EdgeLinkTest() override {
    if (link_ != nullptr) link_->Stop();
    serial_.Stop();
    if (server_ != nullptr) server_->Shutdown();
  }

  FakeEdgeService& Start(bool greets = true, EdgeLinkOptions options = {.edge = "icgs/x"}) {
    edge_ = std::make_unique<FakeEdgeService>(greets);
    options.min_backoff = absl::Milliseconds(1);
    options.max_backoff = absl::Milliseconds(5);
    grpc::ServerBuilder builder;
    builder.RegisterService(edge_.get());
    server_ = builder.BuildAndStart();
    link_ = std::make_unique<EdgeLink>(server_->InProcessChannel(grpc::ChannelArguments()), serial_,
                                       observer_, options);
    link_->Start();
    return *edge_;
  }
  bool Send(const v1::EdgeCommand& command) {
    bool sent = false;
    absl::Notification done;
    serial_.Post([&]() {
      sent = link_->Send(command);
      done.Notify();
    });
    done.WaitForNotification();
    return sent;
  }

  ThreadExecutor serial_{"control", 1, 1000};
  Observer observer_;
  std::unique_ptr<FakeEdgeService> edge_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<EdgeLink> link_;
};

TEST_F(EdgeLinkTest, ConfiguresThenTellsOfTheEdgeInOrder) {
  FakeEdgeService& edge = Start();

  EXPECT_EQ(edge.Await(v1::EdgeCommand::kConfigure).configure().server_name(), "ums");
  for (int i = 0; i < 100; ++i) {
    edge.Tunnel(absl::StrCat("s", i), v1::TunnelEvent::DEVICE_ATTACHED);
  }

  const std::vector<std::string> lines = observer_.AwaitLines(102);
  ASSERT_EQ(lines.size(), 102u);
  EXPECT_EQ(lines[0], "up icgs/x boot");
  EXPECT_EQ(lines[1], "event");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(lines[2 + i], absl::StrCat("s", i));
}

TEST_F(EdgeLinkTest, SendsCommandsInOrder) {
  FakeEdgeService& edge = Start();
  observer_.AwaitLines(2);

  for (int i = 0; i < 100; ++i) {
    v1::EdgeCommand command;
    command.mutable_end_session()->set_session_id(absl::StrCat("s", i));
    EXPECT_TRUE(Send(command));
  }

  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(edge.Await(v1::EdgeCommand::kEndSession).end_session().session_id(),
              absl::StrCat("s", i));
  }
}

TEST_F(EdgeLinkTest, OpensAnewAfterALoss) {
  FakeEdgeService& edge = Start();
  observer_.AwaitLines(2);

  edge.Break();
  edge.AwaitLinks(2);

  EXPECT_THAT(observer_.AwaitLines(5),
              ElementsAre("up icgs/x boot", "event", "down", "up icgs/x boot", "event"));
}

TEST_F(EdgeLinkTest, AnEdgeWithoutHelloIsTriedAgainAndTakesNoCommands) {
  FakeEdgeService& edge = Start(false, {.edge = "icgs/x", .hello_timeout = absl::Milliseconds(20)});

  edge.AwaitLinks(1);
  EXPECT_FALSE(Send(v1::EdgeCommand()));
  edge.AwaitLinks(3);

  EXPECT_THAT(observer_.AwaitLines(0), ElementsAre());
}

TEST_F(EdgeLinkTest, AnEdgeThatSpeaksBeforeHelloIsTriedAgain) {
  FakeEdgeService& edge = Start(false);

  edge.AwaitLinks(1);
  edge.Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED);
  edge.AwaitLinks(2);

  EXPECT_THAT(observer_.AwaitLines(0), ElementsAre());
}

TEST_F(EdgeLinkTest, StopsWhileNobodyAnswers) {
  FakeEdgeService& edge = Start(false);
  edge.AwaitLinks(1);

  link_->Stop();

  EXPECT_FALSE(Send(v1::EdgeCommand()));
}

}  // namespace
}  // namespace fairlead::control
