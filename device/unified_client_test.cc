// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The standing connection against a server in memory: hello, welcome, settings, requests, signs of
// life, and every way in which it ends.
#include "device/unified_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/testing/run.h"
#include "device/testing/folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using dataplane::WebSocket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UnifiedClientTest : public testing::Test {
 protected:
  UnifiedClientTest() {
    state_ = std::make_unique<StateDir>(*StateDir::Open(folder_.path()));
    identity_ = std::make_unique<Identity>(*Identity::Load(*state_, "unit"));
    options_.servers = *ParseEndpoints("127.0.0.1:1", "--server");
    options_.trust.sha256_fingerprint = std::string(64, 'a');
    options_.host_name = "box";
    options_.heartbeat = absl::Hours(1);
    options_.welcome_timeout = absl::Seconds(20);
  }

  void MakeClient() {
    client_ = std::make_unique<UnifiedClient>(context_.get_executor(), options_, *state_,
                                              *identity_, Profiles::Default(), SystemClock());
  }

  void Start() {
    MakeClient();
    dataplane::FakeWebSocketPair pair = dataplane::MakeFakeWebSocketPair(context_.get_executor());
    server_ = std::move(pair.second);
    net::co_spawn(context_, client_->Serve(std::move(pair.first)),
                  [this](std::exception_ptr, absl::Status status) { ended_ = status; });
    net::co_spawn(context_, Read(*this), net::detached);
  }

  static net::awaitable<void> Read(UnifiedClientTest& self) {
    for (;;) {
      const dataplane::Message message = co_await self.server_->ReadMessage();
      if (!message.open) break;
      self.received_.emplace_back();
      EXPECT_TRUE(self.received_.back().ParseFromString(message.payload));
    }
    self.server_over_ = true;
  }

  static net::awaitable<void> Write(UnifiedClientTest& self, std::string bytes) {
    (void)co_await self.server_->WriteBinary(bytes);
    self.written_ = true;
  }
  static net::awaitable<void> CloseServer(UnifiedClientTest& self, dataplane::CloseReason reason) {
    co_await self.server_->Close(reason);
  }

  void SendBytes(const std::string& bytes) {
    written_ = false;
    net::co_spawn(context_, Write(*this, bytes), net::detached);
    RunUntil([this] { return written_; });
  }
  void Say(const v1::ServerMessage& message) { SendBytes(message.SerializeAsString()); }
  void Welcome() {
    v1::ServerMessage message;
    message.mutable_welcome()->set_unit_id("unit");
    Say(message);
  }
  void Close(int code, const std::string& text) {
    dataplane::CloseReason reason;
    reason.code = static_cast<std::uint16_t>(code);
    reason.text = text;
    net::co_spawn(context_, CloseServer(*this, reason), net::detached);
  }

  template <class Condition>
  void RunUntil(const Condition& condition) {
    ASSERT_TRUE(dataplane::testing::RunUntil(context_, condition));
  }
  void AwaitMessages(std::size_t count) {
    RunUntil([&] { return received_.size() >= count; });
  }
  void Finish() {
    server_->Abort();
    RunUntil([this] { return ended_.has_value() && server_over_; });
    // The client must outlive what still waits or was woken.
    client_->Stop();
    context_.restart();
    context_.poll();
  }

  net::io_context context_;
  const Folder folder_;
  std::unique_ptr<StateDir> state_;
  std::unique_ptr<Identity> identity_;
  UnifiedClientOptions options_;
  std::unique_ptr<WebSocket> server_;
  std::unique_ptr<UnifiedClient> client_;
  std::vector<v1::DeviceMessage> received_;
  std::optional<absl::Status> ended_;
  bool server_over_ = false;
  bool written_ = false;
};

TEST_F(UnifiedClientTest, SaysHello) {
  Start();
  AwaitMessages(1);
  const v1::DeviceHello& hello = received_[0].hello();
  EXPECT_EQ(hello.protocol_version(), 1u);
  EXPECT_EQ(hello.agent_version(), kAgentVersion);
  EXPECT_EQ(hello.os_generation(), v1::Device::OS_12);
  EXPECT_EQ(hello.host_name(), "box");
  EXPECT_THAT(hello.profiles(), ElementsAre("shell"));
  Welcome();
  Finish();
  EXPECT_THAT(*ended_, IsOk());
}

TEST_F(UnifiedClientTest, KeepsSettingsAndHeedsThem) {
  Start();
  Welcome();
  v1::ServerMessage message;
  message.mutable_update_settings()->set_enabled(false);
  Say(message);
  AwaitMessages(2);
  EXPECT_FALSE(received_[1].settings_applied().settings().enabled());
  EXPECT_TRUE(received_[1].settings_applied().settings().has_enabled());

  v1::ServerMessage open;
  open.mutable_open_terminal()->set_session_id("s");
  Say(open);
  AwaitMessages(3);
  EXPECT_EQ(received_[2].open_terminal_result().refusal(), v1::OpenTerminalResult::DISABLED);
  Finish();

  // A new run of the agent, without a connection yet, still has them.
  client_.reset();
  received_.clear();
  ended_.reset();
  server_over_ = false;
  Start();
  Say(open);
  AwaitMessages(2);
  EXPECT_EQ(received_[1].open_terminal_result().refusal(), v1::OpenTerminalResult::DISABLED);
  Finish();
}

TEST_F(UnifiedClientTest, TellsThatTheTunnelFailed) {
  Start();
  Welcome();
  v1::ServerMessage open;
  open.mutable_open_terminal()->set_session_id("s");
  open.mutable_open_terminal()->set_ticket(std::string(43, 'x'));
  Say(open);
  AwaitMessages(2);
  EXPECT_EQ(received_[1].open_terminal_result().refusal(), v1::OpenTerminalResult::TUNNEL_FAILED);
  EXPECT_THAT(received_[1].open_terminal_result().message(), HasSubstr("127.0.0.1"));
  Finish();
}

TEST_F(UnifiedClientTest, GivesSignsOfLife) {
  options_.heartbeat = absl::Milliseconds(5);
  Start();
  Welcome();
  AwaitMessages(4);
  EXPECT_TRUE(received_[2].has_heartbeat());
  EXPECT_TRUE(received_[3].has_heartbeat());
  Finish();
}

TEST_F(UnifiedClientTest, R30IgnoresWhatItDoesNotKnow) {
  Start();
  Welcome();
  SendBytes("\xFF\xFF\xFF");
  SendBytes(std::string("\xFA\x07\x00", 3));
  v1::ServerMessage close;
  close.mutable_close_terminal()->set_session_id("unknown");
  Say(close);
  v1::ServerMessage message;
  message.mutable_update_settings()->set_max_sessions(3);
  Say(message);
  AwaitMessages(2);
  EXPECT_TRUE(received_[1].has_settings_applied());
  Finish();
}

TEST_F(UnifiedClientTest, GivesAServerUpThatDoesNotWelcomeIt) {
  options_.welcome_timeout = absl::Milliseconds(20);
  Start();
  RunUntil([this] { return ended_.has_value(); });
  EXPECT_THAT(*ended_, StatusIs(absl::StatusCode::kUnavailable));
  Finish();
}

TEST_F(UnifiedClientTest, ARevokedDeviceIsARefusal) {
  Start();
  AwaitMessages(1);
  Close(4403, "The device was deleted.");
  RunUntil([this] { return ended_.has_value(); });
  EXPECT_THAT(*ended_,
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("The device was deleted.")));
  Finish();
}

TEST_F(UnifiedClientTest, AnOs11DeviceSaysSo) {
  options_.os_generation = v1::Device::OS_11;
  Start();
  AwaitMessages(1);
  EXPECT_EQ(received_[0].hello().os_generation(), v1::Device::OS_11);
  Close(4403, "An OS 11 device connects to ICGs only.");
  RunUntil([this] { return ended_.has_value(); });
  EXPECT_THAT(*ended_, StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("ICGs only")));
  Finish();
}

TEST_F(UnifiedClientTest, KeepsTheListOfConnectors) {
  Start();
  AwaitMessages(1);
  v1::ServerMessage message;
  message.mutable_welcome()->set_unit_id("unit");
  v1::ConnectorList& list = *message.mutable_welcome()->mutable_connectors();
  v1::Connector& connector = *list.add_connectors();
  connector.set_type(v1::Connector::ICG);
  connector.set_address("icg.example:8443");
  Say(message);
  const auto kept = [this] {
    v1::ConnectorList stored;
    stored.ParseFromString(state_->Read("connectors.pb").value_or(""));
    return stored;
  };
  RunUntil([&] { return kept().connectors_size() == 1; });
  EXPECT_EQ(kept().connectors(0).address(), "icg.example:8443");

  v1::ServerMessage update;
  v1::Connector& other = *update.mutable_update_connectors()->add_connectors();
  other.set_address("ums.example:8443");
  update.mutable_update_connectors()->set_preference(v1::Device::SERVER);
  Say(update);
  RunUntil([&] { return kept().preference() == v1::Device::SERVER; });
  EXPECT_EQ(kept().connectors(0).address(), "ums.example:8443");

  // A list of nonsense is no list.
  update.mutable_update_connectors()->mutable_connectors(0)->set_address("nonsense");
  Say(update);
  v1::ServerMessage settings;
  settings.mutable_update_settings()->set_max_sessions(3);
  Say(settings);
  AwaitMessages(2);
  EXPECT_EQ(kept().connectors(0).address(), "ums.example:8443");
  // The connection in use stays.
  EXPECT_FALSE(ended_.has_value());
  Finish();
}

TEST_F(UnifiedClientTest, TriesOnePlaceAfterTheOther) {
  net::ip::tcp::acceptor first(context_,
                               net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
  net::ip::tcp::acceptor second(context_,
                                net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0));
  options_.servers = *ParseEndpoints(absl::StrCat("127.0.0.1:", first.local_endpoint().port(),
                                                  ",127.0.0.1:", second.local_endpoint().port()),
                                     "--server");
  options_.first_authentication_key = "key";
  MakeClient();
  bool done = false;
  net::co_spawn(context_, client_->Run(), [&done](std::exception_ptr) { done = true; });
  // Neither speaks TLS; what counts is that both are asked.
  for (net::ip::tcp::acceptor* acceptor : {&first, &second}) {
    bool asked = false;
    acceptor->async_accept(
        [&asked](dataplane::error_code error, net::ip::tcp::socket) { asked = !error; });
    RunUntil([&asked] { return asked; });
  }
  client_->Stop();
  RunUntil([&done] { return done; });
}

TEST_F(UnifiedClientTest, StopsWhileNobodyAnswers) {
  MakeClient();
  bool done = false;
  net::co_spawn(context_, client_->Run(), [&done](std::exception_ptr) { done = true; });
  context_.poll();
  client_->Stop();
  RunUntil([&done] { return done; });
}

}  // namespace
}  // namespace fairlead::device
