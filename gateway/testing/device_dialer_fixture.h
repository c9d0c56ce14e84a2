// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device dialer, and an OS 11 device's TLS port on the loopback interface.
#ifndef FAIRLEAD_GATEWAY_TESTING_DEVICE_DIALER_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_DEVICE_DIALER_FIXTURE_H_

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/relay.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "gateway/device_dialer.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {

// Remembers what the relay reports.
class Observer : public dataplane::RelayObserver {
 public:
  void OnAttached(absl::string_view, dataplane::Side side) override {
    log.push_back(absl::StrCat(NameOf(side), " attached"));
  }
  void OnDataFlowing(absl::string_view) override { log.push_back("flowing"); }
  void OnEnded(absl::string_view, const dataplane::RelayEnd& end) override { ends.push_back(end); }
  void OnRefused(absl::string_view, dataplane::Side side, const dataplane::PeerInfo&,
                 const dataplane::CloseReason& reason) override {
    log.push_back(absl::StrCat(NameOf(side), " refused ", reason.code));
  }

  std::vector<std::string> log;
  std::vector<dataplane::RelayEnd> ends;
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

// A device's TLS port that serves one connection: says `banner`, and reads to the end.
inline dataplane::net::awaitable<void> ServeDevice(dataplane::net::ip::tcp::acceptor& acceptor,
                                                   dataplane::TlsIdentity identity,
                                                   std::string ca_pem, std::string banner,
                                                   std::shared_ptr<Seen> seen) {
  auto [error, socket] = co_await acceptor.async_accept(dataplane::kToken);
  if (error) co_return;
  // It knows no ALPN.
  const auto context =
      dataplane::TlsServerContext::CreateMutual(identity, ca_pem, "urn:fairlead:server:").value();
  dataplane::TlsStream stream(std::move(socket), context->Acquire(),
                              dataplane::TlsStream::Role::kServer);
  seen->handshake = co_await stream.Handshake(absl::Seconds(10), "", nullptr);
  if (seen->handshake.ok()) {
    const auto certificate = stream.peer_certificate();
    if (certificate.has_value()) seen->uris = certificate->uris;
    if (!banner.empty())
      co_await stream.async_write_some(dataplane::net::buffer(banner), dataplane::kToken);
    char buffer[4096];
    const dataplane::net::mutable_buffer room = dataplane::net::buffer(buffer);
    for (;;) {
      auto [read_error, size] = co_await stream.async_read_some(room, dataplane::kToken);
      seen->end = read_error;
      if (read_error) break;
      seen->bytes.append(buffer, size);
    }
  }
  seen->ended = true;
}

class DeviceDialerFixture : public ::testing::Test {
 protected:
  DeviceDialerFixture() : acceptor_(io_, {dataplane::net::ip::address_v4::loopback(), 0}) {
    address_ = absl::StrCat("127.0.0.1:", acceptor_.local_endpoint().port());
    options_.probe_silence = absl::Milliseconds(10);
    Restart();
  }

  void Restart() {
    DeviceDialerSources sources;
    if (dials_) {
      sources.identity = [this]() -> absl::StatusOr<dataplane::TlsIdentity> {
        ++identities_;
        dataplane::testing::LeafSpec spec =
            dataplane::testing::ClientSpec("urn:fairlead:server:ums");
        spec.server_auth = true;
        return ca_.Issue(spec);
      };
    }
    sources.device_ca = [this] { return ca_pem_; };
    sources.is_revoked = [this](absl::string_view print) { return print == revoked_; };
    dialer_ = std::make_unique<DeviceDialer>([this] { return io_.get_executor(); }, relay_, sink_,
                                             clock_, std::move(sources), options_);
  }

  std::shared_ptr<Seen> StartDevice(dataplane::TlsIdentity identity, std::string banner = "") {
    auto seen = std::make_shared<Seen>();
    Spawn(io_, ServeDevice(acceptor_, std::move(identity), ca_.pem(), std::move(banner), seen));
    return seen;
  }
  dataplane::TlsIdentity DeviceIdentity(const std::string& unit_id) {
    return ca_.Issue(dataplane::testing::ClientSpec("urn:fairlead:device:" + unit_id));
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
    EXPECT_EQ(observer_.ends[0].by, dataplane::RelayEnd::By::kDevice);
    EXPECT_EQ(observer_.ends[0].reason.code, dataplane::kClosePeerLost);
    EXPECT_THAT(observer_.ends[0].reason.text, ::testing::HasSubstr(what));
    EXPECT_THAT(observer_.log, ::testing::IsEmpty());
    device();
    Probe(1);
    EXPECT_THAT(Probed(1), ::testing::ElementsAre(::testing::HasSubstr(what)));
    EXPECT_EQ(dialer_->counters().dials_failed, 1u);
    EXPECT_EQ(dialer_->counters().probes_failed, 1u);
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  Observer observer_;
  dataplane::testing::TestCa ca_;
  dataplane::net::ip::tcp::acceptor acceptor_;
  std::string address_;
  std::string ca_pem_ = ca_.pem();
  std::string revoked_;
  bool dials_ = true;
  int identities_ = 0;
  DeviceDialerOptions options_;
  dataplane::Relay relay_{
      [this](absl::string_view) -> dataplane::net::any_io_executor { return io_.get_executor(); },
      observer_, SystemClock(), dataplane::RelayOptions()};
  std::unique_ptr<DeviceDialer> dialer_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_DEVICE_DIALER_FIXTURE_H_
