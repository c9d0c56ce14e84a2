// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a device does about its certificate on its own: against a server that enrols it over TLS,
// with a clock that the test sets.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_server.h"
#include "device/testing/fake_ca.h"
#include "device/testing/folder.h"
#include "device/unified_client.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

constexpr absl::string_view kDevicePaths = "/device-connector/device/";

// Enrols whoever asks, and counts those who would connect; it has no time for them.
class EnrollingServer {
 public:
  EnrollingServer() {
    dataplane::Route est;
    est.pattern = absl::StrCat(kDevicePaths, ".well-known/est/*");
    est.on_request = [this](dataplane::HttpRequest request) {
      return Answer(*this, std::move(request));
    };
    router_.Add(std::move(est));
    dataplane::Route connect;
    connect.pattern = absl::StrCat(kDevicePaths, "ws-connect");
    connect.on_upgrade = [this](dataplane::HttpRequest,
                                std::unique_ptr<dataplane::PendingUpgrade>) {
      return Count(connections_);
    };
    router_.Add(std::move(connect));
    server_ = std::make_unique<dataplane::testing::TestServer>(router_);
    ca_ = std::make_unique<FakeCa>(server_->ca().key_pem(), server_->ca().pem());
  }

  dataplane::Endpoint endpoint() const { return server_->At(""); }
  std::string ca_pem() const { return server_->ca().pem(); }
  int enrolments() const { return enrolments_; }
  int connections() const { return connections_; }

 private:
  static net::awaitable<dataplane::HttpResponse> Answer(EnrollingServer& self,
                                                        dataplane::HttpRequest request) {
    if (absl::EndsWith(request.path, "/simpleenroll")) ++self.enrolments_;
    const auto response = co_await self.ca_->Send(std::move(request));
    co_return *response;
  }
  static net::awaitable<void> Count(std::atomic<int>& counter) {
    ++counter;
    co_return;
  }

  std::atomic<int> enrolments_{0};
  std::atomic<int> connections_{0};
  dataplane::Router router_;
  std::unique_ptr<FakeCa> ca_;
  // Gone before what its handlers use.
  std::unique_ptr<dataplane::testing::TestServer> server_;
};

TEST(UnifiedClientEnrolment, ADeviceWhoseClockIsAheadEnrolsOnceAndConnects) {
  EnrollingServer server;
  const Folder folder;
  const StateDir state = *StateDir::Open(folder.path());
  Identity identity = *Identity::Load(state, "unit");
  UnifiedClientOptions options;
  options.servers.push_back(server.endpoint());
  options.trust.ca_pem = server.ca_pem();
  options.first_authentication_key = "key";
  const FakeClock ahead(SystemClock().Now() + absl::Hours(10 * 365 * 24));
  net::io_context context;
  UnifiedClient client(context.get_executor(), options, state, identity, Profiles::Default(),
                       ahead);
  bool stopped = false;
  net::co_spawn(context, client.Run(), [&stopped](std::exception_ptr) { stopped = true; });

  ASSERT_TRUE(dataplane::testing::RunUntil(
      context, [&server] { return server.connections() > 0 || server.enrolments() > 1; }));
  EXPECT_EQ(server.enrolments(), 1);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE(identity.expired(ahead.Now()));

  client.Stop();
  EXPECT_TRUE(dataplane::testing::RunUntil(context, [&stopped] { return stopped; }));
}

}  // namespace
}  // namespace fairlead::device
