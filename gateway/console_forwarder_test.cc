// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A Console that goes through the server to an ICG: the ICG is real, over TLS on the loopback
// interface; the Console's end is a pair of fake WebSockets.
#include "gateway/console_forwarder.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/ticket_register.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "gateway/relay_notices.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::HashTicket;
using dataplane::Message;
using dataplane::WebSocket;
using dataplane::testing::ClientSpec;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::HasSubstr;

class ConsoleForwarderTest : public ::testing::Test {
 protected:
  ~ConsoleForwarderTest() override {
    link_.reset();
    StopIcg();
  }

  void SetUp() override {
    GatewayOptions options;
    options.role = "icg";
    options.listen = {"127.0.0.1:0"};
    options.io_threads = 1;
    LeafSpec leaf;
    leaf.uris = {"urn:fairlead:icg:dmz"};
    options.identity = ca_.Issue(leaf);
    options.client_ca_pem = ca_.pem();
    options.web_console = false;
    options.icg = IcgOptions();
    options.icg->id = "dmz";
    auto icg = Gateway::Create(std::move(options));
    ASSERT_THAT(icg, IsOk());
    icg_ = *std::move(icg);
    server_ = BuildGrpcServer({icg_->edge_service()});
    ASSERT_THAT(icg_->Start(server_.get()), IsOk());
    link_ = std::make_unique<TestLink>(server_->InProcessChannel(grpc::ChannelArguments()));
    ASSERT_TRUE(link_->Configure("ums"));
    link_->ReadSnapshot();
    RegisterSession();
  }

  // At the ICG; the device's tunnel is in place.
  void RegisterSession() {
    const std::string device_ticket = RandomSecret();
    v1::EdgeCommand command;
    v1::RegisterSession& session = *command.mutable_register_session();
    session.set_session_id("s1");
    session.set_console_ticket_sha256(HashTicket(ticket_));
    session.set_device_ticket_sha256(HashTicket(device_ticket));
    session.set_unit_id("a");
    session.mutable_pairing_timeout()->set_seconds(30);
    ASSERT_TRUE(link_->Write(command));
    ASSERT_EQ(link_->Read().tunnel_event().type(), v1::TunnelEvent::ACCEPTED);
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    const dataplane::TlsIdentity identity = ca_.Issue(ClientSpec("urn:fairlead:device:a"));
    dataplane::DialOptions dial;
    dial.tls = *dataplane::TlsClientContext::Create(trust, &identity, {});
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = icg_->port();
    endpoint.target = "/device-connector/device/portforwarding";
    const dataplane::HttpHeaders headers = {{"Authorization", "Bearer " + device_ticket}};
    auto device =
        Await(io_, dataplane::DialWebSocket(endpoint, dial, {std::string(kTerminal)}, headers));
    ASSERT_THAT(device, IsOk());
    device_ = std::move(device->websocket);
    ASSERT_EQ(Next(*device_), "text " + AttachedText());
  }

  void StopIcg() {
    if (icg_ == nullptr) return;
    icg_->Stop(absl::Seconds(1));
    ShutDownGrpcServer(*server_);
    server_.reset();
    icg_.reset();
  }

  v1::ForwardConsole Way() {
    v1::ForwardConsole way;
    way.set_session_id("s1");
    way.set_console_ticket_sha256(HashTicket(ticket_));
    way.mutable_pairing_timeout()->set_seconds(30);
    way.set_icg_id("dmz");
    way.set_address(absl::StrCat("grpcs://127.0.0.1:", icg_->port()));
    return way;
  }

  // Lets a Console in, and gives its end of the tunnel.
  std::unique_ptr<WebSocket> Enter(v1::ForwardConsole way) {
    auto pair = dataplane::MakeFakeWebSocketPair(io_.get_executor());
    auto upgrade =
        std::make_unique<FakeUpgrade>(std::vector<std::string>{kTerminal}, std::move(pair.second));
    served_ = Spawn(io_, forwarder_.Serve(std::move(way), ticket_, kTerminal, std::move(upgrade)));
    return std::move(pair.first);
  }

  std::string Next(WebSocket& websocket) {
    const Message message = Await(io_, websocket.ReadMessage());
    if (!message.open) return absl::StrCat("close ", message.close.code, " ", message.close.text);
    const bool text = message.kind == dataplane::FrameKind::kText;
    return absl::StrCat(text ? "text " : "binary ", message.payload);
  }

  // Lets a Console in and reads what the ICG says first.
  std::unique_ptr<WebSocket> Attach() {
    std::unique_ptr<WebSocket> console = Enter(Way());
    EXPECT_EQ(Next(*console), "text " + AttachedText());
    EXPECT_EQ(Next(*console), "text " + PeerAttachedText());
    EXPECT_EQ(Next(*device_), "text " + PeerAttachedText());
    return console;
  }

  void AwaitEnd() {
    RunUntil(io_, [&] { return *served_; });
    EXPECT_EQ(forwarder_.open_now(), 0u);
  }

  static constexpr char kTerminal[] = "fairlead.terminal.v1";

  dataplane::net::io_context io_;
  TestCa ca_;
  FakeClock clock_;
  RecordingSink sink_;
  std::string revoked_;
  ConsoleForwarder forwarder_{
      sink_,
      clock_,
      {[this] { return ca_.pem(); }, [this](absl::string_view) { return !revoked_.empty(); }}};
  const std::string ticket_ = RandomSecret();
  std::unique_ptr<Gateway> icg_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<TestLink> link_;
  std::unique_ptr<WebSocket> device_;
  std::shared_ptr<bool> served_;
};

TEST_F(ConsoleForwarderTest, ATicketIsForOneConsoleAndForItsTime) {
  EXPECT_FALSE(forwarder_.Take(ticket_).has_value());
  forwarder_.Expect(Way());
  EXPECT_FALSE(forwarder_.Take("another").has_value());
  EXPECT_EQ(forwarder_.Take(ticket_)->icg_id(), "dmz");
  EXPECT_FALSE(forwarder_.Take(ticket_).has_value());

  forwarder_.Expect(Way());
  clock_.Advance(absl::Seconds(31));
  EXPECT_FALSE(forwarder_.Take(ticket_).has_value());

  v1::ForwardConsole malformed = Way();
  malformed.set_console_ticket_sha256("short");
  forwarder_.Expect(malformed);
  forwarder_.Stop();
  forwarder_.Expect(Way());
  EXPECT_FALSE(forwarder_.Take(ticket_).has_value());
}

TEST_F(ConsoleForwarderTest, CarriesFramesBothWaysAndTheDevicesEnd) {
  const std::unique_ptr<WebSocket> console = Attach();
  ASSERT_EQ(sink_.events().size(), 1u);
  EXPECT_EQ(sink_.events()[0].console_forwarded().session_id(), "s1");
  EXPECT_EQ(forwarder_.open_now(), 1u);

  ASSERT_THAT(Await(io_, console->WriteBinary("ls\r")), IsOk());
  EXPECT_EQ(Next(*device_), "binary ls\r");
  ASSERT_THAT(Await(io_, console->WriteText("{\"close\":{}}")), IsOk());
  EXPECT_EQ(Next(*device_), "text {\"close\":{}}");
  ASSERT_THAT(Await(io_, device_->WriteBinary("home")), IsOk());
  EXPECT_EQ(Next(*console), "binary home");

  dataplane::CloseReason exited;
  exited.code = dataplane::kCloseNormal;
  exited.text = "exited";
  const auto closed = Spawn(io_, device_->Close(exited));
  EXPECT_EQ(Next(*console), "close 1000 exited");
  RunUntil(io_, [&] { return *closed; });
  AwaitEnd();
}

TEST_F(ConsoleForwarderTest, TheConsolesEndReachesTheDevice) {
  std::unique_ptr<WebSocket> console = Attach();
  console->Abort();
  EXPECT_THAT(Next(*device_), HasSubstr("close 4502"));
  AwaitEnd();
}

TEST_F(ConsoleForwarderTest, TheIcgDecidesOnTheTicket) {
  const std::unique_ptr<WebSocket> console = Attach();
  const std::shared_ptr<bool> first = served_;
  const std::unique_ptr<WebSocket> second = Enter(Way());
  EXPECT_THAT(Next(*second), HasSubstr("close 4401"));
  RunUntil(io_, [&] { return *served_; });
  EXPECT_FALSE(*first);
  console->Abort();
  served_ = first;
  AwaitEnd();
}

TEST_F(ConsoleForwarderTest, ALostIcgIsToldAsThat) {
  const std::unique_ptr<WebSocket> console = Attach();
  icg_->Stop(absl::ZeroDuration());
  EXPECT_THAT(Next(*console), HasSubstr("close 4503"));
  AwaitEnd();
}

TEST_F(ConsoleForwarderTest, StoppingEndsAllWithAReason) {
  const std::unique_ptr<WebSocket> console = Attach();
  forwarder_.Stop();
  EXPECT_THAT(Next(*console), HasSubstr("close 4503 The server is stopping"));
  AwaitEnd();

  const std::unique_ptr<WebSocket> late = Enter(Way());
  EXPECT_THAT(Next(*late), HasSubstr("close "));
  AwaitEnd();
}

TEST_F(ConsoleForwarderTest, NobodyButTheIcgIsTaken) {
  v1::ForwardConsole other = Way();
  other.set_icg_id("other");
  const std::unique_ptr<WebSocket> wrong = Enter(other);
  EXPECT_THAT(Next(*wrong), HasSubstr("close 4502 The server cannot reach icgs/other"));
  AwaitEnd();

  revoked_ = "all";
  const std::unique_ptr<WebSocket> revoked = Enter(Way());
  EXPECT_THAT(Next(*revoked), HasSubstr("close 4502 The server cannot reach icgs/dmz"));
  AwaitEnd();

  v1::ForwardConsole nowhere = Way();
  nowhere.set_address("nowhere");
  const std::unique_ptr<WebSocket> lost = Enter(nowhere);
  EXPECT_THAT(Next(*lost), HasSubstr("close 4502"));
  AwaitEnd();
  EXPECT_TRUE(sink_.events().empty());
}

}  // namespace
}  // namespace fairlead::gateway
