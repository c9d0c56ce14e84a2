// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers doctor: each leg's failure is named by its own check with a sentence that says what to do;
// real listeners with good and bad certificates, and a server's answers from memory.
#include "console/doctor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "console/testing/fake_api_client.h"
#include "dataplane/io_threads.h"
#include "dataplane/listener.h"
#include "dataplane/router.h"
#include "dataplane/testing/test_pki.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/auth.pb.h"
#include "proto/device.pb.h"
#include "proto/icg.pb.h"

namespace fairlead::console {
namespace {

using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::PendingUpgrade;
using dataplane::net::awaitable;
using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

awaitable<HttpResponse> Respond(int status) {
  HttpResponse response;
  response.status = status;
  co_return response;
}

awaitable<void> RefuseTicket(std::unique_ptr<PendingUpgrade> upgrade) {
  auto accepted = co_await upgrade->Accept("fairlead.terminal.v1");
  dataplane::CloseReason close;
  close.code = dataplane::kCloseBadTicket;
  if (accepted.ok()) co_await (*accepted)->Close(close);
}

// What a listener serves.
struct Served {
  LeafSpec certificate;
  int readyz = 200;
  bool tunnels = true;
};

dataplane::Router RouterOf(const Served& served) {
  dataplane::Router router;
  for (const auto& [path, status] :
       {std::pair<std::string, int>{"/healthz", 200}, {"/readyz", served.readyz}}) {
    dataplane::Route route;
    route.pattern = path;
    route.on_request = [status = status](HttpRequest) { return Respond(status); };
    router.Add(std::move(route));
  }
  if (!served.tunnels) return router;
  dataplane::Route tunnel;
  tunnel.pattern = "/console-connector/terminal";
  tunnel.on_upgrade = [](HttpRequest, std::unique_ptr<PendingUpgrade> upgrade) {
    return RefuseTicket(std::move(upgrade));
  };
  router.Add(std::move(tunnel));
  return router;
}

class Server {
 public:
  explicit Server(const Served& served = Served()) : router_(RouterOf(served)) {
    auto tls = dataplane::TlsServerContext::Create(ca_.Issue(served.certificate), ca_.pem());
    dataplane::ListenerOptions options;
    options.addresses = {"127.0.0.1:0"};
    listener_ =
        std::make_unique<dataplane::Listener>(threads_, *std::move(tls), router_, nullptr, options);
    EXPECT_THAT(listener_->Start(), IsOk());
  }
  ~Server() {
    listener_->StopAccepting();
    listener_->CloseAll();
    EXPECT_TRUE(listener_->AwaitClosed(absl::Seconds(30)));
    threads_.Stop();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", listener_->port()); }
  const TestCa& ca() const { return ca_; }

  CheckedAddress Checked() const {
    CheckedAddress checked;
    checked.leg = "server";
    checked.endpoint = *dataplane::ParseAddress(address());
    checked.trust.ca_pem = ca_.pem();
    checked.is_server = true;
    return checked;
  }

 private:
  TestCa ca_;
  dataplane::IoThreads threads_{1};
  dataplane::Router router_;
  std::unique_ptr<dataplane::Listener> listener_;
};

// "ok name", "FAIL port" and so on.
std::vector<std::string> Names(const std::vector<Check>& checks) {
  std::vector<std::string> names;
  for (const Check& check : checks) {
    names.push_back(absl::StrCat(check.result == Check::Result::kOk ? "ok " : "FAIL ", check.name));
  }
  return names;
}

std::string Line(const std::vector<Check>& checks, absl::string_view name) {
  for (const Check& check : checks) {
    if (check.name == name) return check.message;
  }
  return "";
}

TEST(CheckAddress, AGoodServerHoldsInAll) {
  const Server server;
  const std::vector<Check> checks = CheckAddress(server.Checked());

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "ok tls", "ok certificate",
                                         "ok clock", "ok healthz", "ok readyz", "ok websocket"));
}

TEST(CheckAddress, ANameThatDoesNotResolve) {
  CheckedAddress address = Server().Checked();
  address.endpoint.host = "no-such-host.invalid";
  const std::vector<Check> checks = CheckAddress(address);

  EXPECT_THAT(Names(checks), ElementsAre("FAIL name"));
  EXPECT_THAT(checks.back().message, HasSubstr("check its spelling"));
}

TEST(CheckAddress, ADeadPort) {
  CheckedAddress address = Server().Checked();
  const std::vector<Check> checks = CheckAddress(address);

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "FAIL port"));
  EXPECT_THAT(checks.back().message, HasSubstr("check that it runs there"));
}

TEST(CheckAddress, APortThatAcceptsAndSaysNothing) {
  const Server server;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  dataplane::net::ip::tcp::endpoint at(dataplane::net::ip::address_v4::loopback(), 0);
  ASSERT_EQ(bind(fd, at.data(), static_cast<socklen_t>(at.size())), 0);
  ASSERT_EQ(listen(fd, 8), 0);
  socklen_t size = static_cast<socklen_t>(at.capacity());
  ASSERT_EQ(getsockname(fd, at.data(), &size), 0);
  CheckedAddress address = server.Checked();
  address.endpoint.port = at.port();
  address.timeout = absl::Milliseconds(200);
  const std::vector<Check> checks = CheckAddress(address);
  close(fd);

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "FAIL tls"));
}

TEST(CheckAddress, AnotherNameInTheCertificate) {
  Served served;
  served.certificate.dns_names = {"other.example"};
  served.certificate.ip_addresses = {};
  const Server server(served);
  const std::vector<Check> checks = CheckAddress(server.Checked());

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "ok tls", "FAIL certificate"));
  EXPECT_THAT(checks.back().message, HasSubstr("other.example"));
}

TEST(CheckAddress, AnExpiredCertificateNamesTheClockToo) {
  Served served;
  served.certificate.not_before = -absl::Hours(48);
  served.certificate.not_after = -absl::Hours(24);
  const Server server(served);
  const std::vector<Check> checks = CheckAddress(server.Checked());

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "ok tls", "FAIL certificate"));
  EXPECT_THAT(checks.back().message, HasSubstr("expired on"));
  EXPECT_THAT(checks.back().message, HasSubstr("clock"));
}

TEST(CheckAddress, ACertificateOfAnotherCa) {
  const Server server;
  CheckedAddress address = server.Checked();
  address.trust.ca_pem = TestCa("Other CA").pem();
  const std::vector<Check> checks = CheckAddress(address);

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "ok tls", "FAIL certificate"));
  EXPECT_THAT(checks.back().message, HasSubstr("not trusted here"));
}

absl::Time TenMinutesAhead() { return absl::Now() + absl::Minutes(10); }

TEST(CheckAddress, AWrongClockIsToldWithBothTimes) {
  const Server server;
  CheckedAddress address = server.Checked();
  address.now = TenMinutesAhead;
  const std::vector<Check> checks = CheckAddress(address);

  EXPECT_THAT(Names(checks), ElementsAre("ok name", "ok port", "ok tls", "ok certificate",
                                         "FAIL clock", "ok healthz", "ok readyz", "ok websocket"));
  EXPECT_THAT(Line(checks, "clock"), HasSubstr("this host's"));
}

TEST(CheckAddress, AServerThatIsNotReadyAndHasNoTunnels) {
  Served served;
  served.readyz = 503;
  served.tunnels = false;
  const Server server(served);
  const std::vector<Check> checks = CheckAddress(server.Checked());

  EXPECT_THAT(Names(checks),
              ElementsAre("ok name", "ok port", "ok tls", "ok certificate", "ok clock",
                          "ok healthz", "FAIL readyz", "FAIL websocket"));
}

// A server whose API answers from memory.
class DiagnoseTest : public ::testing::Test {
 protected:
  DiagnoseTest() : context_{api_, SavedState()} {
    context_.state.server = absl::StrCat("https://", server_.address());
    context_.state.ca_pem = server_.ca().pem();
    context_.state.token = "token";
    api_.Answer<v1::GetCallerRequest, v1::Caller>(
        "AuthService.GetCaller", [](const v1::GetCallerRequest&, v1::Caller& caller) {
          caller.set_user("users/admin");
          return absl::OkStatus();
        });
    api_.Answer<v1::ListIcgsRequest, v1::ListIcgsResponse>(
        "IcgService.ListIcgs", [this](const v1::ListIcgsRequest&, v1::ListIcgsResponse& icgs) {
          icgs = icgs_;
          return icgs_status_;
        });
    api_.Answer<v1::GetDeviceRequest, v1::Device>(
        "DeviceService.GetDevice", [this](const v1::GetDeviceRequest&, v1::Device& device) {
          device = device_;
          return device_status_;
        });
    device_.mutable_terminal()->set_enabled(true);
    device_.set_os_generation(v1::Device::OS_12);
    device_.mutable_connection()->set_state(v1::Connection::ONLINE);
    device_.mutable_connection()->set_via(v1::Connection::DIRECT);
  }

  // The lines of all checks but the server's address, "ok icgs/x link: ...".
  std::string Rest(const std::string& unit_id) {
    const std::vector<Check> all = Diagnose(context_, unit_id);
    std::vector<Check> rest;
    bool after = false;
    for (const Check& check : all) {
      after = after || check.name == "login";
      if (after) rest.push_back(check);
    }
    return FormatChecks(rest, OutputFormat::kTable);
  }

  Server server_;
  FakeApiClient api_;
  CommandContext context_;
  v1::ListIcgsResponse icgs_;
  absl::Status icgs_status_;
  v1::Device device_;
  absl::Status device_status_;
};

TEST_F(DiagnoseTest, AllIsWellOverAnIcg) {
  v1::Icg& icg = *icgs_.add_icgs();
  icg.set_name("icgs/berlin");
  icg.set_state(v1::Icg::CONNECTED);
  icg.set_external_address(server_.address());
  device_.mutable_connection()->set_via(v1::Connection::ICG);
  device_.mutable_connection()->set_icg("icgs/berlin");
  const std::string text = Rest("unit");

  EXPECT_FALSE(absl::StrContains(text, "FAIL")) << text;
  EXPECT_THAT(text, HasSubstr("logged in as users/admin"));
  EXPECT_THAT(text, HasSubstr("online via icgs/berlin"));
  EXPECT_THAT(text, HasSubstr("OS12_ICG"));
  EXPECT_EQ(*Doctor(context_, "unit"), 0);
}

TEST_F(DiagnoseTest, AnIcgWithoutALinkTellsTheServersReason) {
  v1::Icg& icg = *icgs_.add_icgs();
  icg.set_name("icgs/berlin");
  icg.set_state(v1::Icg::DISCONNECTED);
  icg.set_last_error("nobody answers at 192.0.2.1:8443");
  icg.set_external_address("127.0.0.1:1");
  const std::string text = Rest("");

  EXPECT_THAT(text, HasSubstr("nobody answers at 192.0.2.1:8443"));
  EXPECT_THAT(text, ::testing::ContainsRegex("FAIL +icgs/berlin +port"));
  EXPECT_EQ(*Doctor(context_, ""), 1);
}

TEST_F(DiagnoseTest, IcgsThatOneMayNotSeeAreNoFailure) {
  icgs_status_ = absl::PermissionDeniedError("you may not see ICGs");
  const std::string text = Rest("");

  EXPECT_THAT(text, HasSubstr("skip"));
  EXPECT_FALSE(absl::StrContains(text, "FAIL")) << text;
}

TEST_F(DiagnoseTest, ADevicesTroublesAreSentences) {
  device_status_ = absl::NotFoundError("no device has the unit ID \"unit\"; list the devices");
  EXPECT_THAT(Rest("unit"), HasSubstr("list the devices"));
  device_status_ = absl::OkStatus();
  device_.mutable_terminal()->set_enabled(false);
  EXPECT_THAT(Rest("unit"), HasSubstr("have an administrator enable it"));
  device_.mutable_connection()->set_state(v1::Connection::OFFLINE);
  EXPECT_THAT(Rest("unit"), HasSubstr("check that it is switched on"));
  device_.set_os_generation(v1::Device::OS_11);
  device_.set_unit_id("unit");
  EXPECT_THAT(Rest("unit"), HasSubstr("`devices update unit --address HOST:PORT`"));
  device_.mutable_connection()->set_last_error("its certificate expired on Nov 1");
  EXPECT_THAT(Rest("unit"), HasSubstr("its certificate expired on Nov 1"));
}

TEST_F(DiagnoseTest, WithoutALogInItSaysSoAndLooksNoFurther) {
  context_.state.token.clear();
  const std::string text = Rest("unit");

  EXPECT_THAT(text, HasSubstr("run the login command"));
  EXPECT_TRUE(api_.calls().empty());
}

TEST(FormatChecks, IsALineOrAnObjectACheck) {
  const std::vector<Check> checks = {{"server", "name", Check::Result::kOk, "fine"},
                                     {"server", "port", Check::Result::kFail, "dead"}};
  EXPECT_EQ(FormatChecks(checks, OutputFormat::kTable),
            "ok    server  name  fine\nFAIL  server  port  dead\n");
  EXPECT_THAT(FormatChecks(checks, OutputFormat::kJson), HasSubstr("\"result\": \"FAIL\""));
}

}  // namespace
}  // namespace fairlead::console
