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
#include "control/testing/fake_edge_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;

class Observer : public EdgeObserver {
 public:
  v1::EdgeConfiguration Configuration(absl::string_view) override {
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
  void OnEdgeUnreachable(absl::string_view edge, const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    failures_.push_back(absl::StrCat(edge, " ", status.message()));
  }
  std::vector<std::string> AwaitFailures(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return failures_.size() >= count;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return failures_;
  }

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
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
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
    link_ = std::make_unique<EdgeLink>(
        FixedChannel(server_->InProcessChannel(grpc::ChannelArguments())), serial_, observer_,
        options);
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
  EXPECT_EQ(observer_.AwaitFailures(1)[0], "icgs/x no hello within 20ms");
}

TEST_F(EdgeLinkTest, AnEdgeThatSpeaksBeforeHelloIsTriedAgain) {
  FakeEdgeService& edge = Start(false);

  edge.AwaitLinks(1);
  edge.Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED);
  edge.AwaitLinks(2);

  EXPECT_THAT(observer_.AwaitLines(0), ElementsAre());
}

TEST_F(EdgeLinkTest, WhatWaitsReachesTheEdgeBeforeALingeringStop) {
  FakeEdgeService& edge = Start();
  observer_.AwaitLines(2);
  for (int i = 0; i < 100; ++i) {
    v1::EdgeCommand command;
    command.mutable_end_session()->set_session_id(absl::StrCat("s", i));
    EXPECT_TRUE(Send(command));
  }

  link_->Stop(absl::Seconds(20));

  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(edge.Await(v1::EdgeCommand::kEndSession).end_session().session_id(),
              absl::StrCat("s", i));
  }
  EXPECT_FALSE(Send(v1::EdgeCommand()));
}

TEST_F(EdgeLinkTest, StopsWhileNobodyAnswers) {
  FakeEdgeService& edge = Start(false);
  edge.AwaitLinks(1);

  link_->Stop();

  EXPECT_FALSE(Send(v1::EdgeCommand()));
}

// A dialer that keeps its callers waiting, in virtual time.
class EdgeLinkDialTest : public ::testing::Test {
 protected:
  EdgeLinkDialTest() {
    EdgeLinkOptions options;
    options.edge = "icgs/x";
    options.max_backoff = absl::Seconds(5);
    link_ = std::make_unique<EdgeLink>(
        [this](EdgeDialer::Done done) { dials_.push_back(std::move(done)); }, serial_, observer_,
        options);
    link_->Start();
    Run(absl::ZeroDuration());
  }
  void Run(absl::Duration by) {
    serial_.Advance(by);
    serial_.RunReady();
  }
  void Fail(std::size_t dial, absl::string_view why) {
    dials_[dial](absl::UnavailableError(why));
    Run(absl::ZeroDuration());
  }

  ManualExecutor serial_;
  Observer observer_;
  std::vector<EdgeDialer::Done> dials_;
  std::unique_ptr<EdgeLink> link_;
};

TEST_F(EdgeLinkDialTest, R12DialsAnewWithinSecondsHoweverOftenItFailed) {
  for (std::size_t i = 0; i < 20; ++i) {
    ASSERT_EQ(dials_.size(), i + 1);
    Fail(i, "refused");
    EXPECT_EQ(dials_.size(), i + 1);
    Run(absl::Seconds(5));
  }

  EXPECT_THAT(observer_.AwaitLines(0), ElementsAre());
  EXPECT_EQ(observer_.AwaitFailures(20)[19], "icgs/x refused");
}

TEST_F(EdgeLinkDialTest, ADialThatTakesTooLongIsGivenUpAndItsLateAnswerDropped) {
  Run(absl::Seconds(19));
  EXPECT_EQ(observer_.AwaitFailures(0).size(), 0u);
  Run(absl::Seconds(1));
  EXPECT_EQ(observer_.AwaitFailures(1)[0], "icgs/x the connection did not come in time");

  Fail(0, "late");
  Run(absl::Seconds(1));

  EXPECT_EQ(dials_.size(), 2u);
  EXPECT_EQ(observer_.AwaitFailures(1).size(), 1u);
  Fail(0, "very late");
  EXPECT_EQ(observer_.AwaitFailures(1).size(), 1u);
}

TEST_F(EdgeLinkDialTest, StopsDuringADial) {
  link_->Stop();
  link_.reset();

  Fail(0, "too late");
  Run(absl::Minutes(1));

  EXPECT_EQ(dials_.size(), 1u);
  EXPECT_EQ(observer_.AwaitFailures(0).size(), 0u);
}

TEST_F(EdgeLinkDialTest, ADialMayOutliveLinkAndExecutor) {
  auto serial = std::make_unique<ThreadExecutor>("control", 1, 10);
  absl::Notification dialled;
  EdgeDialer::Done done;
  auto link = std::make_unique<EdgeLink>(
      [&](EdgeDialer::Done kept) {
        done = std::move(kept);
        dialled.Notify();
      },
      *serial, observer_, EdgeLinkOptions{.edge = "icgs/y"});
  link->Start();
  dialled.WaitForNotification();

  link->Stop();
  serial->Stop();
  link.reset();
  serial.reset();

  done(absl::UnavailableError("nobody hears this"));
  EXPECT_EQ(observer_.AwaitFailures(0).size(), 0u);
}

}  // namespace
}  // namespace fairlead::control
