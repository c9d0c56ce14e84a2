// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge as a whole, over real TLS on the loopback interface: who may use which path, devices,
// enrolment, metrics, reloading, stopping. Its tunnels are in gateway_tunnel_test.cc.
#include "gateway/gateway.h"

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
#include "gateway/relay_notices.h"
#include "gateway/testing/gateway_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::HttpHeaders;
using dataplane::HttpResponse;
using dataplane::Message;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::HasSubstr;

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
      {kDevicePath, {Kind::kUpgrade, "GET", 401, "device certificate"}},
      {kDeviceTunnelPath, {Kind::kUpgrade, "GET", 401, "device certificate and ticket"}},
      {kConsoleTunnelPath, {Kind::kUpgrade, "GET", 101, "ticket"}},
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
  auto device = Dial(kDevicePath, "urn:fairlead:device:a", {"fairlead.unified.v1"});
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

TEST_F(GatewayTest, TheServersOwnHubSendsAnOs11DeviceAway) {
  Link();
  const auto device = Dial(kDevicePath, "urn:fairlead:device:a", {kUnifiedSubprotocol});
  ASSERT_THAT(device, IsOk());
  v1::DeviceMessage hello;
  hello.mutable_hello()->set_os_generation(v1::Device::OS_11);
  EXPECT_THAT(Await(io_, device->websocket->WriteBinary(hello.SerializeAsString())), IsOk());

  EXPECT_EQ(Next(device), "close 4403");
}

TEST_F(GatewayTest, DevicePathsWantADevicesCertificate) {
  for (const char* path : {kDevicePath, kDeviceTunnelPath}) {
    SCOPED_TRACE(path);
    const std::vector<std::string> offered = {"fairlead.unified.v1", "fairlead.terminal.v1"};
    EXPECT_THAT(Dial(path, "", offered),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("certificate")));
    EXPECT_THAT(Dial(path, "urn:fairlead:server:ums", offered),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not a device's")));
  }
}

TEST_F(GatewayTest, TheServerNamesFurtherCertificateAuthorities) {
  TestCa devices("Devices CA");
  GatewayOptions options = Options();
  options.client_ca_pem = "";
  Restart(std::move(options));
  EXPECT_THAT(Dial(kDevicePath, "urn:fairlead:device:a", {"fairlead.unified.v1"}),
              StatusIs(absl::StatusCode::kUnauthenticated));

  v1::EdgeConfiguration configuration;
  configuration.set_device_ca_pem(ca_.pem());
  Link(configuration);

  EXPECT_THAT(Dial(kDevicePath, "urn:fairlead:device:a", {"fairlead.unified.v1"}), IsOk());
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
  GatewayOptions options = Options();
  options.metrics = false;
  options.web_console = false;
  options.api_services.clear();
  Restart(std::move(options));

  EXPECT_EQ(Fetch("GET", "/metrics").status, 404);
  EXPECT_EQ(Fetch("GET", "/").status, 404);
  EXPECT_EQ(Fetch("GET", "/api/v1/devices").status, 404);
}

TEST_F(GatewayTest, StopTellsEveryone) {
  Link();
  auto device = Dial(kDevicePath, "urn:fairlead:device:a", {"fairlead.unified.v1"});
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
  const std::string folder = ::testing::TempDir();
  const std::string certificate = folder + "/gateway_test_certificate.pem";
  const std::string key = folder + "/gateway_test_key.pem";
  const dataplane::TlsIdentity first = ca_.Issue(LeafSpec());
  std::ofstream(certificate) << first.certificate_chain_pem;
  std::ofstream(key) << first.private_key_pem;
  GatewayOptions options = Options();
  options.certificate_file = certificate;
  options.private_key_file = key;
  Restart(std::move(options));

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
