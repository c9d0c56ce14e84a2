// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An ICG over real TLS on the loopback interface: who may link to it and in which forms, what it
// does while no server is linked, its limit of devices, and what it serves.
#include <grpcpp/grpcpp.h>
#include <openssl/sha.h>

#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/grpc_fd_channel.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/fd_splice.h"
#include "dataplane/io_threads.h"
#include "dataplane/keepalive.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gateway/edge_dialer.h"
#include "gateway/edge_websocket.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "gateway/relay_notices.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::HttpHeaders;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::Message;
using dataplane::WebSocketDialResult;
using dataplane::testing::ClientSpec;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr char kServer[] = "urn:fairlead:server:ums";

using ChannelOr = absl::StatusOr<std::shared_ptr<grpc::Channel>>;

std::string Sha256Of(const std::string& text) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
         reinterpret_cast<std::uint8_t*>(hash.data()));
  return hash;
}

net::awaitable<ChannelOr> DialAsAnybody(dataplane::Endpoint endpoint,
                                        dataplane::DialOptions options) {
  auto tls = co_await dataplane::DialTls(std::move(endpoint), std::move(options));
  if (!tls.ok()) co_return tls.status();
  const absl::StatusOr<int> fd = dataplane::SpliceToFd(*std::move(tls));
  if (!fd.ok()) co_return fd.status();
  co_return ChannelOverFd("icg", *fd, ChannelPings());
}

class IcgTest : public ::testing::Test {
 protected:
  ~IcgTest() override {
    link_.reset();
    channel_.reset();
    StopIcg();
  }

  void SetUp() override { StartIcg("127.0.0.1:0"); }

  void StartIcg(const std::string& listen) {
    GatewayOptions options;
    options.role = "icg";
    options.listen = {listen};
    options.io_threads = 2;
    LeafSpec leaf;
    leaf.uris = {"urn:fairlead:icg:dmz"};
    options.identity = ca_.Issue(leaf);
    options.client_ca_pem = ca_.pem();
    options.web_console = false;
    IcgOptions icg;
    icg.id = "dmz";
    options.icg = icg;
    auto gateway = Gateway::Create(std::move(options));
    ASSERT_THAT(gateway, IsOk());
    gateway_ = *std::move(gateway);
    server_ = BuildGrpcServer({gateway_->edge_service()});
    ASSERT_THAT(gateway_->Start(server_.get()), IsOk());
  }

  void StopIcg() {
    if (gateway_ == nullptr) return;
    gateway_->Stop(absl::Seconds(1));
    ShutDownGrpcServer(*server_);
    server_.reset();
    gateway_.reset();
  }

  EdgeDialRequest Request(const std::string& scheme, const std::string& uri = kServer) {
    const dataplane::TlsIdentity identity = ca_.Issue(ClientSpec(uri));
    EdgeDialRequest request;
    request.icg_id = "dmz";
    request.address = absl::StrCat(scheme, "://127.0.0.1:", gateway_->port());
    request.certificate_chain_pem = identity.certificate_chain_pem;
    request.private_key_pem = identity.private_key_pem;
    request.ca_pem = ca_.pem();
    return request;
  }

  ChannelOr DialEdge(EdgeDialRequest request) {
    std::promise<ChannelOr> promise;
    dialer_.Dial(std::move(request),
                 [&promise](ChannelOr channel) { promise.set_value(std::move(channel)); });
    return promise.get_future().get();
  }

  void Link(v1::EdgeConfiguration configuration = {}, const std::string& scheme = "grpcs") {
    link_.reset();
    ChannelOr channel = DialEdge(Request(scheme));
    ASSERT_THAT(channel, IsOk());
    channel_ = *std::move(channel);
    link_ = std::make_unique<TestLink>(channel_);
    v1::EdgeCommand command;
    configuration.set_server_name("ums");
    *command.mutable_configure() = std::move(configuration);
    ASSERT_TRUE(link_->Write(command));
    snapshot_ = link_->ReadSnapshot();
    RunUntil(io_, [&] { return gateway_->ready(); });
  }

  // As if the server had gone.
  void Unlink() {
    link_.reset();
    channel_.reset();
    RunUntil(io_, [&] { return CheckStatus() == "warn"; });
  }

  dataplane::DialOptions Dialling(const std::string& uri, std::vector<std::string> alpn) {
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    dataplane::TlsIdentity identity;
    if (!uri.empty()) identity = ca_.Issue(ClientSpec(uri));
    dataplane::DialOptions options;
    options.tls = *dataplane::TlsClientContext::Create(trust, uri.empty() ? nullptr : &identity,
                                                       std::move(alpn));
    return options;
  }
  dataplane::Endpoint At(const std::string& target) {
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = gateway_->port();
    endpoint.target = target;
    return endpoint;
  }
  absl::StatusOr<WebSocketDialResult> Dial(const std::string& path, const std::string& uri,
                                           std::vector<std::string> subprotocols,
                                           HttpHeaders headers = {}) {
    return Await(io_, dataplane::DialWebSocket(At(path), Dialling(uri, {}), std::move(subprotocols),
                                               std::move(headers)));
  }
  HttpResponse Get(const std::string& path) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    const auto response =
        Await(io_, dataplane::Fetch(At(path), Dialling("", {}), request, absl::Seconds(10)));
    EXPECT_THAT(response, IsOk());
    return response.ok() ? *response : HttpResponse();
  }
  std::string CheckStatus() {
    const std::string body = Get("/usg/check-status").body;
    const std::string prefix = "{\"status\":\"";
    EXPECT_EQ(body.substr(0, prefix.size()), prefix);
    return body.substr(prefix.size(), body.rfind('"') - prefix.size());
  }

  absl::StatusOr<WebSocketDialResult> DialDevice(const std::string& unit_id) {
    return Dial("/device-connector/device/ws-connect", "urn:fairlead:device:" + unit_id,
                {"fairlead.unified.v1"});
  }
  // A device whose hello the server has seen.
  WebSocketDialResult Connect(const std::string& unit_id) {
    auto device = DialDevice(unit_id);
    EXPECT_THAT(device, IsOk());
    if (!device.ok()) return WebSocketDialResult();
    v1::DeviceMessage hello;
    hello.mutable_hello()->set_agent_version("1.0");
    const std::string bytes = hello.SerializeAsString();
    EXPECT_THAT(Await(io_, device->websocket->WriteBinary(bytes)), IsOk());
    EXPECT_EQ(ReadUntil(v1::EdgeEvent::kDeviceConnected).device_connected().unit_id(), unit_id);
    return *std::move(device);
  }
  v1::EdgeEvent ReadUntil(v1::EdgeEvent::EventCase wanted) {
    for (;;) {
      v1::EdgeEvent event = link_->Read();
      if (event.event_case() == wanted || event.event_case() == v1::EdgeEvent::EVENT_NOT_SET) {
        return event;
      }
    }
  }

  // "text ...", "binary ..." or "close 4401 reason".
  std::string Next(const WebSocketDialResult& dialled) {
    const Message message = Await(io_, dialled.websocket->ReadMessage());
    if (!message.open) return absl::StrCat("close ", message.close.code, " ", message.close.text);
    const bool text = message.kind == dataplane::FrameKind::kText;
    return absl::StrCat(text ? "text " : "binary ", message.payload);
  }

  dataplane::net::io_context io_;
  TestCa ca_;
  LinkDialer dialer_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<TestLink> link_;
  std::vector<std::string> snapshot_;
};

// What holds for both forms of the link.
class LinkFormTest : public IcgTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Forms, LinkFormTest, ::testing::Values("grpcs", "wss"));

TEST_P(LinkFormTest, AServerLinks) {
  Link({}, GetParam());

  EXPECT_THAT(snapshot_, ElementsAre("hello", "snapshot_complete"));
  const WebSocketDialResult device = Connect("a");
  v1::EdgeCommand command;
  command.mutable_device_command()->set_unit_id("a");
  command.mutable_device_command()->mutable_message()->mutable_welcome()->set_unit_id("a");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_THAT(Next(device), HasSubstr("binary "));
  command.mutable_drop_device()->set_unit_id("a");
  command.mutable_drop_device()->set_close_code(4403);
  command.mutable_drop_device()->set_reason("Enough.");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_EQ(Next(device), "close 4403 Enough.");
  EXPECT_EQ(ReadUntil(v1::EdgeEvent::kDeviceDisconnected).device_disconnected().reason(),
            "Enough.");
}

TEST_P(LinkFormTest, AConfigurationMayBeLarge) {
  v1::EdgeConfiguration configuration;
  for (int i = 0; i < 160'000; ++i) {
    configuration.add_revoked_fingerprints(Sha256Of(std::to_string(i)));
  }
  ASSERT_GT(configuration.ByteSizeLong(), 5u << 20);
  Link(configuration, GetParam());

  EXPECT_THAT(snapshot_, Contains("snapshot_complete"));
}

TEST_P(LinkFormTest, EventsComeInOrderUnderALoad) {
  Link({}, GetParam());
  for (int i = 0; i < 2000; ++i) {
    v1::EdgeCommand command;
    command.mutable_register_session()->set_session_id(absl::StrCat("bad", i));
    ASSERT_TRUE(link_->Write(command));
  }

  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(ReadUntil(v1::EdgeEvent::kTunnelEvent).tunnel_event().session_id(),
              absl::StrCat("bad", i));
  }
}

TEST_P(LinkFormTest, TheLinkEndsWithItsChannel) {
  Link({}, GetParam());
  Unlink();
  EXPECT_FALSE(gateway_->ready());

  // And can be had anew.
  Link({}, GetParam());
  EXPECT_EQ(CheckStatus(), "ok");
}

TEST_P(LinkFormTest, TheEdgesReasonReachesTheServer) {
  Link({}, GetParam());
  const auto channel = channel_;
  const auto older = std::move(link_);
  Link({}, GetParam());

  const grpc::Status status = older->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), HasSubstr("newer link"));
}

TEST_P(LinkFormTest, TheLinkIsDialledAgainAfterARestart) {
  Link({}, GetParam());
  const std::string listen = absl::StrCat("127.0.0.1:", gateway_->port());
  StopIcg();

  EXPECT_EQ(link_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  {
    TestLink late(channel_);
    late.Configure("ums");
    EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  StartIcg(listen);
  Link({}, GetParam());
  EXPECT_THAT(snapshot_, ElementsAre("hello", "snapshot_complete"));
}

TEST_P(LinkFormTest, AnotherIcgIsNotTaken) {
  EdgeDialRequest request = Request(GetParam());
  request.icg_id = "other";

  EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kPermissionDenied,
                                          HasSubstr("is urn:fairlead:icg:dmz, not icgs/other")));
}

TEST_P(LinkFormTest, AForeignCertificateIsNotTaken) {
  const TestCa other("Another CA");
  EdgeDialRequest request = Request(GetParam());
  request.ca_pem = other.pem();

  EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(LinkFormTest, NobodyThere) {
  const EdgeDialRequest request = Request(GetParam());
  StopIcg();

  EXPECT_THAT(DialEdge(request),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nobody answers")));
}

TEST_F(IcgTest, OnlyAServersCertificateLinksByGrpc) {
  for (const char* uri : {"urn:fairlead:device:a", "urn:fairlead:icg:dmz"}) {
    const ChannelOr channel = DialEdge(Request("grpcs", uri));
    ASSERT_THAT(channel, IsOk());
    TestLink link(*channel);
    link.Configure("ums");
    EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED) << uri;
  }
  dataplane::IoThreads threads(1);
  std::promise<ChannelOr> promise;
  net::co_spawn(
      threads.executor(0), DialAsAnybody(At("/"), Dialling("", {"h2"})),
      [&promise](std::exception_ptr, ChannelOr channel) { promise.set_value(std::move(channel)); });
  {
    const ChannelOr channel = promise.get_future().get();
    ASSERT_THAT(channel, IsOk());
    TestLink link(*channel);
    link.Configure("ums");
    EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  }
  EXPECT_FALSE(gateway_->ready());
}

TEST_F(IcgTest, OnlyAServersCertificateLinksByWebSocket) {
  for (const char* uri : {"urn:fairlead:device:a", "urn:fairlead:icg:dmz"}) {
    EXPECT_THAT(DialEdge(Request("wss", uri)),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not a server's")))
        << uri;
  }
  EXPECT_THAT(Dial(kLinkPath, "", {kLinkSubprotocol}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Only a server")));
  EXPECT_THAT(Dial(kLinkPath, kServer, {"fairlead.unified.v1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(kLinkSubprotocol)));
  EXPECT_FALSE(gateway_->ready());
}

TEST_F(IcgTest, WhatIsNoCommandEndsTheWebSocket) {
  auto text = Dial(kLinkPath, kServer, {kLinkSubprotocol});
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(text->subprotocol, kLinkSubprotocol);
  ASSERT_THAT(Await(io_, text->websocket->WriteText("{}")), IsOk());
  EXPECT_THAT(Next(*text), HasSubstr("close 4400"));

  auto garbage = Dial(kLinkPath, kServer, {kLinkSubprotocol});
  ASSERT_THAT(garbage, IsOk());
  ASSERT_THAT(Await(io_, garbage->websocket->WriteBinary("\xff\xff\xff")), IsOk());
  EXPECT_THAT(Next(*garbage), HasSubstr("close 4400"));
}

TEST(LinkKeepAliveTest, ADeadPeerIsFoundOutWithin30Seconds) {
  dataplane::KeepAlive keep_alive(LinkKeepAlive(), absl::ZeroDuration());
  keep_alive.OnReadStarted(absl::ZeroDuration());
  absl::Duration now;
  for (;;) {
    now = keep_alive.NextPoll();
    ASSERT_LE(now, absl::Seconds(30));
    const auto action = keep_alive.Poll(now);
    if (action == dataplane::KeepAlive::Action::kLost) break;
    if (action == dataplane::KeepAlive::Action::kSendPing) keep_alive.OnPingSent(now);
  }
  EXPECT_GE(now, absl::Seconds(20));

  // A write that nobody takes.
  dataplane::KeepAlive stalled(LinkKeepAlive(), absl::ZeroDuration());
  stalled.OnWriteStarted(absl::ZeroDuration());
  EXPECT_EQ(stalled.Poll(absl::Seconds(29)), dataplane::KeepAlive::Action::kLost);
}

TEST_F(IcgTest, AddressesThatAreNone) {
  for (const char* address :
       {"", "icg:8443", "https://icg:8443", "grpcs://", "wss://icg:8443/path", "grpcs://icg:x"}) {
    EXPECT_THAT(ParseLinkAddress(address), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
    EdgeDialRequest request = Request("grpcs");
    request.address = address;
    EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
  }
  EXPECT_EQ(ParseLinkAddress("wss://[::1]:7")->endpoint.host, "::1");
}

TEST_F(IcgTest, ServesWhatAnIcgServesAndNothingElse) {
  EXPECT_THAT(gateway_->route_patterns(),
              UnorderedElementsAre(
                  "/device-connector/device/ws-connect", "/device-connector/device/portforwarding",
                  "/console-connector/terminal", "/device-connector/device/.well-known/est/cacerts",
                  "/device-connector/device/.well-known/est/simpleenroll",
                  "/device-connector/device/.well-known/est/simplereenroll",
                  "/device-connector/server/ws-connect", "/usg/check-status", "/healthz", "/readyz",
                  "/metrics"));
  for (const char* path : {"/", "/api/v1/devices", "/api/v1/icgs", "/index.html"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
}

TEST_F(IcgTest, StatusAndReadinessFollowTheLink) {
  EXPECT_EQ(CheckStatus(), "init");
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/device-connector/device/.well-known/est/cacerts").status, 503);
  EXPECT_THAT(DialDevice("a"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("No server is linked")));

  Link();
  EXPECT_EQ(CheckStatus(), "ok");
  EXPECT_EQ(Get("/readyz").status, 200);
  const WebSocketDialResult device = Connect("a");

  Unlink();
  EXPECT_EQ(CheckStatus(), "warn");
  EXPECT_THAT(DialDevice("b"), StatusIs(absl::StatusCode::kUnavailable));
  // Who is in stays in.
  Link();
  EXPECT_THAT(snapshot_, ElementsAre("hello", "device_connected", "snapshot_complete"));
  Connect("b");
}

TEST_F(IcgTest, DevicesGoWhenTheGraceIsOver) {
  v1::EdgeConfiguration configuration;
  configuration.mutable_grace_period()->set_nanos(50'000'000);
  Link(configuration);
  const WebSocketDialResult device = Connect("a");

  Unlink();

  EXPECT_EQ(Next(device),
            "close 1001 No server has been linked to this ICG for 50ms; connect again later.");
  Link();
  EXPECT_THAT(snapshot_, ElementsAre("hello", "snapshot_complete"));
  Connect("a");
}

TEST_F(IcgTest, TunnelsOutlastTheLinkAndTheirEndIsToldLater) {
  v1::EdgeConfiguration configuration;
  configuration.mutable_grace_period()->set_nanos(1);
  Link(configuration);
  const std::string console_ticket = RandomSecret();
  const std::string device_ticket = RandomSecret();
  v1::EdgeCommand command;
  v1::RegisterSession& session = *command.mutable_register_session();
  session.set_session_id("s1");
  session.set_console_ticket_sha256(Sha256Of(console_ticket));
  session.set_device_ticket_sha256(Sha256Of(device_ticket));
  session.set_unit_id("a");
  session.mutable_pairing_timeout()->set_seconds(30);
  ASSERT_TRUE(link_->Write(command));
  // When the edge has answered this, it knows that.
  command.mutable_register_session()->set_session_id("");
  ASSERT_TRUE(link_->Write(command));
  while (ReadUntil(v1::EdgeEvent::kTunnelEvent).tunnel_event().type() != v1::TunnelEvent::ENDED) {
  }
  const HttpHeaders bearer = {{"Authorization", "Bearer " + device_ticket}};
  auto device = Dial("/device-connector/device/portforwarding", "urn:fairlead:device:a",
                     {"fairlead.terminal.v1"}, bearer);
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(Next(*device), "text " + AttachedText());

  Unlink();

  // A ticket is good without a server, bytes flow, and the end comes.
  auto console = Dial("/console-connector/terminal", "",
                      {"fairlead.terminal.v1", "fairlead.ticket." + console_ticket});
  ASSERT_THAT(console, IsOk());
  EXPECT_EQ(Next(*console), "text " + AttachedText());
  EXPECT_EQ(Next(*console), "text " + PeerAttachedText());
  EXPECT_EQ(Next(*device), "text " + PeerAttachedText());
  ASSERT_THAT(Await(io_, console->websocket->WriteBinary("ls\r")), IsOk());
  EXPECT_EQ(Next(*device), "binary ls\r");
  auto unknown = Dial("/console-connector/terminal", "",
                      {"fairlead.terminal.v1", "fairlead.ticket." + RandomSecret()});
  ASSERT_THAT(unknown, IsOk());
  EXPECT_THAT(Next(*unknown), HasSubstr("close 4401"));
  const auto closed = Spawn(io_, device->websocket->Close({1000, "exited"}));
  EXPECT_THAT(Next(*console), HasSubstr("close 1000"));
  RunUntil(io_, [&] { return *closed; });

  ChannelOr channel = DialEdge(Request("grpcs"));
  ASSERT_THAT(channel, IsOk());
  TestLink link(*channel);
  ASSERT_TRUE(link.Configure("ums"));
  std::vector<std::string> told;
  for (v1::EdgeEvent event = link.Read();
       !event.has_snapshot_complete() && event.event_case() != v1::EdgeEvent::EVENT_NOT_SET;
       event = link.Read()) {
    if (event.has_tunnel_event() && event.tunnel_event().session_id() == "s1") {
      told.push_back(v1::TunnelEvent::Type_Name(event.tunnel_event().type()));
      if (event.tunnel_event().type() == v1::TunnelEvent::ENDED) {
        EXPECT_EQ(event.tunnel_event().close_code(), 1000u);
        EXPECT_EQ(event.tunnel_event().bytes_to_device(), 3u);
      }
    }
    if (event.has_refusal()) told.push_back(event.refusal().action());
  }
  EXPECT_THAT(told, ElementsAre("ACCEPTED", "DEVICE_ATTACHED", "CONSOLE_ATTACHED", "DATA_FLOWING",
                                "ENDED", "tunnel.attach"));
}

TEST_F(IcgTest, MoreDevicesThanMayBeAreRefusedAndCounted) {
  v1::EdgeConfiguration configuration;
  configuration.set_max_devices(2);
  Link(configuration);
  const WebSocketDialResult a = Connect("a");
  const WebSocketDialResult b = Connect("b");

  EXPECT_THAT(DialDevice("c"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("As many devices")));
  const v1::EdgeRefusal refusal = ReadUntil(v1::EdgeEvent::kRefusal).refusal();
  EXPECT_EQ(refusal.action(), "device.connect");
  EXPECT_EQ(refusal.actor(), "devices/c");
  EXPECT_THAT(Get("/metrics").body, HasSubstr("fairlead_devices_refused_limit_total 1\n"));
  // A device that is in counts once, however often it comes.
  const WebSocketDialResult again = Connect("a");
  EXPECT_THAT(Next(a), HasSubstr("close 4409"));

  // A lower limit throws nobody out.
  v1::EdgeCommand command;
  *command.mutable_configure() = configuration;
  command.mutable_configure()->set_max_devices(1);
  ASSERT_TRUE(link_->Write(command));
  command.mutable_device_command()->set_unit_id("b");
  command.mutable_device_command()->mutable_message()->mutable_welcome()->set_unit_id("b");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_THAT(Next(b), HasSubstr("binary"));
  EXPECT_THAT(Get("/metrics").body, HasSubstr("fairlead_devices 2\n"));
}

TEST_F(IcgTest, OriginsAreThoseTheServerNames) {
  v1::EdgeConfiguration configuration;
  configuration.add_allowed_origins("https://ums.example:8443");
  Link(configuration);
  const auto dial = [&](const std::string& origin) {
    return Dial("/console-connector/terminal", "",
                {"fairlead.terminal.v1", "fairlead.ticket." + RandomSecret()},
                {{"Origin", origin}});
  };

  EXPECT_THAT(dial("https://evil.example"), StatusIs(absl::StatusCode::kPermissionDenied));
  auto allowed = dial("https://ums.example:8443");
  ASSERT_THAT(allowed, IsOk());
  EXPECT_THAT(Next(*allowed), HasSubstr("close 4401"));
}

TEST_F(IcgTest, TheCertificateCanBeReplaced) {
  Link();
  LeafSpec expired;
  expired.uris = {"urn:fairlead:icg:dmz"};
  expired.not_before = -absl::Hours(2);
  expired.not_after = absl::Hours(1);
  const dataplane::TlsIdentity identity = ca_.Issue(expired);

  EXPECT_THAT(gateway_->Replace({identity.certificate_chain_pem, "no key"}, ca_.pem()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(gateway_->Replace(identity, ca_.pem()), IsOk());
  EXPECT_EQ(CheckStatus(), "ok");
  // The link and new handshakes go on.
  Connect("a");
}

}  // namespace
}  // namespace fairlead::gateway
