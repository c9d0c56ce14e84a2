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
#include "base/status_matchers.h"
#include "dataplane/relay.h"
#include "dataplane/testing/memory_leg.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "gateway/testing/fakes.h"
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
using dataplane::TlsServerContext;
using dataplane::TlsStream;
using dataplane::WebSocket;
using dataplane::net::ip::tcp;
using dataplane::testing::ClientSpec;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace net = dataplane::net;

class Observer : public dataplane::RelayObserver {
 public:
  void OnAttached(absl::string_view, Side side) override {
    log.push_back(absl::StrCat(NameOf(side), " attached"));
  }
  void OnDataFlowing(absl::string_view) override { log.push_back("flowing"); }
  void OnEnded(absl::string_view, const RelayEnd& end) override { ends.push_back(end); }
  void OnRefused(absl::string_view, Side side, const dataplane::PeerInfo&,
                 const CloseReason& reason) override {
    log.push_back(absl::StrCat(NameOf(side), " refused ", reason.code));
  }

  std::vector<std::string> log;
  std::vector<RelayEnd> ends;
};

// What a device saw of a connection.
struct Seen {
  absl::Status handshake;
  std::vector<std::string> uris;
  std::string alpn;
  std::string bytes;
  dataplane::error_code end;
  bool ended = false;
};

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

// A device's TLS port that serves one connection: says `banner`, and reads to the end.
net::awaitable<void> ServeDevice(tcp::acceptor& acceptor, TlsIdentity identity, std::string ca_pem,
                                 std::string banner, std::shared_ptr<Seen> seen) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return;
  // It knows no ALPN.
  const auto context =
      TlsServerContext::CreateMutual(identity, ca_pem, "urn:fairlead:server:").value();
  TlsStream stream(std::move(socket), context->Acquire(), TlsStream::Role::kServer);
  seen->handshake = co_await stream.Handshake(absl::Seconds(10), "", nullptr);
  if (seen->handshake.ok()) {
    const auto certificate = stream.peer_certificate();
    if (certificate.has_value()) seen->uris = certificate->uris;
    if (!banner.empty()) co_await stream.async_write_some(net::buffer(banner), kToken);
    char buffer[4096];
    const net::mutable_buffer room = net::buffer(buffer);
    for (;;) {
      auto [read_error, size] = co_await stream.async_read_some(room, kToken);
      seen->end = read_error;
      if (read_error) break;
      seen->bytes.append(buffer, size);
    }
  }
  seen->ended = true;
}

// Something else than TLS.
net::awaitable<void> ServePlain(tcp::acceptor& acceptor) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return;
  const std::string banner = "SSH-2.0-OpenSSH_9.2\r\n";
  co_await net::async_write(socket, net::buffer(banner), kToken);
}

class DeviceDialerTest : public ::testing::Test {
 protected:
  DeviceDialerTest() : acceptor_(io_, {net::ip::address_v4::loopback(), 0}) {
    address_ = absl::StrCat("127.0.0.1:", acceptor_.local_endpoint().port());
    options_.probe_silence = absl::Milliseconds(10);
    Restart();
  }

  void Restart() {
    DeviceDialerSources sources;
    if (dials_) {
      sources.identity = [this]() -> absl::StatusOr<TlsIdentity> {
        ++identities_;
        LeafSpec spec = ClientSpec("urn:fairlead:server:ums");
        spec.server_auth = true;
        return ca_.Issue(spec);
      };
    }
    sources.device_ca = [this] { return ca_pem_; };
    sources.is_revoked = [this](absl::string_view print) { return print == revoked_; };
    dialer_ = std::make_unique<DeviceDialer>([this] { return io_.get_executor(); }, relay_, sink_,
                                             clock_, std::move(sources), options_);
  }

  std::shared_ptr<Seen> StartDevice(TlsIdentity identity, std::string banner = "") {
    auto seen = std::make_shared<Seen>();
    Spawn(io_, ServeDevice(acceptor_, std::move(identity), ca_.pem(), std::move(banner), seen));
    return seen;
  }
  std::shared_ptr<Seen> StartAgent(const TestCa& trusted, bool stuck = false) {
    auto seen = std::make_shared<Seen>();
    auto tls = AgentTls(DeviceIdentity("a"), trusted.pem());
    Spawn(io_, ServeAgent(acceptor_, std::move(tls), stuck, seen));
    return seen;
  }
  TlsIdentity DeviceIdentity(const std::string& unit_id) {
    return ca_.Issue(ClientSpec("urn:fairlead:device:" + unit_id));
  }

  void Register() {
    dataplane::SessionSpec spec;
    spec.session_id = "s";
    spec.console_ticket_sha256 = dataplane::HashTicket("console");
    spec.device_ticket_sha256 = dataplane::HashTicket("device");
    spec.unit_id = "a";
    ASSERT_THAT(relay_.Register(spec), IsOk());
  }
  void Dial() {
    v1::DialDevice dial;
    dial.set_session_id("s");
    dial.set_ticket("device");
    dial.set_unit_id("a");
    dial.set_address(address_);
    dialer_->Dial(dial);
  }
  void Probe(std::uint64_t id) {
    v1::ProbeDevice probe;
    probe.set_unit_id("a");
    probe.set_address(address_);
    probe.set_probe_id(id);
    dialer_->Probe(probe);
  }
  // Waits for the results of so many probes: "1 ok", or "2 " and the error.
  std::vector<std::string> Probed(std::size_t count) {
    RunUntil(io_, [&] { return sink_.events().size() >= count; });
    std::vector<std::string> told;
    for (const v1::EdgeEvent& event : sink_.events()) {
      const v1::ProbeResult& result = event.probe_result();
      EXPECT_EQ(result.unit_id(), "a");
      EXPECT_EQ(result.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
      told.push_back(
          absl::StrCat(result.probe_id(), " ", result.reachable() ? "ok" : result.error()));
    }
    return told;
  }

  // Both a dial and a probe fail, saying `what`. `device` starts a device for one connection.
  void ExpectFailure(const std::function<void()>& device, const std::string& what) {
    Register();
    device();
    Dial();
    RunUntil(io_, [&] { return !observer_.ends.empty(); });
    EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
    EXPECT_EQ(observer_.ends[0].reason.code, dataplane::kClosePeerLost);
    EXPECT_THAT(observer_.ends[0].reason.text, HasSubstr(what));
    EXPECT_THAT(observer_.log, IsEmpty());
    device();
    Probe(1);
    EXPECT_THAT(Probed(1), ElementsAre(HasSubstr(what)));
    EXPECT_EQ(dialer_->counters().dials_failed, 1u);
    EXPECT_EQ(dialer_->counters().probes_failed, 1u);
  }

  net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  Observer observer_;
  TestCa ca_;
  tcp::acceptor acceptor_;
  std::string address_;
  std::string ca_pem_ = ca_.pem();
  std::string revoked_;
  bool dials_ = true;
  int identities_ = 0;
  DeviceDialerOptions options_;
  dataplane::Relay relay_{
      [this](absl::string_view) -> net::any_io_executor { return io_.get_executor(); }, observer_,
      SystemClock(), dataplane::RelayOptions()};
  std::unique_ptr<DeviceDialer> dialer_;
};

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

TEST_F(DeviceDialerTest, AProbeEndsWithTheAgentsClose) {
  const auto seen = StartAgent(ca_);

  Probe(7);

  EXPECT_THAT(Probed(1), ElementsAre("7 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  RunUntil(io_, [&] { return dialer_->counters().probes_now == 0; });
  EXPECT_THAT(seen->handshake, IsOk());
  EXPECT_EQ(seen->alpn, "fairlead.probe");
  EXPECT_THAT(seen->uris, ElementsAre("urn:fairlead:server:ums"));
}

TEST_F(DeviceDialerTest, ADialIsNoProbe) {
  Register();
  const auto seen = StartAgent(ca_);
  Dial();
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_THAT(seen->handshake, IsOk());
  EXPECT_EQ(seen->alpn, "");
}

TEST_F(DeviceDialerTest, AnAgentThatDoesNotEndTheProbeIsNotReachable) {
  options_.timeout = absl::Milliseconds(200);
  Restart();
  const auto seen = StartAgent(ca_, true);
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(HasSubstr("did not end the probe within 200ms")));
  RunUntil(io_, [&] { return seen->ended; });
}

// Under TLS 1.3 our side of the handshake is over before the device has looked at our certificate.
TEST_F(DeviceDialerTest, ADeviceThatRefusesOurCertificateIsNotReachable) {
  const TestCa other("Other CA");
  const auto seen = StartAgent(other);
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(AllOf(HasSubstr(address_),
                                           HasSubstr("refuses this side's certificate"))));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_FALSE(seen->handshake.ok());
  EXPECT_EQ(dialer_->counters().probes_failed, 1u);
}

TEST_F(DeviceDialerTest, ADeviceThatBreaksOffIsNotReachable) {
  Spawn(io_, ServeBriefly(acceptor_, AgentTls(DeviceIdentity("a"), ca_.pem())));
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre(HasSubstr("broke off after the TLS handshake")));
}

TEST_F(DeviceDialerTest, ADeviceThatKnowsNoProbesAndSpeaksIsReachable) {
  options_.probe_silence = absl::Hours(1);
  Restart();
  const auto seen = StartDevice(DeviceIdentity("a"), "login: ");
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre("1 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_EQ(seen->end, net::error::eof);
}

TEST_F(DeviceDialerTest, ADeviceThatKnowsNoProbesAndIsSilentIsReachable) {
  const auto seen = StartDevice(DeviceIdentity("a"));
  Probe(1);
  EXPECT_THAT(Probed(1), ElementsAre("1 ok"));
  RunUntil(io_, [&] { return seen->ended; });
  EXPECT_EQ(seen->end, net::error::eof);
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

TEST_F(DeviceDialerTest, ProbesWaitForEachOtherAndTooManyAreRefused) {
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
