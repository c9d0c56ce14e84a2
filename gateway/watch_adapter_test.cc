// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// WebSockets in memory through the adapter to a real gRPC server in the same process.
#include "gateway/watch_adapter.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "gateway/testing/fake_services.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/rest_services.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::FakeWebSocketOptions;
using dataplane::HttpRequest;
using dataplane::Message;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const proto::HttpRules& Rules() {
  static const auto* const rules =
      new proto::HttpRules(*proto::HttpRules::Create(proto::RestServices()));
  return *rules;
}

struct Received {
  std::vector<std::string> messages;
  CloseReason close;
};

net::awaitable<Received> ReceiveAll(dataplane::WebSocket* websocket) {
  Received received;
  while (true) {
    Message message = co_await websocket->ReadMessage();
    if (!message.open) {
      received.close = message.close;
      co_return received;
    }
    received.messages.push_back(std::move(message.payload));
  }
}

class WatchAdapterTest : public ::testing::Test {
 protected:
  WatchAdapterTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&sessions_);
    builder.RegisterService(&devices_);
    server_ = builder.BuildAndStart();
    Start(100);
  }
  ~WatchAdapterTest() override {
    adapter_.reset();
    server_->Shutdown();
  }

  void Start(std::size_t max_streams) {
    adapter_ = std::make_unique<WatchAdapter>(
        Rules(), server_->InProcessChannel(grpc::ChannelArguments()), max_streams);
  }

  // Starts to serve `path`; the client's end is client().
  void Open(const std::string& path, std::vector<std::string> offered = {kWatchSubprotocol},
            const std::string& authorization = "", FakeWebSocketOptions options = {}) {
    HttpRequest request;
    request.method = "GET";
    const std::size_t question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) request.query = path.substr(question + 1);
    request.headers.emplace_back("Upgrade", "websocket");
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    request.peer.address = "192.0.2.7:4711";
    pair_ = dataplane::MakeFakeWebSocketPair(io_.get_executor(), options);
    auto upgrade = std::make_unique<FakeUpgrade>(std::move(offered), std::move(pair_.first));
    outcome_ = upgrade->outcome();
    served_ = Spawn(io_, adapter_->Serve(std::move(request), std::move(upgrade)));
  }

  dataplane::WebSocket* client() { return pair_.second.get(); }

  Received Receive() { return Await(io_, ReceiveAll(client())); }

  void ExpectServed() {
    RunUntil(io_, [&] { return *served_; });
    RunUntil(io_, [&] { return adapter_->in_flight() == 0; });
  }

  FakeSessions sessions_;
  FakeDevices devices_;
  std::unique_ptr<grpc::Server> server_;
  // Outlives the adapter.
  net::io_context io_;
  std::unique_ptr<WatchAdapter> adapter_;
  dataplane::FakeWebSocketPair pair_;
  std::shared_ptr<FakeUpgrade::Outcome> outcome_;
  std::shared_ptr<bool> served_;
};

TEST_F(WatchAdapterTest, SendsEachMessageAsOneTextFrameAndClosesWith1000) {
  Open("/api/v1/sessions/count-3:watch");

  const Received received = Receive();

  ASSERT_EQ(received.messages.size(), 3u);
  EXPECT_THAT(received.messages[2], HasSubstr(R"("name":"sessions/2")"));
  EXPECT_EQ(received.close.code, 1000);
  EXPECT_EQ(outcome_->subprotocol, kWatchSubprotocol);
  ExpectServed();
}

TEST_F(WatchAdapterTest, TakesTheTokenFromTheSubprotocol) {
  Open("/api/v1/sessions/count-0:watch", {"fairlead.watch.v1", "fairlead.bearer.t0-ken_"});

  EXPECT_EQ(Receive().close.code, 1000);
  EXPECT_EQ(outcome_->subprotocol, kWatchSubprotocol);
  EXPECT_EQ(sessions_.last().authorization, "Bearer t0-ken_");
  EXPECT_EQ(sessions_.last().peer_address, "192.0.2.7:4711");
  ExpectServed();
}

TEST_F(WatchAdapterTest, TakesTheTokenFromTheHeaderWithoutSubprotocol) {
  Open("/api/v1/sessions/count-0:watch", {}, "Bearer abc");

  EXPECT_EQ(Receive().close.code, 1000);
  EXPECT_EQ(outcome_->subprotocol, "");
  EXPECT_EQ(sessions_.last().authorization, "Bearer abc");
  ExpectServed();
}

TEST_F(WatchAdapterTest, ClosesWithTheCodeOfTheStatus) {
  for (int code = 1; code <= 16; ++code) {
    Open("/api/v1/sessions/code-" + std::to_string(code) + ":watch");

    const Received received = Receive();

    EXPECT_EQ(received.messages.size(), 1u);
    EXPECT_EQ(received.close.code, CloseCodeFromCode(static_cast<absl::StatusCode>(code)));
    EXPECT_THAT(received.close.text, HasSubstr("code " + std::to_string(code)));
    ExpectServed();
  }
}

TEST_F(WatchAdapterTest, CutsTheReasonBetweenCharacters) {
  Open("/api/v1/sessions/text-%E2%82%AC:watch");

  const Received received = Receive();

  std::string euros;
  for (int i = 0; i < 41; ++i) euros += "\xe2\x82\xac";
  EXPECT_EQ(received.close.text, euros);
  ExpectServed();
}

TEST_F(WatchAdapterTest, ReadsTheStreamNoFasterThanTheClient) {
  FakeWebSocketOptions options;
  options.buffer_bytes = 2000;
  Open("/api/v1/sessions/forever:watch", {kWatchSubprotocol}, "", options);
  RunUntil(io_, [&] { return pair_.first_stats->most_buffered > 1500; });
  // One message is being written, one read ahead by gRPC.
  const int in_buffer = static_cast<int>(pair_.first_stats->frames_written);
  RunUntil(io_, [&] { return sessions_.written >= in_buffer; });
  EXPECT_LE(sessions_.written, in_buffer + 4);

  for (int i = 0; i < 200; ++i) {
    const Message message = Await(io_, client()->ReadMessage());
    ASSERT_TRUE(message.open);
    EXPECT_THAT(message.payload, HasSubstr("\"name\":\"sessions/" + std::to_string(i) + "\""));
  }
  EXPECT_LE(sessions_.written, 200 + in_buffer + 4);
  EXPECT_LE(pair_.first_stats->most_buffered, 2000u);

  Await(io_, client()->Close(CloseReason{1000, ""}));
  ExpectServed();
}

TEST_F(WatchAdapterTest, CancelsTheCallWhenTheClientCloses) {
  Open("/api/v1/sessions/forever:watch", {kWatchSubprotocol}, "");
  ASSERT_TRUE(Await(io_, client()->ReadMessage()).open);

  Await(io_, client()->Close(CloseReason{1000, ""}));

  ExpectServed();
  RunUntil(io_, [&] { return sessions_.cancelled == 1; });
}

TEST_F(WatchAdapterTest, CancelsTheCallWhenTheClientIsLost) {
  Open("/api/v1/sessions/forever:watch", {kWatchSubprotocol}, "");
  ASSERT_TRUE(Await(io_, client()->ReadMessage()).open);

  client()->Abort();

  ExpectServed();
  RunUntil(io_, [&] { return sessions_.cancelled == 1; });
}

TEST_F(WatchAdapterTest, ClosesWhenTheClientSpeaks) {
  Open("/api/v1/sessions/forever:watch");
  EXPECT_THAT(Await(io_, client()->WriteText("hello")), IsOk());

  EXPECT_EQ(Receive().close.code, dataplane::kCloseMalformed);
  ExpectServed();
}

TEST_F(WatchAdapterTest, ClosesWhenItStops) {
  Open("/api/v1/sessions/forever:watch");
  ASSERT_TRUE(Await(io_, client()->ReadMessage()).open);

  adapter_->Stop();

  EXPECT_EQ(Receive().close.code, dataplane::kCloseDraining);
  ExpectServed();
}

TEST_F(WatchAdapterTest, RefusesMoreStreamsThanItsBound) {
  Start(0);
  Open("/api/v1/sessions/forever:watch");

  EXPECT_EQ(Receive().close.code, 4429);
  ExpectServed();
}

TEST_F(WatchAdapterTest, TakesTheRequestFromTheQuery) {
  Open("/api/v1/devices:watch?filter=tag%3Da");
  std::vector<std::string> messages = Receive().messages;
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages[0], HasSubstr(R"("name":"tag=a")"));
  EXPECT_THAT(messages[1], AllOf(HasSubstr("SNAPSHOT_COMPLETE"), Not(HasSubstr("deviceCount"))));
  ExpectServed();

  Open("/api/v1/devices:watch?filter=tag%3Da&changesOnly=true");
  messages = Receive().messages;
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_THAT(messages[0], AllOf(HasSubstr("SNAPSHOT_COMPLETE"), HasSubstr(R"("deviceCount":1)")));
  ExpectServed();

  Open("/api/v1/devices:watch?changesOnly=false");
  EXPECT_EQ(Receive().messages.size(), 2u);
  ExpectServed();
}

TEST_F(WatchAdapterTest, ClosesABadRequestWithASentence) {
  Open("/api/v1/devices:watch?changesOnly=perhaps");
  const Received value = Receive();
  EXPECT_EQ(value.close.code, 4400);
  EXPECT_THAT(value.close.text, HasSubstr("changesOnly"));
  ExpectServed();

  Open("/api/v1/devices:watch?nope=1");
  const Received parameter = Receive();
  EXPECT_EQ(parameter.close.code, 4400);
  EXPECT_THAT(parameter.close.text, HasSubstr("\"nope\""));
  ExpectServed();

  Open("/api/v1/sessions/1:watch", {}, "Bearer \x01");
  EXPECT_EQ(Receive().close.code, 4400);
  ExpectServed();
}

TEST_F(WatchAdapterTest, RefusesWhatIsNoStream) {
  Open("/api/v1/sessions/1");
  ExpectServed();
  EXPECT_FALSE(outcome_->accepted);
  EXPECT_EQ(outcome_->refused->status, 400);

  Open("/api/v1/nothing:watch");
  ExpectServed();
  EXPECT_EQ(outcome_->refused->status, 404);

  Open("/api/v1/sessions/1:watch", {"chat"});
  ExpectServed();
  EXPECT_EQ(outcome_->refused->status, 400);
}

TEST_F(WatchAdapterTest, EndsAfterEveryFault) {
  for (int fail_at = 1; fail_at < 100; ++fail_at) {
    FakeWebSocketOptions options;
    options.first_faults = std::make_shared<dataplane::FaultPlan>(fail_at);
    Open("/api/v1/sessions/count-5:watch", {kWatchSubprotocol}, "", options);
    const Received received = Receive();
    EXPECT_LE(received.messages.size(), 5u);
    ExpectServed();
    if (!options.first_faults->fired()) {
      EXPECT_GE(fail_at, 6);
      EXPECT_EQ(received.close.code, 1000);
      return;
    }
  }
  FAIL() << "no run without a fault";
}

}  // namespace
}  // namespace fairlead::gateway
