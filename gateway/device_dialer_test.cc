// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Dialling OS 11 devices over real TLS on the loopback interface: the right one becomes a session's
// leg, every other ends the session with a sentence, and probes tell the same.
#include "gateway/device_dialer.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "dataplane/testing/memory_leg.h"
#include "gateway/testing/device_dialer_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::CloseReason;
using dataplane::kToken;
using dataplane::Message;
using dataplane::RelayEnd;
using dataplane::Side;
using dataplane::TlsIdentity;
using dataplane::net::ip::tcp;
using dataplane::testing::ClientSpec;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace net = dataplane::net;

class DeviceDialerTest : public DeviceDialerFixture {};

// Something else than TLS.
net::awaitable<void> ServePlain(tcp::acceptor& acceptor) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return;
  const std::string banner = "SSH-2.0-OpenSSH_9.2\r\n";
  co_await net::async_write(socket, net::buffer(banner), kToken);
}

TEST_F(DeviceDialerTest, TheRightDeviceBecomesTheSessionsLeg) {
  Register();
  const auto seen = StartDevice(DeviceIdentity("a"), "login: ");
  auto console = dataplane::MakeMemoryLeg(io_.get_executor());
  const auto claim = relay_.ClaimTicket("console", Side::kConsole, "", dataplane::PeerInfo());
  const auto served = Spawn(io_, relay_.Serve(claim, std::move(console.leg)));

  Dial();
  Message message;
  while (message.payload != "login: ") {
    message = Await(io_, console.peer->ReadMessage());
    ASSERT_TRUE(message.open);
  }
  EXPECT_THAT(Await(io_, console.peer->WriteBinary("root\r\n")), IsOk());
  RunUntil(io_, [&] { return seen->bytes == "root\r\n"; });
  CloseReason done;
  done.code = dataplane::kCloseNormal;
  Await(io_, console.peer->Close(done));
  RunUntil(io_, [&] { return *served && seen->ended; });
  RunUntil(io_, [&] { return relay_.counters().legs_now == 0; });

  EXPECT_THAT(observer_.log, ElementsAre("Console attached", "device attached", "flowing"));
  EXPECT_THAT(seen->uris, ElementsAre("urn:fairlead:server:ums"));
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kConsole);
  EXPECT_EQ(dialer_->counters().dials, 1u);
  EXPECT_EQ(dialer_->counters().dials_now, 0u);
  EXPECT_EQ(dialer_->counters().dials_failed, 0u);
}

TEST_F(DeviceDialerTest, AnotherDeviceIsNotTheDevice) {
  ExpectFailure([this] { StartDevice(DeviceIdentity("b")); }, "urn:fairlead:device:b");
}

TEST_F(DeviceDialerTest, AServersCertificateIsNoDevices) {
  ExpectFailure([this] { StartDevice(ca_.Issue(LeafSpec())); }, "certificate");
}

TEST_F(DeviceDialerTest, AnotherCasCertificateProvesNothing) {
  const TestCa other("Other CA");
  const TlsIdentity identity = other.Issue(ClientSpec("urn:fairlead:device:a"));
  ExpectFailure([&] { StartDevice(identity); }, "not trusted here");
}

TEST_F(DeviceDialerTest, AnExpiredCertificateIsNamedSo) {
  LeafSpec spec = ClientSpec("urn:fairlead:device:a");
  spec.not_before = -absl::Hours(2);
  spec.not_after = -absl::Hours(1);
  const TlsIdentity identity = ca_.Issue(spec);
  ExpectFailure([&] { StartDevice(identity); }, "expired on");
}

TEST_F(DeviceDialerTest, ARevokedCertificateIsNamedSo) {
  const TlsIdentity identity = DeviceIdentity("a");
  revoked_ =
      absl::HexStringToBytes(dataplane::testing::FingerprintOfPem(identity.certificate_chain_pem));
  ExpectFailure([&] { StartDevice(identity); }, "is revoked");
}

TEST_F(DeviceDialerTest, WhatDoesNotSpeakTlsIsNamedSo) {
  ExpectFailure([this] { Spawn(io_, ServePlain(acceptor_)); }, "does not speak TLS");
}

TEST_F(DeviceDialerTest, NobodyListensThere) {
  acceptor_.close();
  ExpectFailure([] {}, "nobody answers at 127.0.0.1");
}

TEST_F(DeviceDialerTest, ASilentDeviceIsGivenUp) {
  options_.timeout = absl::Milliseconds(50);
  Restart();
  ExpectFailure([] {}, "within 50ms");
}

TEST_F(DeviceDialerTest, AnImpossibleAddressIsNamed) {
  address_ = "no port";
  ExpectFailure([] {}, "\"no port\" is not a usable address");
}

TEST_F(DeviceDialerTest, AnEdgeWithoutACertificateDialsNone) {
  dials_ = false;
  Restart();
  ExpectFailure([] {}, "dials no devices");
}

TEST_F(DeviceDialerTest, WithoutTheDevicesCaNoneIsBelieved) {
  ca_pem_ = "";
  ExpectFailure([] {}, "which CA signs devices");
}

TEST_F(DeviceDialerTest, ASessionThatEndsMeanwhileEndsTheDial) {
  Register();
  Dial();
  CloseReason reason;
  reason.code = dataplane::kCloseTerminated;
  relay_.End("s", reason);
  RunUntil(io_, [&] { return !observer_.ends.empty(); });

  const auto seen = StartDevice(DeviceIdentity("a"));
  RunUntil(io_, [&] { return seen->ended; });
  RunUntil(io_, [&] { return dialer_->counters().dials_now == 0; });

  ASSERT_EQ(observer_.ends.size(), 1u);
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kRelay);
  // Nothing was refused: nobody did anything wrong.
  EXPECT_THAT(observer_.log, IsEmpty());
  EXPECT_EQ(dialer_->counters().dials_failed, 0u);
}

TEST_F(DeviceDialerTest, AWrongTicketEndsTheSession) {
  Register();
  const auto seen = StartDevice(DeviceIdentity("a"));
  v1::DialDevice dial;
  dial.set_session_id("s");
  dial.set_ticket("guess");
  dial.set_unit_id("a");
  dial.set_address(address_);
  dialer_->Dial(dial);
  RunUntil(io_, [&] { return seen->ended && !observer_.ends.empty(); });

  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  EXPECT_THAT(observer_.ends[0].reason.text, HasSubstr("ticket"));
}

TEST_F(DeviceDialerTest, TooManyAtOnceAreRefused) {
  options_.max_dials = options_.max_probes = options_.max_waiting_probes = 0;
  Restart();
  ExpectFailure([] {}, "too many devices");
}

TEST_F(DeviceDialerTest, OurCertificateIsAskedForNowAndThen) {
  for (int i = 1; i <= 3; ++i) {
    StartDevice(DeviceIdentity("a"));
    Probe(i);
    Probed(i);
  }
  EXPECT_EQ(identities_, 1);
  clock_.Advance(options_.identity_lifetime);
  StartDevice(DeviceIdentity("a"));
  Probe(4);
  RunUntil(io_, [&] { return sink_.events().size() == 4; });
  EXPECT_EQ(identities_, 2);
  ca_pem_ += ca_.pem();
  StartDevice(DeviceIdentity("a"));
  Probe(5);
  RunUntil(io_, [&] { return sink_.events().size() == 5; });
  EXPECT_EQ(identities_, 3);
}

TEST_F(DeviceDialerTest, AfterStopNothingIsToldAnyMore) {
  Register();
  Dial();
  Probe(1);
  dialer_->Stop();
  const auto seen = StartDevice(DeviceIdentity("a"));
  RunUntil(io_, [&] { return seen->ended; });
  Dial();
  Probe(2);
  io_.restart();
  io_.poll();

  EXPECT_THAT(sink_.events(), IsEmpty());
  EXPECT_THAT(observer_.ends, IsEmpty());
  EXPECT_THAT(observer_.log, IsEmpty());
}

}  // namespace
}  // namespace fairlead::gateway
