// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The whole system in one process: a session from asking to the end, watched over WebSockets, with
// a look inside at what is left of it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/blocking.h"
#include "tests/support/console_leg.h"
#include "tests/support/in_process.h"
#include "tests/support/process.h"

namespace fairlead::tests {
namespace {

using ::testing::HasSubstr;

constexpr char kDevice[] = "00E0C5000001";

// A ":watch" WebSocket as a browser opens it.
class Watch {
 public:
  Watch(Api& api, const std::string& path) {
    const auto endpoint = dataplane::ParseUrl(absl::StrCat("wss", api.url().substr(5), path));
    dataplane::DialOptions options;
    options.tls = api.tls();
    const std::vector<std::string> offered = {"fairlead.watch.v1",
                                              absl::StrCat("fairlead.bearer.", api.token())};
    auto dialled = Block(dataplane::DialWebSocket(*endpoint, options, offered, {}));
    EXPECT_TRUE(dialled.ok()) << dialled.status();
    EXPECT_EQ(dialled->subprotocol, "fairlead.watch.v1");
    websocket_ = std::move(dialled->websocket);
  }
  ~Watch() { Block(Drop(std::move(websocket_))); }

  // The next message; null at the end.
  nlohmann::json Next() {
    const dataplane::Message message = Block(websocket_->ReadMessage());
    if (!message.open) {
      close_ = message.close;
      return nullptr;
    }
    EXPECT_EQ(message.kind, dataplane::FrameKind::kText);
    return nlohmann::json::parse(message.payload, nullptr, false);
  }
  const dataplane::CloseReason& close() const { return close_; }

 private:
  static dataplane::net::awaitable<void> Drop(std::unique_ptr<dataplane::WebSocket> websocket) {
    websocket->Abort();
    websocket.reset();
    co_return;
  }

  std::unique_ptr<dataplane::WebSocket> websocket_;
  dataplane::CloseReason close_;
};

nlohmann::json Create(InProcessCluster& cluster, const std::string& unit_id,
                      const nlohmann::json& request = nlohmann::json::object()) {
  const Reply reply =
      cluster.api().Call("POST", absl::StrCat("/api/v1/devices/", unit_id, "/sessions"), request);
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.body;
}

ConsoleLeg Attach(InProcessCluster& cluster, const nlohmann::json& session) {
  return ConsoleLeg(session.value("consoleUrl", ""), session.value("consoleTicket", ""),
                    cluster.api().tls());
}

bool NothingIsLeft(InProcessCluster& cluster) {
  return Eventually(absl::Seconds(30), [&] {
    return cluster.Metric("fairlead_sessions") == 0 && cluster.Metric("fairlead_tunnels") == 0;
  });
}

TEST(Cluster, OpenTypeSeeCloseAndNothingIsLeft) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  const nlohmann::json session = Create(cluster, kDevice);
  {
    ConsoleLeg leg = Attach(cluster, session);
    ASSERT_TRUE(leg.Send("echo fair''lead\n").ok());
    EXPECT_TRUE(leg.ReadUntil("fairlead\r\n"));
    EXPECT_EQ(cluster.Metric("fairlead_tunnels"), 2);
    leg.Close();
  }

  EXPECT_TRUE(NothingIsLeft(cluster));
  EXPECT_EQ(cluster.Metric("fairlead_devices"), 1);
}

TEST(Cluster, WatchSessionShowsEachStepAndEndsWithIt) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  const nlohmann::json session = Create(cluster, kDevice, {{"profile", "seven"}});
  Watch watch(cluster.api(), absl::StrCat("/api/v1/", session.value("name", ""), ":watch"));
  EXPECT_EQ(watch.Next().value("state", ""), "OPENING");
  ConsoleLeg leg = Attach(cluster, session);
  leg.ReadToEnd();

  nlohmann::json last;
  for (nlohmann::json next = watch.Next(); !next.is_null(); next = watch.Next()) last = next;
  EXPECT_EQ(watch.close().code, 1000) << watch.close().text;
  EXPECT_EQ(last.value("state", ""), "ENDED");
  EXPECT_FALSE(last.contains("consoleTicket"));
}

TEST(Cluster, WatchDevicesShowsComingAndGoing) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  Watch watch(cluster.api(), "/api/v1/devices:watch");
  EXPECT_EQ(watch.Next().value("/device/connection/state"_json_pointer, ""), "ONLINE");
  EXPECT_EQ(watch.Next().value("type", ""), "SNAPSHOT_COMPLETE");
  cluster.RemoveDevice(kDevice);

  nlohmann::json event = watch.Next();
  while (!event.is_null() &&
         event.value("/device/connection/state"_json_pointer, "") != "OFFLINE") {
    event = watch.Next();
  }
  EXPECT_EQ(event.value("/device/unitId"_json_pointer, ""), kDevice);
}

TEST(Cluster, WatchDevicesByChangesAloneCountsAndShowsWhatChanges) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  Watch watch(cluster.api(), "/api/v1/devices:watch?filter=state%3DONLINE&changesOnly=true");
  const nlohmann::json first = watch.Next();
  EXPECT_EQ(first.value("type", ""), "SNAPSHOT_COMPLETE");
  EXPECT_EQ(first.value("deviceCount", -1), 1);
  EXPECT_FALSE(first.contains("device"));
  cluster.AddDevice("00E0C5000002");

  nlohmann::json event = watch.Next();
  while (!event.is_null() && event.value("/device/unitId"_json_pointer, "") != "00E0C5000002") {
    event = watch.Next();
  }
  EXPECT_EQ(event.value("type", ""), "UPDATED");
  EXPECT_EQ(event.value("deviceCount", -1), 2);
  cluster.RemoveDevice(kDevice);
  while (!event.is_null() && event.value("type", "") != "DELETED") event = watch.Next();
  EXPECT_EQ(event.value("/device/name"_json_pointer, ""), absl::StrCat("devices/", kDevice));
  EXPECT_EQ(event.value("deviceCount", -1), 1);
}

TEST(Cluster, TagsSelectDevicesInListsAndWatches) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  Watch watch(cluster.api(), "/api/v1/devices:watch?filter=tag%3Dtill");
  EXPECT_EQ(watch.Next().value("type", ""), "SNAPSHOT_COMPLETE");
  const std::string change = absl::StrCat("/api/v1/devices/", kDevice, ":changeTags");

  const Reply tagged = cluster.api().Call("POST", change, {{"add", {"till", "K\u00f6ln"}}});
  EXPECT_EQ(tagged.status, 200) << tagged.body;
  EXPECT_EQ(tagged.body["tags"], nlohmann::json({"K\u00f6ln", "till"}));
  EXPECT_EQ(watch.Next()["device"]["tags"], tagged.body["tags"]);
  const Reply found =
      cluster.api().Call("GET", "/api/v1/devices?filter=tag%3DTILL%20tag%3DK%C3%B6ln%20os%3DOS_12");
  EXPECT_EQ(found.body["devices"].size(), 1u) << found.body;
  const Reply none = cluster.api().Call("GET", "/api/v1/devices?filter=tag%3DTILL%20os%3DOS_11");
  EXPECT_EQ(none.body["devices"].size(), 0u) << none.body;
  EXPECT_EQ(cluster.api().Call("POST", change, {{"add", {"a b"}}}).status, 400);
  EXPECT_EQ(cluster.api().Call("POST", change, {{"remove", {"till"}}}).status, 200);
  EXPECT_EQ(watch.Next().value("type", ""), "DELETED");
}

TEST(Cluster, AWatchWithoutATokenIsClosedWith4401) {
  InProcessCluster cluster;
  const std::string token = cluster.api().token();
  cluster.api().set_token(std::string(43, 'A'));
  Watch watch(cluster.api(), "/api/v1/devices:watch");
  EXPECT_TRUE(watch.Next().is_null());
  EXPECT_EQ(watch.close().code, 4401);
}

TEST(Cluster, ManyWatchersOfOneAddressAreNoStrangers) {
  dataplane::ListenerLimits limits;
  limits.max_unauthenticated_per_host = 4;
  InProcessCluster cluster(limits);
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 20; ++i) {
    watches.push_back(std::make_unique<Watch>(cluster.api(), "/api/v1/devices:watch"));
    ASSERT_EQ(watches.back()->Next().value("type", ""), "SNAPSHOT_COMPLETE");
  }
  EXPECT_EQ(cluster.api().Call("GET", "/api/v1/me").status, 200);
}

TEST(Cluster, DevicesDoNotMixAndOneMayGoWhileTheOtherWorks) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  cluster.AddDevice("00E0C5000002");
  ConsoleLeg first = Attach(cluster, Create(cluster, kDevice));
  ConsoleLeg second = Attach(cluster, Create(cluster, "00E0C5000002"));
  ASSERT_TRUE(first.Send("echo fir''st\n").ok());
  ASSERT_TRUE(second.Send("echo sec''ond\n").ok());
  EXPECT_TRUE(first.ReadUntil("first\r\n"));
  EXPECT_TRUE(second.ReadUntil("second\r\n"));
  cluster.RemoveDevice(kDevice);
  first.ReadToEnd();
  // An agent that stops hangs its terminals up, and says so.
  EXPECT_EQ(first.Control("end").value("signal", ""), "SIGHUP");

  ASSERT_TRUE(second.Send("echo still''-here; exit 3\n").ok());
  second.ReadToEnd();
  EXPECT_THAT(second.output(), HasSubstr("still-here"));
  EXPECT_EQ(second.Control("end").value("exitCode", -1), 3);
}

class RenewalTest : public ::testing::TestWithParam<v1::Device::OsGeneration> {};

// One of OS 11 that no ICG serves is refused by each UMS Server, and renews all the same.
TEST_P(RenewalTest, R10ADeviceRenewsItsCertificateAndConnectsWithTheNewOne) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice, absl::ZeroDuration(), GetParam());
  const std::string first = cluster.CertificateOf(kDevice);
  ASSERT_NE(first, "");
  cluster.RemoveDevice(kDevice);
  // Two thirds of the certificate's year have passed for the device.
  cluster.AddDevice(kDevice, absl::Hours(24) * 250, GetParam());

  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
    const Reply events = cluster.api().Call(
        "GET", "/api/v1/auditEvents?filter=action%3Ddevice.renew%20outcome%3DSUCCEEDED");
    return events.status == 200 && !events.body["auditEvents"].empty();
  }));
  cluster.RemoveDevice(kDevice);
  EXPECT_EQ(cluster.CertificateOf(kDevice), first);
  cluster.AddDevice(kDevice, absl::ZeroDuration(), GetParam());
  EXPECT_TRUE(
      Eventually(absl::Seconds(30), [&] { return cluster.CertificateOf(kDevice) != first; }));
  if (GetParam() == v1::Device::OS_11) return;
  ConsoleLeg leg = Attach(cluster, Create(cluster, kDevice, {{"profile", "seven"}}));
  leg.ReadToEnd();
  EXPECT_EQ(leg.output(), "x");
}

INSTANTIATE_TEST_SUITE_P(Generations, RenewalTest,
                         ::testing::Values(v1::Device::OS_12, v1::Device::OS_11),
                         [](const auto& info) {
                           return v1::Device::OsGeneration_Name(info.param);
                         });

TEST(Cluster, TheServerMayStopWhileATerminalRuns) {
  InProcessCluster cluster;
  cluster.AddDevice(kDevice);
  ConsoleLeg leg = Attach(cluster, Create(cluster, kDevice));
  ASSERT_TRUE(leg.Send("yes\n").ok());
  ASSERT_TRUE(leg.ReadUntil("y\r\ny\r\n"));
  cluster.StopServer();
  leg.ReadToEnd();

  EXPECT_EQ(leg.close().code, 4503) << leg.close().text;
}

}  // namespace
}  // namespace fairlead::tests
