// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An edge over real TLS on the loopback interface, with a CA of its own, and whoever connects to
// it: devices, Consoles, browsers, the server's link. For the tests of server and ICG as a whole.
#ifndef FAIRLEAD_GATEWAY_TESTING_EDGE_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_EDGE_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <openssl/sha.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/test_pki.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {

inline constexpr char kDevicePath[] = "/device-connector/device/ws-connect";
inline constexpr char kDeviceTunnelPath[] = "/device-connector/device/portforwarding";
inline constexpr char kConsoleTunnelPath[] = "/console-connector/terminal";

inline std::string Sha256Of(const std::string& text) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
         reinterpret_cast<std::uint8_t*>(hash.data()));
  return hash;
}

class EdgeFixture : public ::testing::Test {
 protected:
  ~EdgeFixture() override { StopEdge(); }

  void StartEdge(GatewayOptions options) {
    auto gateway = Gateway::Create(std::move(options));
    ASSERT_THAT(gateway, IsOk());
    gateway_ = *std::move(gateway);
    server_ = BuildGrpcServer({gateway_->edge_service()});
    ASSERT_THAT(gateway_->Start(server_.get()), IsOk());
  }

  void StopEdge() {
    if (gateway_ == nullptr) return;
    gateway_->Stop(absl::Seconds(1));
    ShutDownGrpcServer(*server_);
    server_.reset();
    gateway_.reset();
  }

  dataplane::DialOptions Dialling(const std::string& uri, std::vector<std::string> alpn) {
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    dataplane::TlsIdentity identity;
    if (!uri.empty()) identity = ca_.Issue(dataplane::testing::ClientSpec(uri));
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

  // A WebSocket to `path`, with the certificate of `uri`, or as a browser if that is empty.
  absl::StatusOr<dataplane::WebSocketDialResult> Dial(const std::string& path,
                                                      const std::string& uri,
                                                      std::vector<std::string> subprotocols,
                                                      dataplane::HttpHeaders headers = {}) {
    const std::vector<std::string> alpn =
        uri.empty() ? std::vector<std::string>{"http/1.1"} : std::vector<std::string>{};
    return Await(io_, dataplane::DialWebSocket(At(path), Dialling(uri, alpn),
                                               std::move(subprotocols), std::move(headers)));
  }

  absl::StatusOr<dataplane::WebSocketDialResult> DialConsole(const std::string& ticket) {
    return Dial(kConsoleTunnelPath, "", {"fairlead.terminal.v1", "fairlead.ticket." + ticket});
  }
  absl::StatusOr<dataplane::WebSocketDialResult> DialDevice(const std::string& ticket,
                                                            const std::string& unit_id = "a") {
    const dataplane::HttpHeaders headers = {{"Authorization", "Bearer " + ticket}};
    return Dial(kDeviceTunnelPath, "urn:fairlead:device:" + unit_id, {"fairlead.terminal.v1"},
                headers);
  }
  // A device's standing connection, before its hello.
  absl::StatusOr<dataplane::WebSocketDialResult> DialHub(const std::string& unit_id) {
    return Dial(kDevicePath, "urn:fairlead:device:" + unit_id, {"fairlead.unified.v1"});
  }
  void SayHello(const dataplane::WebSocketDialResult& device) {
    v1::DeviceMessage hello;
    hello.mutable_hello()->set_agent_version("1.0");
    const std::string bytes = hello.SerializeAsString();
    EXPECT_THAT(Await(io_, device.websocket->WriteBinary(bytes)), IsOk());
  }

  dataplane::HttpResponse Fetch(const std::string& method, const std::string& path,
                                dataplane::HttpHeaders headers = {}, std::string body = "") {
    dataplane::HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.body = std::move(body);
    const auto response =
        Await(io_, dataplane::Fetch(At(path), Dialling("", {}), request, absl::Seconds(10)));
    EXPECT_THAT(response, IsOk());
    return response.ok() ? *response : dataplane::HttpResponse();
  }

  // How the next thing on a WebSocket reads: "text ...", "binary ..." or "close 4401".
  std::string Next(const dataplane::WebSocketDialResult& dialled) {
    const dataplane::Message message = Await(io_, dialled.websocket->ReadMessage());
    close_reason_ = message.close.text;
    if (!message.open) return absl::StrCat("close ", message.close.code);
    const bool text = message.kind == dataplane::FrameKind::kText;
    return absl::StrCat(text ? "text " : "binary ", message.payload);
  }
  // As Next, for a dial that must have succeeded.
  std::string Next(const absl::StatusOr<dataplane::WebSocketDialResult>& dialled) {
    EXPECT_THAT(dialled, IsOk());
    return dialled.ok() ? Next(*dialled) : "";
  }
  // The reason of the close that Next gave.
  const std::string& close_reason() const { return close_reason_; }

  dataplane::net::io_context io_;
  dataplane::testing::TestCa ca_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<grpc::Server> server_;

 private:
  std::string close_reason_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_EDGE_FIXTURE_H_
