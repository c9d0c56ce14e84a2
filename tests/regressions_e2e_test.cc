// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: regressions of the domain that cross all parts and fit no other
// test (docs/regressions.md): proxies, time zones, log-ins that end before terminals do.
#include <string>

#include "absl/strings/str_cat.h"
#include "dataplane/testing/connect_proxy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"
#include "tests/support/terminals.h"

namespace fairlead::tests {
namespace {

using dataplane::testing::ConnectProxy;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kDevice[] = "00E0C5000001";

TEST(Regressions, R04EveryDialGoesThroughTheProxy) {
  Cluster cluster;
  ConnectProxy servers;
  ConnectProxy devices;
  ConnectProxy consoles;
  for (const char* scheme : {"grpcs", "wss"}) {
    SCOPED_TRACE(scheme);
    const std::string id = absl::StrCat("icg-", scheme);
    cluster.StartIcg(id, {.scheme = scheme, .fields = {{"proxy", servers.url()}}});
    EXPECT_THAT(servers.targets(),
                Contains(absl::StrCat("localhost:", cluster.icg(id).internal.port())));
    // Enrolment, the standing connection, and the tunnel.
    const int before = devices.tunnels();
    cluster.StartDevice(scheme, {.icg = id, .arguments = {"--proxy", devices.url()}});
    EXPECT_GE(devices.tunnels() - before, 2);
    std::string output;
    const int dialled = devices.tunnels();
    ASSERT_EQ(cluster
                  .Console({"--proxy", consoles.url(), "login", "--username", "admin",
                            "--password_file", cluster.password_file()},
                           "", &output)
                  .value,
              0)
        << output;
    const ExitStatus status = cluster.Console({"--proxy", consoles.url(), "connect", scheme},
                                              "echo fair''lead; exit 3\n", &output);
    EXPECT_EQ(status.value, 3) << output;
    EXPECT_THAT(output, HasSubstr("fairlead"));
    EXPECT_EQ(devices.tunnels() - dialled, 1);
    EXPECT_THAT(consoles.targets(),
                Contains(absl::StrCat("localhost:", cluster.icg(id).external.port())));
  }
  // The link comes back through the proxy.
  servers.CutAll();
  EXPECT_TRUE(cluster.AwaitIcg("icg-wss", "CONNECTED", kPresence));
  EXPECT_TRUE(cluster.AwaitDevice("wss", "ONLINE", kPresence));
  ExpectNextSessionWorks(cluster, "wss");
}

TEST(Regressions, R04AProxyThatRefusesIsNamed) {
  Cluster cluster;
  ConnectProxy proxy;
  proxy.Refuse(403);
  cluster.LaunchIcg("berlin", {.fields = {{"proxy", proxy.url()}}});

  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
    const std::string error = cluster.GetIcg("berlin").value("lastError", "");
    return error.find(absl::StrCat(proxy.port())) != std::string::npos &&
           error.find("403") != std::string::npos;
  })) << cluster.GetIcg("berlin");
}

TEST(Regressions, R08TimeZonesDoNotMatter) {
  for (const char* zone : {"Pacific/Kiritimati", "America/Anchorage"}) {
    SCOPED_TRACE(zone);
    Cluster cluster({.environment = {absl::StrCat("TZ=", zone)}});
    for (const Flow& flow : AllFlows()) {
      if (flow.scheme == "wss") continue;
      SCOPED_TRACE(flow.Label());
      if (flow.over_icg() && cluster.GetIcg(flow.icg()).empty()) cluster.StartIcg(flow.icg());
      DeviceOptions device = flow.device();
      device.environment = {"TZ=Asia/Tokyo"};
      cluster.StartDevice(flow.Label(), device);
      ExpectNextSessionWorks(cluster, flow.Label());
    }
  }
}

TEST(Regressions, R09R25TheEndOfALogInLeavesTerminalsAlone) {
  Cluster cluster;
  for (const Flow& flow : AllFlows()) {
    if (flow.scheme == "wss") continue;
    SCOPED_TRACE(flow.Label());
    if (flow.over_icg() && cluster.GetIcg(flow.icg()).empty()) cluster.StartIcg(flow.icg());
    cluster.StartDevice(flow.Label(), flow.device());
    Opened opened = OpenUpTo(cluster, flow.Label(), Step::kFlowing);
    ASSERT_EQ(cluster.api().Call("POST", "/api/v1/logout").status, 200);
    EXPECT_EQ(cluster.api().Call("GET", "/api/v1/me").status, 401);
    ASSERT_TRUE(opened.leg->Send("echo still''-here; exit\n").ok());
    opened.leg->ReadToEnd();
    EXPECT_THAT(opened.leg->output(), HasSubstr("still-here"));
    EXPECT_EQ(opened.leg->close().code, 1000);
    cluster.LogIn();
  }
}

TEST(Regressions, R34AnEcAndAnRsaServerCertificateBothEnrolDevices) {
  Cluster ec;
  ec.StartDevice(kDevice);
  ExpectNextSessionWorks(ec, kDevice);
  // RSA, of a CA of its own, as an administrator would bring it.
  Cluster rsa({.rsa_certificate = true});
  rsa.StartDevice(kDevice);
  ExpectNextSessionWorks(rsa, kDevice);
  rsa.StartDevice("legacy", {.os = 11});
  ExpectNextSessionWorks(rsa, "legacy");
}

}  // namespace
}  // namespace fairlead::tests
