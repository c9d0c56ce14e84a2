// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An ICG over real TLS on the loopback interface: what it serves, what it does while no server is
// linked, its limit of devices. Its links are in icg_link_test.cc.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gateway/relay_notices.h"
#include "gateway/testing/icg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::WebSocketDialResult;
using dataplane::testing::LeafSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

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
    EXPECT_EQ(Fetch("GET", path).status, 404) << path;
  }
}

TEST_F(IcgTest, StatusAndReadinessFollowTheLink) {
  EXPECT_EQ(CheckStatus(), "init");
  EXPECT_EQ(Fetch("GET", "/readyz").status, 503);
  EXPECT_EQ(Fetch("GET", "/device-connector/device/.well-known/est/cacerts").status, 503);
  EXPECT_THAT(DialHub("a"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("No server is linked")));

  Link();
  EXPECT_EQ(CheckStatus(), "ok");
  EXPECT_EQ(Fetch("GET", "/readyz").status, 200);
  const WebSocketDialResult device = Connect("a");

  Unlink();
  EXPECT_EQ(CheckStatus(), "warn");
  EXPECT_THAT(DialHub("b"), StatusIs(absl::StatusCode::kUnavailable));
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

  EXPECT_EQ(Next(device), "close 1001");
  EXPECT_EQ(close_reason(), "No server has been linked to this ICG for 50ms; connect again later.");
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
  auto device = DialDevice(device_ticket);
  ASSERT_THAT(device, IsOk());
  EXPECT_EQ(Next(*device), "text " + AttachedText());

  Unlink();

  // A ticket is good without a server, bytes flow, and the end comes.
  auto console = DialConsole(console_ticket);
  ASSERT_THAT(console, IsOk());
  EXPECT_EQ(Next(*console), "text " + AttachedText());
  EXPECT_EQ(Next(*console), "text " + PeerAttachedText());
  EXPECT_EQ(Next(*device), "text " + PeerAttachedText());
  ASSERT_THAT(Await(io_, console->websocket->WriteBinary("ls\r")), IsOk());
  EXPECT_EQ(Next(*device), "binary ls\r");
  EXPECT_EQ(Next(DialConsole(RandomSecret())), "close 4401");
  const auto closed = Spawn(io_, device->websocket->Close({1000, "exited"}));
  EXPECT_EQ(Next(*console), "close 1000");
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

  EXPECT_THAT(DialHub("c"), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("As many devices")));
  const v1::EdgeRefusal refusal = ReadUntil(v1::EdgeEvent::kRefusal).refusal();
  EXPECT_EQ(refusal.action(), "device.connect");
  EXPECT_EQ(refusal.actor(), "devices/c");
  EXPECT_THAT(Fetch("GET", "/metrics").body, HasSubstr("fairlead_devices_refused_limit_total 1\n"));
  // A device that is in counts once, however often it comes.
  const WebSocketDialResult again = Connect("a");
  EXPECT_EQ(Next(a), "close 4409");

  // A lower limit throws nobody out.
  v1::EdgeCommand command;
  *command.mutable_configure() = configuration;
  command.mutable_configure()->set_max_devices(1);
  ASSERT_TRUE(link_->Write(command));
  command.mutable_device_command()->set_unit_id("b");
  command.mutable_device_command()->mutable_message()->mutable_welcome()->set_unit_id("b");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_THAT(Next(b), HasSubstr("binary"));
  EXPECT_THAT(Fetch("GET", "/metrics").body, HasSubstr("fairlead_devices 2\n"));
}

TEST_F(IcgTest, OriginsAreThoseTheServerNames) {
  v1::EdgeConfiguration configuration;
  configuration.add_allowed_origins("https://ums.example:8443");
  Link(configuration);
  const auto dial = [&](const std::string& origin) {
    return Dial(kConsoleTunnelPath, "",
                {"fairlead.terminal.v1", "fairlead.ticket." + RandomSecret()},
                {{"Origin", origin}});
  };

  EXPECT_THAT(dial("https://evil.example"), StatusIs(absl::StatusCode::kPermissionDenied));
  auto allowed = dial("https://ums.example:8443");
  ASSERT_THAT(allowed, IsOk());
  EXPECT_EQ(Next(*allowed), "close 4401");
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
