// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: networks that swallow everything, or fail for a moment, at each
// leg of each flow. Presence becomes right, nothing is left, and all of it comes back.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/terminals.h"

namespace fairlead::tests {
namespace {

// A device a flow, each reached through a network of its own.
class Network : public ::testing::Test {
 protected:
  struct Place {
    Flow flow;
    std::string unit_id;
    // Between device and edge; OS 11 direct has that of the cluster.
    std::unique_ptr<TcpProxy> network;
  };

  void SetUp() override {
    for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.StartIcg(icg, {.scheme = icg + 4});
    for (const Flow& flow : AllFlows()) {
      Place place{flow, absl::StrCat("00E0C500002", places_.size()), nullptr};
      DeviceOptions device = flow.device();
      if (flow.name != "OS11_DIRECT") {
        place.network = std::make_unique<TcpProxy>(
            flow.over_icg() ? cluster_.icg(flow.icg()).external.port() : cluster_.port());
        device.port = place.network->port();
      }
      cluster_.LaunchDevice(place.unit_id, device);
      places_.push_back(std::move(place));
    }
    AwaitAll("ONLINE", kPresence);
  }

  TcpProxy& NetworkOf(const Place& place) {
    return place.network == nullptr ? cluster_.dial_proxy(place.unit_id) : *place.network;
  }

  void AwaitAll(const std::string& state, absl::Duration limit) {
    for (const Place& place : places_) {
      EXPECT_TRUE(cluster_.AwaitDevice(place.unit_id, state, limit))
          << place.flow.Label() << " is not " << state;
    }
  }

  std::vector<Opened> OpenAll() {
    std::vector<Opened> opened;
    for (const Place& place : places_) {
      opened.push_back(OpenUpTo(cluster_, place.unit_id, Step::kFlowing));
    }
    return opened;
  }

  void ExpectAllWorks() {
    AwaitAll("ONLINE", kReturn);
    for (const Place& place : places_) {
      SCOPED_TRACE(place.flow.Label());
      ExpectNextSessionWorks(cluster_, place.unit_id);
    }
  }

  Cluster cluster_;
  std::vector<Place> places_;
};

TEST_F(Network, R14BlackHoledDevicesGoOfflineAndReturn) {
  std::vector<Opened> opened = OpenAll();
  for (const Place& place : places_) NetworkOf(place).BlackHole();

  AwaitAll("OFFLINE", kPresence);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    if (places_[i].flow.name == "OS11_DIRECT") {
      // A Telnet stream has no pings. TCP's own find a network that is silent, but not a proxy that
      // acknowledges what it swallows.
      opened[i].leg->Close();
      continue;
    }
    opened[i].leg->ReadToEnd();
    EXPECT_EQ(opened[i].leg->close().code, 4502) << opened[i].leg->close().text;
    EXPECT_TRUE(Eventually(absl::Seconds(60), [&] { return IsGone(opened[i].shell); }));
  }
  ExpectNoSessions(cluster_);
  for (const Place& place : places_) NetworkOf(place).Recover();
  ExpectAllWorks();
}

TEST_F(Network, BlackHoledConsolesLeaveNothingBehind) {
  std::vector<Opened> opened;
  std::map<std::uint16_t, std::unique_ptr<TcpProxy>> networks;
  for (const Place& place : places_) {
    const std::uint16_t port =
        place.flow.over_icg() ? cluster_.icg(place.flow.icg()).external.port() : cluster_.port();
    std::unique_ptr<TcpProxy>& network = networks[port];
    if (network == nullptr) network = std::make_unique<TcpProxy>(port);
    Opened one;
    one.session = cluster_.CreateSession(place.unit_id);
    one.leg = std::make_unique<ConsoleLeg>(
        absl::StrCat("wss://localhost:", network->port(), "/console-connector/terminal"),
        one.session.value("consoleTicket", ""), cluster_.api().tls(),
        ConsoleLeg::Acknowledge::kEvery64KiB,
        place.flow.telnet() ? ConsoleLeg::Stream::kTelnet : ConsoleLeg::Stream::kPty);
    one.shell = ShellPid(*one.leg);
    opened.push_back(std::move(one));
  }
  for (const auto& [port, network] : networks) network->BlackHole();

  ExpectNoSessions(cluster_, absl::Seconds(60));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    EXPECT_EQ(cluster_.GetSession(opened[i].session["name"])["end"].value("cause", ""),
              "CONSOLE_LOST");
    ExpectShellEnds(opened[i].shell);
  }
  ExpectAllWorks();
}

TEST_F(Network, ABlackHoledLinkIsNoticedAndComesBack) {
  std::vector<Opened> opened = OpenAll();
  for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.icg(icg).internal.BlackHole();

  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    // Terminals go on, whatever the server believes.
    ASSERT_TRUE(opened[i].leg->Send("echo with''out-link\n").ok());
    EXPECT_TRUE(opened[i].leg->ReadUntil("without-link"));
    if (!places_[i].flow.over_icg()) continue;
    EXPECT_TRUE(cluster_.AwaitDevice(places_[i].unit_id, "OFFLINE", kPresence));
    const Reply refused = cluster_.api().Call(
        "POST", absl::StrCat("/api/v1/devices/", places_[i].unit_id, "/sessions"),
        nlohmann::json::object());
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_THAT(refused.body.value("message", ""), ::testing::HasSubstr("is offline"));
  }
  for (const char* icg : {"icg-grpcs", "icg-wss"}) {
    EXPECT_TRUE(cluster_.AwaitIcg(icg, "DISCONNECTED", kPresence));
    EXPECT_NE(cluster_.GetIcg(icg).value("lastError", ""), "");
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].flow.over_icg()) continue;
    const nlohmann::json ended =
        cluster_.AwaitSession(opened[i].session["name"], "ENDED", absl::Seconds(90));
    EXPECT_EQ(ended["end"].value("cause", ""), "EDGE_LOST");
  }
  for (const char* icg : {"icg-grpcs", "icg-wss"}) {
    cluster_.icg(icg).internal.Recover();
    EXPECT_TRUE(cluster_.AwaitIcg(icg, "CONNECTED", absl::Seconds(60)));
  }
  // What the server has given up is not left running behind its back.
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    if (!places_[i].flow.over_icg()) continue;
    opened[i].leg->ReadToEnd();
    EXPECT_EQ(opened[i].leg->close().code, 4410) << opened[i].leg->close().text;
    ExpectShellEnds(opened[i].shell);
  }
  ExpectAllWorks();
}

TEST_F(Network, AShortLossOfTheLinkLeavesSessionsAlone) {
  std::vector<Opened> opened = OpenAll();
  for (const char* icg : {"icg-grpcs", "icg-wss"}) {
    const std::string since = cluster_.GetIcg(icg).value("sinceTime", "");
    // Cuts what there is.
    cluster_.icg(icg).internal.Recover();
    EXPECT_TRUE(Eventually(absl::Seconds(60), [&] {
      const nlohmann::json now = cluster_.GetIcg(icg);
      return now.value("state", "") == "CONNECTED" && now.value("sinceTime", "") != since;
    }));
  }
  AwaitAll("ONLINE", kPresence);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    EXPECT_EQ(cluster_.GetSession(opened[i].session["name"]).value("state", ""), "ACTIVE");
    ASSERT_TRUE(opened[i].leg->Send("echo still''-here; exit\n").ok());
    opened[i].leg->ReadToEnd();
    EXPECT_THAT(opened[i].leg->output(), ::testing::HasSubstr("still-here"));
    EXPECT_EQ(opened[i].leg->close().code, 1000);
    const nlohmann::json ended = cluster_.AwaitSession(opened[i].session["name"], "ENDED");
    EXPECT_EQ(ended["end"].value("cause", ""), "PROGRAM_ENDED") << ended;
    EXPECT_TRUE(IsTimelineOf(places_[i].flow, Steps(ended))) << ended["timeline"];
  }
}

TEST_F(Network, WhatEndsWhileTheLinkIsDownIsToldAfterwards) {
  std::vector<Opened> opened = OpenAll();
  for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.icg(icg).internal.BlackHole();
  for (Opened& one : opened) {
    ASSERT_TRUE(one.leg->Send("exit\n").ok());
    one.leg->ReadToEnd();
    EXPECT_EQ(one.leg->close().code, 1000);
  }
  for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.icg(icg).internal.Recover();

  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    const nlohmann::json ended =
        cluster_.AwaitSession(opened[i].session["name"], "ENDED", absl::Seconds(60));
    EXPECT_EQ(ended["end"].value("cause", ""), "PROGRAM_ENDED") << ended;
    EXPECT_EQ(ended["end"].value("bytesToConsole", ""), absl::StrCat(opened[i].leg->received()));
  }
}

}  // namespace
}  // namespace fairlead::tests
