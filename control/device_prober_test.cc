// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Presence of OS 11 devices in virtual time: true within 45 s, whatever happens, without bursts.
#include "control/device_prober.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;

constexpr char kAddress[] = "192.0.2.7:30022";

// The server's own edge, which keeps what it is asked.
class FakeEdge : public EdgeSender {
 public:
  bool SendTo(absl::string_view edge, const v1::EdgeCommand& command) override {
    EXPECT_EQ(edge, kLocalEdge);
    EXPECT_TRUE(command.has_probe_device());
    if (full) return false;
    probes.push_back(command.probe_device());
    return true;
  }
  bool SendToDevice(absl::string_view, const v1::ServerMessage&) override { return false; }

  bool full = false;
  std::vector<v1::ProbeDevice> probes;
};

class DeviceProberTest : public ::testing::Test {
 protected:
  void Create(const std::string& unit_id, const std::string& address = kAddress) {
    v1::Device device;
    device.set_unit_id(unit_id);
    device.set_os_generation(v1::Device::OS_11);
    device.set_address(address);
    ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  }
  void SetAddress(const std::string& unit_id, const std::string& address) {
    ASSERT_THAT(directory_.Change(
                    unit_id,
                    [&address](v1::Device& device) {
                      device.set_address(address);
                      return absl::OkStatus();
                    },
                    Unaudited),
                IsOk());
    prober_.Update(unit_id);
  }
  void ConnectOverIcg(const std::string& unit_id,
                      v1::Device::OsGeneration generation = v1::Device::OS_11) {
    v1::DeviceConnected connected;
    connected.set_unit_id(unit_id);
    connected.set_connection_id(1);
    connected.mutable_hello()->set_os_generation(generation);
    directory_.OnConnected("icgs/x", connected);
    prober_.Update(unit_id);
  }
  void Start() {
    prober_.Start();
    prober_.OnEdgeUp();
  }
  void Answer(const v1::ProbeDevice& probe, bool reachable, const std::string& error = "") {
    v1::ProbeResult result;
    result.set_unit_id(probe.unit_id());
    result.set_probe_id(probe.probe_id());
    result.set_reachable(reachable);
    result.set_error(error);
    prober_.OnResult(result);
  }
  // Answers all that was asked; returns how many that were.
  std::size_t AnswerAll(bool reachable) {
    const std::vector<v1::ProbeDevice> probes = std::exchange(edge_.probes, {});
    for (const v1::ProbeDevice& probe : probes) Answer(probe, reachable, "refused");
    return probes.size();
  }
  bool Online(const std::string& unit_id) {
    return directory_.Get(unit_id)->connection().state() == v1::Connection::ONLINE;
  }

  FakeClock clock_;
  ManualExecutor serial_;
  FakeStore store_;
  DeviceDirectory directory_{store_, clock_};
  FakeEdge edge_;
  std::vector<std::string> changed_;
  DeviceProber prober_{serial_, directory_, edge_,
                       [this](const std::string& unit_id) { changed_.push_back(unit_id); }};
};

TEST_F(DeviceProberTest, ANewDeviceIsProbedAtOnceAndThenEachInterval) {
  Start();
  Create("d1");
  prober_.Update("d1");
  ASSERT_EQ(edge_.probes.size(), 1u);
  EXPECT_EQ(edge_.probes[0].unit_id(), "d1");
  EXPECT_EQ(edge_.probes[0].address(), kAddress);

  AnswerAll(true);
  EXPECT_TRUE(Online("d1"));
  EXPECT_THAT(changed_, ElementsAre("d1"));
  std::size_t probes = 0;
  for (int i = 0; i < 120; ++i) {
    serial_.Advance(absl::Seconds(1));
    probes += AnswerAll(true);
  }

  EXPECT_EQ(probes, 4u);
  EXPECT_THAT(changed_, ElementsAre("d1"));
}

TEST_F(DeviceProberTest, ADeviceThatIsCutOffIsOfflineWithin45Seconds) {
  Create("d1");
  Start();
  AnswerAll(true);
  ASSERT_TRUE(Online("d1"));

  // Probes are swallowed from now on.
  serial_.Advance(absl::Seconds(45));

  EXPECT_FALSE(Online("d1"));
  EXPECT_EQ(directory_.Get("d1")->connection().last_error(), "the device did not answer in time");
  EXPECT_THAT(changed_, ElementsAre("d1", "d1"));
  AnswerAll(false);
  serial_.Advance(absl::Seconds(20));
  AnswerAll(true);
  EXPECT_TRUE(Online("d1"));
}

TEST_F(DeviceProberTest, TheEdgesReasonIsShown) {
  Create("d1");
  Start();

  Answer(edge_.probes[0], false, "connection refused");

  EXPECT_FALSE(Online("d1"));
  EXPECT_EQ(directory_.Get("d1")->connection().last_error(), "connection refused");
  EXPECT_THAT(changed_, ElementsAre());
}

TEST_F(DeviceProberTest, WhatHasJustChangedIsTriedAgainWithinSeconds) {
  Start();
  Create("d1");
  prober_.Update("d1");
  std::vector<std::size_t> probes = {AnswerAll(false)};

  for (int i = 0; i < 20; ++i) {
    serial_.Advance(absl::Seconds(1));
    probes.push_back(AnswerAll(false));
  }

  EXPECT_THAT(probes, ElementsAre(1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0));
}

TEST_F(DeviceProberTest, ADeviceThatBeginsToListenAfterItsEnrolmentIsOnlineSoon) {
  Start();
  Create("d1");
  prober_.Update("d1");
  AnswerAll(false);

  serial_.Advance(absl::Seconds(1));
  AnswerAll(true);

  EXPECT_TRUE(Online("d1"));
  serial_.Advance(absl::Seconds(20));
  EXPECT_TRUE(edge_.probes.empty());
}

TEST_F(DeviceProberTest, TenThousandDevicesAreSpreadOverTheInterval) {
  for (int i = 0; i < 10'000; ++i) Create(absl::StrCat("d", i));
  Start();
  EXPECT_EQ(edge_.probes.size(), 100u);
  AnswerAll(true);
  std::map<std::string, int> probed;
  std::size_t most = 0;

  for (int i = 0; i < 300; ++i) {
    serial_.Advance(absl::Milliseconds(100));
    most = std::max(most, edge_.probes.size());
    for (const v1::ProbeDevice& probe : edge_.probes) ++probed[probe.unit_id()];
    AnswerAll(true);
  }

  EXPECT_EQ(probed.size(), 10'000u);
  EXPECT_LE(most, 34u);
  for (const auto& [unit_id, count] : probed) EXPECT_EQ(count, 1) << unit_id;
}

TEST_F(DeviceProberTest, NoMoreThanTheLimitAreUnderWayAndAllComeToTheirTurn) {
  for (int i = 0; i < 3'000; ++i) Create(absl::StrCat("d", i));
  Start();

  // None answers; each is given up after 15 s.
  std::map<std::string, int> probed;
  for (int i = 0; i < 450; ++i) {
    serial_.Advance(absl::Milliseconds(100));
    EXPECT_LE(prober_.under_way(), 1'000u);
    for (const v1::ProbeDevice& probe : edge_.probes) ++probed[probe.unit_id()];
    edge_.probes.clear();
  }

  EXPECT_EQ(probed.size(), 3'000u);
}

TEST_F(DeviceProberTest, WhatChangesIsProbedBeforeWhatIsDue) {
  for (int i = 0; i < 2'000; ++i) Create(absl::StrCat("d", i));
  Start();
  serial_.Advance(absl::Seconds(14));
  edge_.full = true;
  serial_.Advance(absl::Seconds(5));
  edge_.full = false;
  edge_.probes.clear();

  Create("urgent");
  prober_.Update("urgent");

  ASSERT_FALSE(edge_.probes.empty());
  EXPECT_EQ(edge_.probes[0].unit_id(), "urgent");
}

TEST_F(DeviceProberTest, ANewAddressIsProbedAtOnceAndTheOldAnswerCountsNoMore) {
  Create("d1");
  Start();
  const v1::ProbeDevice old = edge_.probes[0];

  SetAddress("d1", "192.0.2.8:30022");
  ASSERT_EQ(edge_.probes.size(), 2u);
  EXPECT_EQ(edge_.probes[1].address(), "192.0.2.8:30022");
  Answer(old, true);

  EXPECT_FALSE(Online("d1"));
  Answer(edge_.probes[1], true);
  EXPECT_TRUE(Online("d1"));
}

TEST_F(DeviceProberTest, WithoutAnAddressItIsOfflineAndLeftAlone) {
  Create("d1");
  Start();
  AnswerAll(true);

  SetAddress("d1", "");
  serial_.Advance(absl::Minutes(2));

  EXPECT_FALSE(Online("d1"));
  EXPECT_TRUE(edge_.probes.empty());
}

TEST_F(DeviceProberTest, AStandingConnectionEndsTheProbesUntilItGoes) {
  Create("d1");
  Start();
  const v1::ProbeDevice probe = edge_.probes[0];
  edge_.probes.clear();

  ConnectOverIcg("d1");
  Answer(probe, false, "refused");
  serial_.Advance(absl::Minutes(2));
  EXPECT_TRUE(Online("d1"));
  EXPECT_TRUE(edge_.probes.empty());

  directory_.OnDisconnected("icgs/x", "d1", 1);
  prober_.Update("d1");
  EXPECT_EQ(AnswerAll(true), 1u);
  EXPECT_TRUE(Online("d1"));
  EXPECT_EQ(directory_.Get("d1")->connection().via(), v1::Connection::DIRECT);
}

TEST_F(DeviceProberTest, R31ADeviceThatBecameOs12IsNotProbedAnyMore) {
  Create("d1");
  Start();
  AnswerAll(true);

  ConnectOverIcg("d1", v1::Device::OS_12);
  directory_.OnDisconnected("icgs/x", "d1", 1);
  prober_.Update("d1");
  serial_.Advance(absl::Minutes(2));

  EXPECT_TRUE(edge_.probes.empty());
  EXPECT_FALSE(Online("d1"));
}

TEST_F(DeviceProberTest, ADeletedDeviceIsForgotten) {
  Create("d1");
  Start();
  const v1::ProbeDevice probe = edge_.probes[0];
  edge_.probes.clear();

  ASSERT_THAT(directory_.Delete("d1", Unaudited), IsOk());
  prober_.Update("d1");
  Answer(probe, true);
  serial_.Advance(absl::Minutes(2));

  EXPECT_TRUE(edge_.probes.empty());
  EXPECT_EQ(serial_.delayed_count(), 0u);
}

TEST_F(DeviceProberTest, TheEdgesAbsenceSaysNothingAboutDevices) {
  Create("d1");
  Start();
  AnswerAll(true);
  serial_.Advance(absl::Seconds(30));
  ASSERT_EQ(edge_.probes.size(), 1u);
  edge_.probes.clear();

  prober_.OnEdgeDown();
  serial_.Advance(absl::Minutes(2));
  EXPECT_TRUE(Online("d1"));
  EXPECT_TRUE(edge_.probes.empty());

  prober_.OnEdgeUp();
  EXPECT_EQ(AnswerAll(false), 1u);
  EXPECT_FALSE(Online("d1"));
}

}  // namespace
}  // namespace fairlead::control
