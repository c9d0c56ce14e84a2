// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Tunnels through the edge as a whole, over real TLS on the loopback interface: terminals, tickets,
// origins, OS 11 devices that are dialled.
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/tls_stream.h"
#include "gateway/relay_notices.h"
#include "gateway/testing/gateway_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::testing::ClientSpec;
using ::testing::HasSubstr;

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
  EXPECT_EQ(Next(Dial(kConsoleTunnelPath, "", {"fairlead.terminal.v1"})), "close 4401");
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
  GatewayOptions options = Options();
  options.dial_identity = [this]() -> absl::StatusOr<dataplane::TlsIdentity> {
    return ca_.Issue(ClientSpec("urn:fairlead:server:ums"));
  };
  Restart(std::move(options));
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
      Dial(kConsoleTunnelPath, "", {"fairlead.terminal.v1", "fairlead.ticket." + tickets.console});
  EXPECT_EQ(Next(console), "text " + AttachedText());
  EXPECT_EQ(Next(console), "text " + PeerAttachedText());
  EXPECT_EQ(Next(console), "binary login: ");
  (*console).websocket->Abort();
  RunUntil(io_, [&] { return *served; });
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

TEST_F(GatewayTest, AForeignPageMayNotOpenATerminal) {
  const std::vector<std::string> offered = {"fairlead.terminal.v1"};
  EXPECT_THAT(Dial(kConsoleTunnelPath, "", offered, {{"Origin", "https://evil.example"}}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("evil.example")));

  const std::string own = absl::StrCat("https://127.0.0.1:", gateway_->port());
  EXPECT_EQ(Next(Dial(kConsoleTunnelPath, "", offered, {{"Origin", own}})), "close 4401");
}

TEST_F(GatewayTest, TheServerNamesFurtherOrigins) {
  v1::EdgeConfiguration configuration;
  configuration.add_allowed_origins("https://ums.example:8443");
  Link(configuration);

  EXPECT_EQ(Next(Dial(kConsoleTunnelPath, "", {}, {{"Origin", "https://ums.example:8443"}})),
            "close 4401");
}

}  // namespace
}  // namespace fairlead::gateway
