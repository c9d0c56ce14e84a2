// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Probing OS 11 devices over real TLS on the loopback interface: agents, which know probes, and
// devices that do not. Those that fail as a dial would are in device_dialer_test.cc.
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "gateway/testing/device_dialer_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::kToken;
using dataplane::TlsIdentity;
using dataplane::TlsServerContext;
using dataplane::TlsStream;
using dataplane::net::ip::tcp;
using dataplane::testing::TestCa;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace net = dataplane::net;

// As the agent's port is.
std::shared_ptr<TlsServerContext> AgentTls(const TlsIdentity& identity, const std::string& ca_pem) {
  return TlsServerContext::CreateMutual(identity, ca_pem,
                                        "urn:fairlead:server:", {dataplane::kProbeProtocol})
      .value();
}

// An agent's TLS port, for one connection: answers a probe, or does as one that is stuck.
net::awaitable<void> ServeAgent(tcp::acceptor& acceptor, std::shared_ptr<TlsServerContext> tls,
                                bool stuck, std::shared_ptr<Seen> seen) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return;
  TlsStream stream(std::move(socket), tls->Acquire(), TlsStream::Role::kServer);
  seen->handshake = co_await stream.Handshake(absl::Seconds(10), "", nullptr);
  if (seen->handshake.ok()) {
    seen->uris = stream.peer_certificate()->uris;
    seen->alpn = stream.alpn();
    char byte = 0;
    const net::mutable_buffer room = net::buffer(&byte, 1);
    if (stuck) co_await stream.async_read_some(room, kToken);
    co_await stream.Shutdown(absl::Seconds(1));
  }
  seen->ended = true;
}

// Breaks off after the handshake.
net::awaitable<void> ServeBriefly(tcp::acceptor& acceptor, std::shared_ptr<TlsServerContext> tls) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return;
  TlsStream stream(std::move(socket), tls->Acquire(), TlsStream::Role::kServer);
  const absl::Status ignored = co_await stream.Handshake(absl::Seconds(10), "", nullptr);
  stream.Close();
}

class DeviceProbeTest : public DeviceDialerFixture {
 protected:
  std::shared_ptr<Seen> StartAgent(const TestCa& trusted, bool stuck = false) {
    auto seen = std::make_shared<Seen>();
    auto tls = AgentTls(DeviceIdentity("a"), trusted.pem());
    Spawn(io_, ServeAgent(acceptor_, std::move(tls), stuck, seen));
    return seen;
  }
};

TEST_F(DeviceProbeTest, AProbeEndsWithTheAgentsClose) {
  const auto seen = StartAgent(ca_);

  Probe(7);

  EXPECT_THAT(Probed(1), ElementsAre("7 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  RunUntil(io_, [&] { return dialer_->counters().probes_now == 0; });
  EXPECT_THAT(seen->handshake, IsOk());
  EXPECT_EQ(seen->alpn, "fairlead.probe");
  EXPECT_THAT(seen->uris, ElementsAre("urn:fairlead:server:ums"));
}

TEST_F(DeviceProbeTest, ADialIsNoProbe) {
  Register();
  const auto seen = StartAgent(ca_);
  Dial();
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_THAT(seen->handshake, IsOk());
  EXPECT_EQ(seen->alpn, "");
}

TEST_F(DeviceProbeTest, AnAgentThatDoesNotEndTheProbeIsNotReachable) {
  options_.timeout = absl::Milliseconds(200);
  Restart();
  const auto seen = StartAgent(ca_, true);
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(HasSubstr("did not end the probe within 200ms")));
  RunUntil(io_, [&] { return seen->ended; });
}

// Under TLS 1.3 our side of the handshake is over before the device has looked at our certificate.
TEST_F(DeviceProbeTest, ADeviceThatRefusesOurCertificateIsNotReachable) {
  const TestCa other("Other CA");
  const auto seen = StartAgent(other);
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(AllOf(HasSubstr(address_),
                                           HasSubstr("refuses this side's certificate"))));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_FALSE(seen->handshake.ok());
  EXPECT_EQ(dialer_->counters().probes_failed, 1u);
}

TEST_F(DeviceProbeTest, ADeviceThatBreaksOffIsNotReachable) {
  Spawn(io_, ServeBriefly(acceptor_, AgentTls(DeviceIdentity("a"), ca_.pem())));
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(HasSubstr("broke off after the TLS handshake")));
}

TEST_F(DeviceProbeTest, ADeviceThatKnowsNoProbesAndSpeaksIsReachable) {
  options_.probe_silence = absl::Hours(1);
  Restart();
  const auto seen = StartDevice(DeviceIdentity("a"), "login: ");
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre("1 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_EQ(seen->end, net::error::eof);
}

TEST_F(DeviceProbeTest, ADeviceThatKnowsNoProbesAndIsSilentIsReachable) {
  const auto seen = StartDevice(DeviceIdentity("a"));
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre("1 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_EQ(seen->end, net::error::eof);
}

TEST_F(DeviceProbeTest, ProbesWaitForEachOtherAndTooManyAreRefused) {
  options_.max_probes = 1;
  options_.max_waiting_probes = 1;
  Restart();
  StartDevice(DeviceIdentity("a"));
  Probe(1);
  Probe(2);
  EXPECT_EQ(dialer_->counters().probes_waiting, 1u);
  Probe(3);

  EXPECT_THAT(Probed(2), ElementsAre(HasSubstr("3 too many devices"), "1 ok"));
  StartDevice(DeviceIdentity("b"));
  EXPECT_THAT(Probed(3), ElementsAre(HasSubstr("3 "), "1 ok", HasSubstr("2 ")));
}

}  // namespace
}  // namespace fairlead::gateway
