// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge as a whole, over real TLS on the loopback interface: who may use which path, tunnels and
// their tickets, devices, enrolment, metrics, stopping.
#include "gateway/gateway.h"

#include <grpcpp/grpcpp.h>
#include <openssl/sha.h>

#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gateway/grpc_bridge.h"
#include "gateway/relay_notices.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/rest_services.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::HttpHeaders;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::Message;
using dataplane::WebSocket;
using dataplane::WebSocketDialResult;
using dataplane::testing::ClientSpec;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDeviceTunnel[] = "/device-connector/device/portforwarding";
constexpr char kConsoleTunnel[] = "/console-connector/terminal";
constexpr char kConnect[] = "/device-connector/device/ws-connect";

std::string Sha256Of(const std::string& text) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
         reinterpret_cast<std::uint8_t*>(hash.data()));
  return hash;
}

// A session's tickets, as the server makes them.
struct Tickets {
  std::string session = RandomId();
  std::string console = RandomSecret();
  std::string device = RandomSecret();
};

class GatewayTest : public ::testing::Test {
 protected:
  ~GatewayTest() override { StopAll(); }

  GatewayOptions Options() {
    GatewayOptions options;
    options.listen = {"127.0.0.1:0"};
    options.io_threads = 2;
    options.identity = ca_.Issue(LeafSpec());
    options.client_ca_pem = ca_.pem();
    options.api_services = proto::RestServices();
    return options;
  }

  void Start(GatewayOptions options) {
    auto gateway = Gateway::Create(std::move(options));
    ASSERT_THAT(gateway, IsOk());
    gateway_ = *std::move(gateway);
    grpc::ServerBuilder builder;
    ConfigureServer(&builder);
    builder.RegisterService(gateway_->edge_service());
    server_ = builder.BuildAndStart();
    ASSERT_THAT(gateway_->Start(server_.get()), IsOk());
  }

  void StopAll() {
    link_.reset();
    if (gateway_ != nullptr) gateway_->Stop(absl::Seconds(1));
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    gateway_.reset();
  }

  void Link() {
    link_ = std::make_unique<TestLink>(server_->InProcessChannel(grpc::ChannelArguments()));
    ASSERT_TRUE(link_->Configure("ums"));
    link_->ReadSnapshot();
  }

  void SetUp() override { Start(Options()); }

  dataplane::DialOptions Dialling(const std::string& uri, std::vector<std::string> alpn) {
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    dataplane::TlsIdentity identity;
    if (!uri.empty()) identity = ca_.Issue(ClientSpec(uri));
    auto context = dataplane::TlsClientContext::Create(trust, uri.empty() ? nullptr : &identity,
                                                       std::move(alpn));
    EXPECT_THAT(context, IsOk());
    dataplane::DialOptions options;
    options.tls = *context;
    return options;
  }

  dataplane::Endpoint At(const std::string& target) {
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = gateway_->port();
    endpoint.target = target;
    return endpoint;
  }

  // A WebSocket to `path`, with the certificate of `uri` unless that is empty.
  absl::StatusOr<WebSocketDialResult> Dial(const std::string& path, const std::string& uri,
                                           std::vector<std::string> subprotocols,
                                           HttpHeaders headers = {}) {
    const std::vector<std::string> alpn =
        uri.empty() ? std::vector<std::string>{"http/1.1"} : std::vector<std::string>{};
    return Await(io_, dataplane::DialWebSocket(At(path), Dialling(uri, alpn),
                                               std::move(subprotocols), std::move(headers)));
  }

  absl::StatusOr<WebSocketDialResult> DialConsole(const std::string& ticket) {
    return Dial(kConsoleTunnel, "", {"fairlead.terminal.v1", "fairlead.ticket." + ticket});
  }
  absl::StatusOr<WebSocketDialResult> DialDevice(const std::string& ticket,
                                                 const std::string& unit = "a") {
    HttpHeaders headers = {{"Authorization", "Bearer " + ticket}};
    return Dial(kDeviceTunnel, "urn:fairlead:device:" + unit, {"fairlead.terminal.v1"}, headers);
  }

  HttpResponse Fetch(const std::string& method, const std::string& path, HttpHeaders headers = {},
                     std::string body = "", const std::string& uri = "") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.body = std::move(body);
    const auto response =
        Await(io_, dataplane::Fetch(At(path), Dialling(uri, {}), request, absl::Seconds(10)));
    EXPECT_THAT(response, IsOk());
    return response.ok() ? *response : HttpResponse();
  }

  // How the next thing on a WebSocket reads: "text ...", "binary ..." or "close 4401".
  std::string Next(const WebSocketDialResult& dialled) {
    const Message message = Await(io_, dialled.websocket->ReadMessage());
    if (!message.open) return absl::StrCat("close ", message.close.code);
    const bool text = message.kind == dataplane::FrameKind::kText;
    return absl::StrCat(text ? "text " : "binary ", message.payload);
  }
  // As Next, for a dial that must have succeeded.
  std::string Next(const absl::StatusOr<WebSocketDialResult>& dialled) {
    EXPECT_THAT(dialled, IsOk());
    return dialled.ok() ? Next(*dialled) : "";
  }

  void Register(const Tickets& tickets, absl::Duration pairing = absl::Seconds(30)) {
    v1::EdgeCommand command;
    v1::RegisterSession& session = *command.mutable_register_session();
    session.set_session_id(tickets.session);
    session.set_console_ticket_sha256(Sha256Of(tickets.console));
    session.set_device_ticket_sha256(Sha256Of(tickets.device));
    session.set_unit_id("a");
    session.mutable_pairing_timeout()->set_nanos(
        static_cast<std::int32_t>(absl::ToInt64Nanoseconds(pairing % absl::Seconds(1))));
    session.mutable_pairing_timeout()->set_seconds(absl::ToInt64Seconds(pairing));
    ASSERT_TRUE(link_->Write(command));
    const v1::TunnelEvent accepted = NextTunnelEvent();
    EXPECT_EQ(accepted.session_id(), tickets.session);
    EXPECT_EQ(accepted.type(), v1::TunnelEvent::ACCEPTED);
  }

  v1::TunnelEvent NextTunnelEvent() {
    for (;;) {
      const v1::EdgeEvent event = link_->Read();
      if (event.has_tunnel_event()) return event.tunnel_event();
      if (event.event_case() == v1::EdgeEvent::EVENT_NOT_SET) return v1::TunnelEvent();
    }
  }

  dataplane::net::io_context io_;
  TestCa ca_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<TestLink> link_;
};

TEST_F(GatewayTest, IsReadyOnceAServerIsLinked) {
  EXPECT_EQ(Fetch("GET", "/healthz").status, 200);
  EXPECT_EQ(Fetch("GET", "/readyz").status, 503);

  Link();
  // The snapshot's last event was read, so that its write ends at once.
  RunUntil(io_, [&] { return gateway_->ready(); });

  EXPECT_EQ(Fetch("GET", "/readyz").status, 200);
}

// Who may use a route, and what tells a stranger otherwise.
struct Access {
  enum class Kind { kUpgrade, kRequest };
  Kind kind;
  const char* method;
  // The HTTP status for a stranger without anything; 101: the upgrade is completed, then closed
  // with 4401.
  int stranger;
  const char* who;
};

// Every route, with who may use it. A new route needs a row, and a thought.
const std::map<std::string, Access>& Routes() {
  using Kind = Access::Kind;
  static const auto* const kRoutes = new std::map<std::string, Access>{
      {kConnect, {Kind::kUpgrade, "GET", 401, "device certificate"}},
      {kDeviceTunnel, {Kind::kUpgrade, "GET", 401, "device certificate and ticket"}},
      {kConsoleTunnel, {Kind::kUpgrade, "GET", 101, "ticket"}},
      {"/device-connector/device/.well-known/est/cacerts",
       {Kind::kRequest, "GET", 503, "anyone; here no server is linked"}},
      {"/device-connector/device/.well-known/est/simpleenroll",
       {Kind::kRequest, "POST", 401, "first-authentication key"}},
      {"/device-connector/device/.well-known/est/simplereenroll",
       {Kind::kRequest, "POST", 401, "device certificate"}},
      {"/healthz", {Kind::kRequest, "GET", 200, "anyone"}},
      {"/readyz", {Kind::kRequest, "GET", 503, "anyone; here no server is linked"}},
      {"/metrics", {Kind::kRequest, "GET", 200, "anyone, unless switched off"}},
      {"/api/v1/*", {Kind::kRequest, "GET", 404, "bearer token, checked by the services"}},
      {"/", {Kind::kRequest, "GET", 200, "anyone; it then logs in"}},
      {"/index.html", {Kind::kRequest, "GET", 200, "anyone; it then logs in"}},
  };
  return *kRoutes;
}

TEST_F(GatewayTest, EveryRouteIsMeantToBeThere) {
  for (const std::string& pattern : gateway_->route_patterns()) {
    EXPECT_EQ(Routes().count(pattern), 1u) << pattern << " has no row in Routes()";
  }
}

TEST_F(GatewayTest, EveryRouteTreatsStrangersAsTheTableSays) {
  const std::vector<std::string> patterns = gateway_->route_patterns();
  for (const std::string& pattern : patterns) {
    SCOPED_TRACE(pattern);
    const auto found = Routes().find(pattern);
    if (found == Routes().end()) continue;
    const Access& access = found->second;
    if (access.kind == Access::Kind::kUpgrade) {
      const auto dialled = Dial(pattern, "", {"fairlead.unified.v1", "fairlead.terminal.v1"});
      if (access.stranger == 101) {
        EXPECT_EQ(Next(dialled), "close 4401");
      } else {
        EXPECT_THAT(dialled, StatusIs(absl::StatusCode::kUnauthenticated));
      }
      continue;
    }
    HttpHeaders headers;
    std::string body;
    if (std::string(access.method) == "POST") {
      headers = {{"Content-Type", "application/pkcs10"}};
      body = "MIIB";
    }
    const std::string path =
        absl::EndsWith(pattern, "*") ? pattern.substr(0, pattern.size() - 1) + "x" : pattern;
    const HttpResponse response = Fetch(access.method, path, headers, body);
    EXPECT_EQ(response.status, access.stranger);
    EXPECT_EQ(dataplane::FindHeader(response.headers, "X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(GatewayTest, UnknownPathsAreNotFound) {
  for (const char* path : {"/nothing", "/api/v2/devices", "/device-connector/device", "/.git"}) {
    const HttpResponse response = Fetch("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_THAT(response.body, HasSubstr("\"message\"")) << path;
  }
}

TEST_F(GatewayTest, ADevicesMessagesGoBothWays) {
  Link();
  auto device = Dial(kConnect, "urn:fairlead:device:a", {"fairlead.unified.v1"});
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device->subprotocol, "fairlead.unified.v1");
  v1::DeviceMessage hello;
  hello.mutable_hello()->set_agent_version("1.0");
  const std::string bytes = hello.SerializeAsString();
  ASSERT_THAT(Await(io_, device->websocket->WriteBinary(bytes)), IsOk());
  const v1::DeviceConnected connected = link_->Read().device_connected();
  EXPECT_EQ(connected.unit_id(), "a");
  EXPECT_EQ(connected.hello().agent_version(), "1.0");
  EXPECT_THAT(connected.peer_address(), HasSubstr("127.0.0.1:"));
  EXPECT_EQ(connected.certificate_fingerprint().size(), 32u);

  v1::EdgeCommand command;
  command.mutable_device_command()->set_unit_id("a");
  command.mutable_device_command()->mutable_message()->mutable_welcome()->set_unit_id("a");
  ASSERT_TRUE(link_->Write(command));
  const Message welcome = Await(io_, device->websocket->ReadMessage());
  v1::ServerMessage parsed;
  ASSERT_TRUE(parsed.ParseFromString(welcome.payload));
  EXPECT_EQ(parsed.welcome().unit_id(), "a");

  // Deleting the device at the server closes the connection and revokes the certificate.
  command.mutable_drop_device()->set_unit_id("a");
  command.mutable_drop_device()->set_close_code(4410);
  command.mutable_drop_device()->set_reason("The device was deleted.");
  command.mutable_drop_device()->add_revoked_fingerprints(connected.certificate_fingerprint());
  ASSERT_TRUE(link_->Write(command));
  EXPECT_EQ(Next(device), "close 4410");
  EXPECT_TRUE(link_->Read().has_device_disconnected());
}

TEST_F(GatewayTest, ATerminalRunsThroughBothTunnels) {
  Link();
  const Tickets tickets;
  Register(tickets);

  auto device = DialDevice(tickets.device);
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(device->subprotocol, "fairlead.terminal.v1");
  EXPECT_EQ(Next(device), "text " + AttachedText());
  EXPECT_EQ(NextTunnelEvent().type(), v1::TunnelEvent::DEVICE_ATTACHED);
  auto console = DialConsole(tickets.console);
  ASSERT_THAT(console, IsOk());
  EXPECT_EQ(console->subprotocol, "fairlead.terminal.v1");
  EXPECT_EQ(Next(console), "text " + AttachedText());
  EXPECT_EQ(NextTunnelEvent().type(), v1::TunnelEvent::CONSOLE_ATTACHED);
  EXPECT_EQ(Next(device), "text " + PeerAttachedText());
  EXPECT_EQ(Next(console), "text " + PeerAttachedText());

  ASSERT_THAT(Await(io_, device->websocket->WriteBinary("prompt$ ")), IsOk());
  EXPECT_EQ(Next(console), "binary prompt$ ");
  EXPECT_EQ(NextTunnelEvent().type(), v1::TunnelEvent::DATA_FLOWING);
  ASSERT_THAT(Await(io_, console->websocket->WriteBinary("ls\r")), IsOk());
  EXPECT_EQ(Next(device), "binary ls\r");

  const auto closed = Spawn(io_, device->websocket->Close(CloseReason{1000, "exited"}));
  EXPECT_EQ(Next(console), "close 1000");
  RunUntil(io_, [&] { return *closed; });
  const v1::TunnelEvent ended = NextTunnelEvent();
  EXPECT_EQ(ended.type(), v1::TunnelEvent::ENDED);
  EXPECT_EQ(ended.session_id(), tickets.session);
  EXPECT_EQ(ended.ended_by(), v1::TunnelEvent::DEVICE);
  EXPECT_EQ(ended.close_code(), 1000u);
  EXPECT_EQ(ended.bytes_to_console(), 8u);
  EXPECT_EQ(ended.bytes_to_device(), 3u);
}

TEST_F(GatewayTest, BadTicketsAreRefusedAfterTheUpgrade) {
  Link();
  const Tickets tickets;
  Register(tickets);

  // Unknown, of a wrong length, of a wrong alphabet, none.
  EXPECT_EQ(Next(DialConsole(RandomSecret())), "close 4401");
  EXPECT_EQ(Next(DialConsole(tickets.console.substr(1))), "close 4401");
  EXPECT_EQ(Next(DialConsole(tickets.console.substr(1) + "~")), "close 4401");
  EXPECT_EQ(Next(Dial(kConsoleTunnel, "", {"fairlead.terminal.v1"})), "close 4401");
  EXPECT_EQ(Next(DialDevice(RandomSecret())), "close 4401");
  // Used before.
  auto console = DialConsole(tickets.console);
  EXPECT_EQ(Next(console), "text " + AttachedText());
  EXPECT_EQ(Next(DialConsole(tickets.console)), "close 4401");
  // The session is unharmed.
  EXPECT_EQ(Next(DialDevice(tickets.device)), "text " + AttachedText());
  EXPECT_EQ(Next(console), "text " + PeerAttachedText());
}

TEST_F(GatewayTest, ATicketIsGoodForItsSideAlone) {
  Link();
  const Tickets tickets;
  Register(tickets);

  EXPECT_THAT(Next(DialConsole(tickets.device)), HasSubstr("close 440"));
  EXPECT_THAT(Next(DialDevice(tickets.console)), HasSubstr("close 440"));
}

TEST_F(GatewayTest, ATicketIsGoodForItsDeviceAlone) {
  Link();
  const Tickets tickets;
  Register(tickets);

  EXPECT_THAT(Next(DialDevice(tickets.device, "b")), HasSubstr("close 440"));
}

// A TLS port that serves one connection, until its end.
dataplane::net::awaitable<void> ServeOneDevice(dataplane::net::ip::tcp::acceptor& acceptor,
                                               dataplane::TlsIdentity identity, std::string ca_pem,
                                               std::shared_ptr<bool> shaken) {
  auto [error, socket] = co_await acceptor.async_accept(dataplane::kToken);
  if (error) co_return;
  const auto context = dataplane::TlsServerContext::Create(identity, ca_pem).value();
  dataplane::TlsStream stream(std::move(socket), context->Acquire(),
                              dataplane::TlsStream::Role::kServer);
  const absl::Status status = co_await stream.Handshake(absl::Seconds(10), "", nullptr);
  *shaken = status.ok();
  const std::string banner = "login: ";
  co_await stream.async_write_some(dataplane::net::buffer(banner), dataplane::kToken);
  char byte = 0;
  co_await stream.async_read_some(dataplane::net::buffer(&byte, 1), dataplane::kToken);
}

TEST_F(GatewayTest, AnOs11DeviceIsDialledForASession) {
  StopAll();
  GatewayOptions options = Options();
  options.dial_identity = [this]() -> absl::StatusOr<dataplane::TlsIdentity> {
    return ca_.Issue(ClientSpec("urn:fairlead:server:ums"));
  };
  Start(std::move(options));
  Link();
  const Tickets tickets;
  Register(tickets);
  dataplane::net::ip::tcp::acceptor acceptor(io_, {dataplane::net::ip::address_v4::loopback(), 0});
  const auto shaken = std::make_shared<bool>(false);
  const auto served = Spawn(
      io_,
      ServeOneDevice(acceptor, ca_.Issue(ClientSpec("urn:fairlead:device:a")), ca_.pem(), shaken));
  v1::EdgeCommand command;
  v1::DialDevice& dial = *command.mutable_dial_device();
  dial.set_session_id(tickets.session);
  dial.set_ticket(tickets.device);
  dial.set_unit_id("a");
  dial.set_address(absl::StrCat("127.0.0.1:", acceptor.local_endpoint().port()));
  ASSERT_TRUE(link_->Write(command));
  RunUntil(io_, [&] { return *shaken; });

  EXPECT_EQ(NextTunnelEvent().type(), v1::TunnelEvent::DEVICE_REQUESTED);
  EXPECT_EQ(NextTunnelEvent().type(), v1::TunnelEvent::DEVICE_ATTACHED);
  const auto console =
      Dial(kConsoleTunnel, "", {"fairlead.terminal.v1", "fairlead.ticket." + tickets.console});
  EXPECT_EQ(Next(console), "text " + AttachedText());
  EXPECT_EQ(Next(console), "text " + PeerAttachedText());
  EXPECT_EQ(Next(console), "binary login: ");
  (*console).websocket->Abort();
  RunUntil(io_, [&] { return *served; });
}

TEST_F(GatewayTest, TheServersOwnHubSendsAnOs11DeviceAway) {
  Link();
  const auto device = Dial(kConnect, "urn:fairlead:device:a", {kUnifiedSubprotocol});
  ASSERT_THAT(device, IsOk());
  v1::DeviceMessage hello;
  hello.mutable_hello()->set_os_generation(v1::Device::OS_11);
  EXPECT_THAT(Await(io_, device->websocket->WriteBinary(hello.SerializeAsString())), IsOk());

  EXPECT_EQ(Next(device), "close 4403");
}

TEST_F(GatewayTest, ATicketExpires) {
  Link();
  const Tickets tickets;
  Register(tickets, absl::Milliseconds(1));
  const v1::TunnelEvent ended = NextTunnelEvent();
  EXPECT_EQ(ended.session_id(), tickets.session);
  EXPECT_EQ(ended.type(), v1::TunnelEvent::ENDED);

  EXPECT_EQ(Next(DialConsole(tickets.console)), "close 4401");
  EXPECT_EQ(Next(DialDevice(tickets.device)), "close 4401");
}

TEST_F(GatewayTest, RefusalsAreToldToTheServer) {
  Link();
  EXPECT_EQ(Next(DialConsole("short")), "close 4401");
  EXPECT_THAT(DialConsole(""), IsOk());

  const v1::EdgeRefusal refusal = link_->Read().refusal();
  EXPECT_EQ(refusal.action(), "tunnel.attach");
  EXPECT_EQ(refusal.actor(), "anonymous");
  EXPECT_THAT(refusal.peer_address(), HasSubstr("127.0.0.1:"));
}

TEST_F(GatewayTest, DevicePathsWantADevicesCertificate) {
  for (const char* path : {kConnect, kDeviceTunnel}) {
    SCOPED_TRACE(path);
    const std::vector<std::string> offered = {"fairlead.unified.v1", "fairlead.terminal.v1"};
    EXPECT_THAT(Dial(path, "", offered),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("certificate")));
    EXPECT_THAT(Dial(path, "urn:fairlead:server:ums", offered),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not a device's")));
  }
}

TEST_F(GatewayTest, AForeignPageMayNotOpenATerminal) {
  const std::vector<std::string> offered = {"fairlead.terminal.v1"};
  EXPECT_THAT(Dial(kConsoleTunnel, "", offered, {{"Origin", "https://evil.example"}}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("evil.example")));

  const std::string own = absl::StrCat("https://127.0.0.1:", gateway_->port());
  EXPECT_EQ(Next(Dial(kConsoleTunnel, "", offered, {{"Origin", own}})), "close 4401");
}

TEST_F(GatewayTest, TheServerNamesFurtherOrigins) {
  link_ = std::make_unique<TestLink>(server_->InProcessChannel(grpc::ChannelArguments()));
  v1::EdgeCommand configure;
  configure.mutable_configure()->add_allowed_origins("https://ums.example:8443");
  ASSERT_TRUE(link_->Write(configure));
  link_->ReadSnapshot();

  EXPECT_EQ(Next(Dial(kConsoleTunnel, "", {}, {{"Origin", "https://ums.example:8443"}})),
            "close 4401");
}

TEST_F(GatewayTest, TheServerNamesFurtherCertificateAuthorities) {
  StopAll();
  TestCa devices("Devices CA");
  GatewayOptions options = Options();
  options.client_ca_pem = "";
  Start(std::move(options));
  EXPECT_THAT(Dial(kConnect, "urn:fairlead:device:a", {"fairlead.unified.v1"}),
              StatusIs(absl::StatusCode::kUnauthenticated));

  link_ = std::make_unique<TestLink>(server_->InProcessChannel(grpc::ChannelArguments()));
  v1::EdgeCommand configure;
  configure.mutable_configure()->set_device_ca_pem(ca_.pem());
  ASSERT_TRUE(link_->Write(configure));
  link_->ReadSnapshot();

  EXPECT_THAT(Dial(kConnect, "urn:fairlead:device:a", {"fairlead.unified.v1"}), IsOk());
}

TEST_F(GatewayTest, EnrolmentIsForwardedToTheServer) {
  Link();
  std::thread server([&] {
    const v1::EstRequest request = link_->Read().est_request();
    v1::EdgeCommand command;
    command.mutable_est_response()->set_request_id(request.request_id());
    command.mutable_est_response()->set_http_status(200);
    command.mutable_est_response()->set_content_type("application/pkcs7-mime");
    command.mutable_est_response()->set_body(
        absl::StrCat(request.unit_id(), " ", request.key(), " ", request.body()));
    link_->Write(command);
  });
  const HttpHeaders headers = {{"Content-Type", "application/pkcs10"},
                               {"Authorization", "Basic " + absl::Base64Escape("a:key")}};

  const HttpResponse response =
      Fetch("POST", "/device-connector/device/.well-known/est/simpleenroll", headers, "MIIB");
  server.join();

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "a key MIIB");
  EXPECT_EQ(dataplane::FindHeader(response.headers, "Content-Type"), "application/pkcs7-mime");
}

TEST_F(GatewayTest, AnEnrolmentThatIsTooBigIsRefused) {
  const HttpHeaders headers = {{"Content-Type", "application/pkcs10"}};
  EXPECT_EQ(Fetch("POST", "/device-connector/device/.well-known/est/simpleenroll", headers,
                  std::string(64 * 1024 + 1, 'M'))
                .status,
            413);
}

TEST_F(GatewayTest, MetricsCanBeParsed) {
  Link();
  const HttpResponse response = Fetch("GET", "/metrics");

  ASSERT_EQ(response.status, 200);
  std::map<std::string, double> values;
  for (absl::string_view line : absl::StrSplit(response.body, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    ASSERT_EQ(parts.size(), 2u) << line;
    EXPECT_TRUE(absl::StartsWith(parts[0], "fairlead_")) << line;
    EXPECT_TRUE(values.emplace(parts[0], std::stod(parts[1])).second) << line;
  }
  EXPECT_EQ(values.at("fairlead_links_opened_total"), 1);
  EXPECT_EQ(values.at("fairlead_devices"), 0);
  EXPECT_GE(values.at("fairlead_connections_accepted_total"), 1);
  EXPECT_GT(values.size(), 20u);
}

TEST_F(GatewayTest, MetricsAndConsoleCanBeSwitchedOff) {
  StopAll();
  GatewayOptions options = Options();
  options.metrics = false;
  options.web_console = false;
  options.api_services.clear();
  Start(std::move(options));

  EXPECT_EQ(Fetch("GET", "/metrics").status, 404);
  EXPECT_EQ(Fetch("GET", "/").status, 404);
  EXPECT_EQ(Fetch("GET", "/api/v1/devices").status, 404);
}

TEST_F(GatewayTest, StopTellsEveryone) {
  Link();
  auto device = Dial(kConnect, "urn:fairlead:device:a", {"fairlead.unified.v1"});
  ASSERT_THAT(device, IsOk());
  v1::DeviceMessage hello;
  hello.mutable_hello();
  const std::string bytes = hello.SerializeAsString();
  ASSERT_THAT(Await(io_, device->websocket->WriteBinary(bytes)), IsOk());
  ASSERT_TRUE(link_->Read().has_device_connected());
  const Tickets tickets;
  Register(tickets);
  auto console = DialConsole(tickets.console);
  EXPECT_EQ(Next(console), "text " + AttachedText());

  auto stopped = std::async(std::launch::async, [&] { gateway_->Stop(absl::Seconds(5)); });
  EXPECT_EQ(Next(device), "close 1001");
  EXPECT_EQ(Next(console), "close 4503");
  const grpc::Status status = link_->Finish();
  stopped.get();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(gateway_->ready());
}

TEST_F(GatewayTest, ReloadKeepsWhatWorksWhenTheFilesAreBad) {
  StopAll();
  const std::string folder = ::testing::TempDir();
  const std::string certificate = folder + "/gateway_test_certificate.pem";
  const std::string key = folder + "/gateway_test_key.pem";
  const dataplane::TlsIdentity first = ca_.Issue(LeafSpec());
  std::ofstream(certificate) << first.certificate_chain_pem;
  std::ofstream(key) << first.private_key_pem;
  GatewayOptions options = Options();
  options.certificate_file = certificate;
  options.private_key_file = key;
  Start(std::move(options));

  std::ofstream(certificate) << "garbage";
  const absl::Status bad = gateway_->Reload();
  EXPECT_THAT(bad, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(certificate)));
  EXPECT_EQ(Fetch("GET", "/healthz").status, 200);

  const dataplane::TlsIdentity second = ca_.Issue(LeafSpec());
  std::ofstream(certificate) << second.certificate_chain_pem;
  std::ofstream(key) << second.private_key_pem;
  EXPECT_THAT(gateway_->Reload(), IsOk());
  EXPECT_EQ(Fetch("GET", "/healthz").status, 200);
}

TEST_F(GatewayTest, BadOptionsAreRefusedWithASentence) {
  GatewayOptions options = Options();
  options.certificate_file = "/nonexistent/certificate.pem";
  EXPECT_THAT(Gateway::Create(options).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/certificate.pem")));
  options = Options();
  options.identity.private_key_pem = ca_.Issue(LeafSpec()).private_key_pem;
  EXPECT_THAT(Gateway::Create(options).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace fairlead::gateway
