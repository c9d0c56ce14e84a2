// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The directory: presence from links alone, newest connection first, and writes that reach the
// store.
#include "control/device_directory.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;

class DeviceDirectoryTest : public ::testing::Test {
 protected:
  void Create(const std::string& unit_id) {
    v1::Device device;
    device.set_unit_id(unit_id);
    ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  }
  absl::optional<v1::Device> Connect(const std::string& unit_id, std::uint64_t connection_id,
                                     const std::string& edge = kLocalEdge) {
    v1::DeviceConnected connected;
    connected.set_unit_id(unit_id);
    connected.set_connection_id(connection_id);
    connected.mutable_hello()->set_host_name("host");
    connected.mutable_hello()->set_agent_version("1");
    connected.mutable_hello()->set_os_generation(v1::Device::OS_12);
    return directory_.OnConnected(edge, connected);
  }
  v1::Connection ConnectionOf(const std::string& unit_id) {
    return directory_.Get(unit_id)->connection();
  }

  FakeClock clock_;
  FakeStore store_;
  DeviceDirectory directory_{store_, clock_};
};

TEST_F(DeviceDirectoryTest, LoadedDevicesAreOfflineWhateverTheStoreSays) {
  v1::Device device;
  device.set_unit_id("d1");
  device.mutable_connection()->set_state(v1::Connection::ONLINE);
  ASSERT_THAT(store_.PutDevice(device), IsOk());

  ASSERT_THAT(directory_.Load(), IsOk());

  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
  EXPECT_EQ(directory_.Get("d1")->name(), "devices/d1");
  EXPECT_TRUE(directory_.Get("d1")->terminal().enabled());
}

TEST_F(DeviceDirectoryTest, AConnectionMakesItOnlineWithWhatItSaid) {
  Create("d1");

  ASSERT_TRUE(Connect("d1", 1).has_value());

  const v1::Device device = *directory_.Get("d1");
  EXPECT_EQ(device.connection().state(), v1::Connection::ONLINE);
  EXPECT_EQ(device.connection().via(), v1::Connection::DIRECT);
  EXPECT_EQ(device.display_name(), "host");
  EXPECT_EQ(device.agent_version(), "1");
  EXPECT_EQ(device.os_generation(), v1::Device::OS_12);
  EXPECT_EQ(FromTimestamp(device.last_seen_time()), clock_.Now());
}

TEST_F(DeviceDirectoryTest, AHelloThatSteersTerminalsIsMadePlainNotRefused) {
  Create("d1");
  v1::DeviceConnected connected;
  connected.set_unit_id("d1");
  connected.mutable_hello()->set_host_name("host\x1b[2J");
  connected.mutable_hello()->set_agent_version("1\n");
  connected.mutable_hello()->add_profiles("shell\xe2\x80\xae");

  ASSERT_TRUE(directory_.OnConnected(kLocalEdge, connected).has_value());

  const v1::Device device = *directory_.Get("d1");
  EXPECT_EQ(device.display_name(), "host?[2J");
  EXPECT_EQ(device.agent_version(), "1?");
  EXPECT_THAT(device.profiles(), ElementsAre("shell?"));
}

TEST_F(DeviceDirectoryTest, AGenerationThatIsNotKnownIsNotTaken) {
  Create("d1");
  v1::DeviceConnected connected;
  connected.set_unit_id("d1");
  connected.mutable_hello()->set_os_generation(static_cast<v1::Device::OsGeneration>(77));

  ASSERT_TRUE(directory_.OnConnected(kLocalEdge, connected).has_value());

  EXPECT_EQ(directory_.Get("d1")->os_generation(), v1::Device::OS_GENERATION_UNSPECIFIED);
}

TEST_F(DeviceDirectoryTest, TheNewestConnectionWins) {
  Create("d1");
  Connect("d1", 2);

  EXPECT_FALSE(Connect("d1", 1).has_value());
  EXPECT_FALSE(directory_.OnDisconnected(kLocalEdge, "d1", 1));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::ONLINE);
  EXPECT_TRUE(directory_.OnDisconnected(kLocalEdge, "d1", 2));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
}

TEST_F(DeviceDirectoryTest, ADeviceThatMovedIsNotTakenOfflineByItsOldEdge) {
  Create("d1");
  Connect("d1", 7);
  ASSERT_TRUE(Connect("d1", 1, "icgs/x").has_value());

  EXPECT_FALSE(directory_.OnDisconnected(kLocalEdge, "d1", 7));
  EXPECT_THAT(directory_.OnEdgeGone(kLocalEdge), ElementsAre());
  EXPECT_EQ(ConnectionOf("d1").via(), v1::Connection::ICG);
  EXPECT_EQ(ConnectionOf("d1").icg(), "icgs/x");
  EXPECT_THAT(directory_.OnEdgeGone("icgs/x"), ElementsAre("d1"));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
  EXPECT_FALSE(directory_.RouteTo("d1").has_value());
}

TEST_F(DeviceDirectoryTest, AConnectionInReserveTakesTheLostOnesPlace) {
  Create("d1");
  Connect("d1", 7);
  Connect("d1", 1, "icgs/x");
  EXPECT_EQ(directory_.CountConnected("icgs/x"), 1u);
  EXPECT_EQ(directory_.CountConnected(kLocalEdge), 0u);

  EXPECT_TRUE(directory_.OnDisconnected("icgs/x", "d1", 1));

  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::ONLINE);
  EXPECT_EQ(ConnectionOf("d1").via(), v1::Connection::DIRECT);
  EXPECT_EQ(directory_.RouteTo("d1")->connection_id, 7u);
  EXPECT_EQ(directory_.CountConnected("icgs/x"), 0u);
  EXPECT_THAT(directory_.OnEdgeGone(kLocalEdge), ElementsAre("d1"));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
}

TEST_F(DeviceDirectoryTest, WhatASnapshotTellsDoesNotReplaceAConnectionOverAnotherEdge) {
  Create("d1");
  Connect("d1", 7);
  v1::DeviceConnected connected;
  connected.set_unit_id("d1");
  connected.set_connection_id(1);

  EXPECT_FALSE(directory_.OnConnected("icgs/x", connected, Arrival::kInSnapshot).has_value());

  EXPECT_EQ(ConnectionOf("d1").via(), v1::Connection::DIRECT);
  EXPECT_TRUE(directory_.OnDisconnected(kLocalEdge, "d1", 7));
  EXPECT_EQ(ConnectionOf("d1").icg(), "icgs/x");
}

TEST_F(DeviceDirectoryTest, AnOs11DeviceIsWhatItsProbesSay) {
  v1::Device device;
  device.set_unit_id("d1");
  device.set_os_generation(v1::Device::OS_11);
  device.set_address("192.0.2.7:30022");
  ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  EXPECT_THAT(directory_.Dialable(), ElementsAre("d1"));
  EXPECT_EQ(*directory_.DialAddress("d1"), "192.0.2.7:30022");

  EXPECT_FALSE(directory_.OnProbed("d1", "192.0.2.8:30022", absl::OkStatus()));
  EXPECT_TRUE(directory_.OnProbed("d1", "192.0.2.7:30022", absl::OkStatus()));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::ONLINE);
  EXPECT_EQ(ConnectionOf("d1").via(), v1::Connection::DIRECT);
  EXPECT_FALSE(directory_.RouteTo("d1").has_value());
  const absl::Time since = clock_.Now();
  clock_.Advance(absl::Seconds(30));
  EXPECT_FALSE(directory_.OnProbed("d1", "192.0.2.7:30022", absl::OkStatus()));
  EXPECT_EQ(FromTimestamp(ConnectionOf("d1").since_time()), since);
  EXPECT_EQ(FromTimestamp(directory_.Get("d1")->last_seen_time()), clock_.Now());

  EXPECT_TRUE(directory_.OnProbed("d1", "192.0.2.7:30022", absl::UnavailableError("refused")));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
  EXPECT_EQ(ConnectionOf("d1").last_error(), "refused");
}

TEST_F(DeviceDirectoryTest, AStandingConnectionCountsMoreThanProbes) {
  v1::Device device;
  device.set_unit_id("d1");
  device.set_os_generation(v1::Device::OS_11);
  device.set_address("192.0.2.7:30022");
  ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  v1::DeviceConnected connected;
  connected.set_unit_id("d1");
  connected.set_connection_id(1);
  connected.mutable_hello()->set_os_generation(v1::Device::OS_11);
  directory_.OnConnected("icgs/x", connected);

  EXPECT_FALSE(directory_.DialAddress("d1").has_value());
  EXPECT_FALSE(directory_.OnProbed("d1", "192.0.2.7:30022", absl::UnavailableError("refused")));
  EXPECT_EQ(ConnectionOf("d1").icg(), "icgs/x");
  EXPECT_TRUE(directory_.OnDisconnected("icgs/x", "d1", 1));
  EXPECT_TRUE(directory_.DialAddress("d1").has_value());
}

TEST_F(DeviceDirectoryTest, R31AnOs11DeviceThatBecomesOs12IsNotDialledAnyMore) {
  v1::Device device;
  device.set_unit_id("d1");
  device.set_os_generation(v1::Device::OS_11);
  device.set_address("192.0.2.7:30022");
  device.set_display_name("reception");
  ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  ASSERT_TRUE(directory_.OnProbed("d1", "192.0.2.7:30022", absl::OkStatus()));

  Connect("d1", 1);
  directory_.OnDisconnected(kLocalEdge, "d1", 1);

  EXPECT_EQ(directory_.Get("d1")->os_generation(), v1::Device::OS_12);
  EXPECT_EQ(directory_.Get("d1")->display_name(), "reception");
  EXPECT_FALSE(directory_.DialAddress("d1").has_value());
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
}

TEST_F(DeviceDirectoryTest, ADeviceWithoutAnAddressAnyMoreIsOffline) {
  v1::Device device;
  device.set_unit_id("d1");
  device.set_os_generation(v1::Device::OS_11);
  device.set_address("192.0.2.7:30022");
  ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  directory_.OnProbed("d1", "192.0.2.7:30022", absl::OkStatus());
  EXPECT_FALSE(directory_.OnNotDialable("d1"));

  ASSERT_THAT(directory_.Change(
                  "d1",
                  [](v1::Device& changed) {
                    changed.set_address("");
                    return absl::OkStatus();
                  },
                  Unaudited),
              IsOk());

  EXPECT_TRUE(directory_.OnNotDialable("d1"));
  EXPECT_EQ(ConnectionOf("d1").state(), v1::Connection::OFFLINE);
}

TEST_F(DeviceDirectoryTest, NamesTheConnectedOnesAPieceAtATime) {
  for (const char* unit_id : {"d1", "d2", "d3", "d4"}) Create(unit_id);
  for (const char* unit_id : {"d1", "d3", "d4"}) Connect(unit_id, 1);

  const std::vector<ConnectedDevice> first = directory_.ConnectedAfter("", 2);
  const std::vector<ConnectedDevice> rest = directory_.ConnectedAfter("d3", 2);

  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].unit_id, "d3");
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].unit_id, "d4");
}

TEST_F(DeviceDirectoryTest, R15TwentyThousandDevicesOnOneEdgeAreAllOnline) {
  constexpr int kDevices = 20'000;
  const auto name = [](int i) { return absl::StrCat("d", i); };
  for (int i = 0; i < kDevices; ++i) Create(name(i));
  for (int i = 0; i < kDevices; ++i) Connect(name(i), 1, "icgs/a");
  // The link is lost, and its next snapshot tells them all again.
  EXPECT_EQ(directory_.OnEdgeGone("icgs/a").size(), static_cast<std::size_t>(kDevices));
  EXPECT_EQ(ConnectionOf(name(0)).state(), v1::Connection::OFFLINE);
  for (int i = 0; i < kDevices; ++i) Connect(name(i), 2, "icgs/a");

  for (int i = 0; i < kDevices; ++i) {
    ASSERT_EQ(ConnectionOf(name(i)).state(), v1::Connection::ONLINE) << name(i);
  }
}

TEST_F(DeviceDirectoryTest, AnUnknownDeviceDoesNotComeIn) {
  EXPECT_FALSE(Connect("stranger", 1).has_value());
  EXPECT_THAT(directory_.Get("stranger"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DeviceDirectoryTest, AChangeThatCannotBeStoredDoesNotHappen) {
  Create("d1");
  store_.FailWrites(absl::InternalError("disk full"));

  EXPECT_THAT(directory_.Change(
                  "d1",
                  [](v1::Device& device) {
                    device.set_display_name("new");
                    return absl::OkStatus();
                  },
                  Unaudited),
              StatusIs(absl::StatusCode::kInternal));

  EXPECT_EQ(directory_.Get("d1")->display_name(), "");
}

TEST_F(DeviceDirectoryTest, SavingWritesWhatIsKnownAndRevivesNothing) {
  Create("d1");
  Connect("d1", 1);
  ASSERT_THAT(directory_.Save("d1"), IsOk());
  EXPECT_EQ(store_.GetDevice("d1")->agent_version(), "1");

  ASSERT_THAT(directory_.Delete("d1", Unaudited), IsOk());
  ASSERT_THAT(directory_.Save("d1"), IsOk());

  EXPECT_THAT(store_.GetDevice("d1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DeviceDirectoryTest, DeletingRevokesCertificatesAndIsAllOrNothing) {
  Create("d1");
  CertificateRecord certificate;
  certificate.unit_id = "d1";
  certificate.fingerprint = "f1";
  ASSERT_THAT(store_.InsertCertificate(certificate), IsOk());

  EXPECT_THAT(
      directory_.Delete("d1", [](const v1::Device&) { return absl::InternalError("no audit"); }),
      StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(directory_.Get("d1"), IsOk());
  const auto fingerprints = directory_.Delete("d1", Unaudited);

  ASSERT_THAT(fingerprints, IsOk());
  EXPECT_THAT(*fingerprints, ElementsAre("f1"));
  EXPECT_THAT(*store_.RevokedFingerprints(clock_.Now()), ElementsAre("f1"));
  EXPECT_THAT(directory_.Get("d1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DeviceDirectoryTest, PagesFollowEachOther) {
  for (int i = 0; i < 5; ++i) Create(absl::StrCat("d", i));
  Page page;
  page.size = 2;
  std::vector<std::string> seen;
  do {
    const auto devices = directory_.List(DeviceFilter(), page, &page.token);
    ASSERT_THAT(devices, IsOk());
    for (const v1::Device& device : *devices) seen.push_back(device.unit_id());
  } while (!page.token.empty());

  EXPECT_THAT(seen, ElementsAre("d0", "d1", "d2", "d3", "d4"));
  page.token = "!";
  EXPECT_THAT(directory_.List(DeviceFilter(), page, &page.token),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(MergeSettings, ChangesWhatIsPresentAndChecksIt) {
  v1::TerminalSettings settings;
  FillDefaults(settings);
  v1::TerminalSettings change;
  change.set_enabled(false);
  *change.mutable_idle_timeout() = ToDuration(absl::Minutes(5));
  ASSERT_THAT(MergeSettings(change, settings), IsOk());
  EXPECT_FALSE(settings.enabled());
  EXPECT_EQ(settings.max_sessions(), 16u);
  EXPECT_EQ(FromDuration(settings.idle_timeout()), absl::Minutes(5));

  change.Clear();
  *change.mutable_idle_timeout() = ToDuration(absl::ZeroDuration());
  ASSERT_THAT(MergeSettings(change, settings), IsOk());
  EXPECT_EQ(FromDuration(settings.idle_timeout()), absl::ZeroDuration());

  for (const std::uint32_t bad : {0u, 101u}) {
    change.Clear();
    change.set_max_sessions(bad);
    EXPECT_THAT(MergeSettings(change, settings), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  for (const absl::Duration bad :
       {absl::Seconds(59), absl::Seconds(-1), absl::Hours(24 * 7) + absl::Seconds(1)}) {
    change.Clear();
    *change.mutable_idle_timeout() = ToDuration(bad);
    EXPECT_THAT(MergeSettings(change, settings), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace fairlead::control
