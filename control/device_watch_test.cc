// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Watching devices, with the snapshot of those that are there and by changes alone: what the
// directory tells, and what a client of the service gets.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/device_directory.h"
#include "control/testing/control_fixture.h"
#include "control/testing/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// "UPDATED devices/a1 ONLINE", with "=3" behind it where the event counts.
std::string Line(const v1::DeviceEvent& event) {
  std::string line = v1::DeviceEvent::Type_Name(event.type());
  if (event.has_device()) absl::StrAppend(&line, " ", event.device().name());
  if (event.type() == v1::DeviceEvent::UPDATED) {
    absl::StrAppend(&line, " ", v1::Connection::State_Name(event.device().connection().state()));
  }
  if (event.has_device_count()) absl::StrAppend(&line, " =", event.device_count());
  return line;
}

class Recorder : public DeviceWatcher {
 public:
  void OnDeviceEvent(const v1::DeviceEvent& event) override {
    lines.push_back(Line(event));
    if (event.type() == v1::DeviceEvent::UPDATED) updated.insert(event.device().unit_id());
  }
  std::vector<std::string> lines;
  std::set<std::string> updated;
};

class DirectoryWatchTest : public ::testing::Test {
 protected:
  void Create(const std::string& unit_id) {
    v1::Device device;
    device.set_unit_id(unit_id);
    ASSERT_THAT(directory_.Create(device, Unaudited), IsOk());
  }
  void Connect(const std::string& unit_id, std::uint64_t connection_id) {
    v1::DeviceConnected connected;
    connected.set_unit_id(unit_id);
    connected.set_connection_id(connection_id);
    ASSERT_TRUE(directory_.OnConnected(kLocalEdge, connected).has_value());
  }
  void Delete(const std::string& unit_id) {
    ASSERT_THAT(directory_.Delete(unit_id, Unaudited), IsOk());
  }
  void Rename(const std::string& unit_id, const std::string& display_name) {
    const auto rename = [&](v1::Device& device) {
      device.set_display_name(display_name);
      return absl::OkStatus();
    };
    ASSERT_THAT(directory_.Change(unit_id, rename, Unaudited), IsOk());
  }

  FakeClock clock_;
  FakeStore store_;
  DeviceDirectory directory_{store_, clock_};
};

TEST_F(DirectoryWatchTest, WatchersSeeTheSnapshotAndThenEachChangeOfTheirSelection) {
  Create("a1");
  Create("b1");
  Connect("a1", 1);
  Recorder all;
  Recorder online;
  directory_.Watch(DeviceFilter(), WatchStart::kSnapshot, &all);
  directory_.Watch(*DeviceFilter::Parse("state=ONLINE"), WatchStart::kSnapshot, &online);

  Connect("b1", 2);
  directory_.OnDisconnected(kLocalEdge, "a1", 1);
  Delete("b1");
  directory_.Unwatch(&all);
  directory_.Unwatch(&online);
  Connect("a1", 3);

  EXPECT_THAT(all.lines, ElementsAre("UPDATED devices/a1 ONLINE", "UPDATED devices/b1 OFFLINE",
                                     "SNAPSHOT_COMPLETE", "UPDATED devices/b1 ONLINE",
                                     "UPDATED devices/a1 OFFLINE", "DELETED devices/b1"));
  EXPECT_THAT(online.lines,
              ElementsAre("UPDATED devices/a1 ONLINE", "SNAPSHOT_COMPLETE",
                          "UPDATED devices/b1 ONLINE", "DELETED devices/a1", "DELETED devices/b1"));
}

TEST_F(DirectoryWatchTest, ByChangesAloneWhatWasThereIsCountedAndNotShown) {
  Create("a1");
  Create("b1");
  Connect("a1", 1);
  Recorder all;
  Recorder online;
  directory_.Watch(DeviceFilter(), WatchStart::kCount, &all);
  directory_.Watch(*DeviceFilter::Parse("state=ONLINE"), WatchStart::kCount, &online);
  EXPECT_THAT(all.lines, ElementsAre("SNAPSHOT_COMPLETE =2"));
  EXPECT_THAT(online.lines, ElementsAre("SNAPSHOT_COMPLETE =1"));
  all.lines.clear();
  online.lines.clear();

  Connect("b1", 2);                                // Enters the selection of those online.
  Rename("b1", "hall");                            // Stays in both.
  directory_.OnDisconnected(kLocalEdge, "a1", 1);  // Leaves it, never shown to its watcher.
  Rename("a1", "yard");                            // Is outside of it.
  Create("c1");                                    // Never enters it.
  Delete("b1");                                    // Leaves both.
  Delete("a1");

  EXPECT_THAT(all.lines,
              ElementsAre("UPDATED devices/b1 ONLINE =2", "UPDATED devices/b1 ONLINE =2",
                          "UPDATED devices/a1 OFFLINE =2", "UPDATED devices/a1 OFFLINE =2",
                          "UPDATED devices/c1 OFFLINE =3", "DELETED devices/b1 =2",
                          "DELETED devices/a1 =1"));
  EXPECT_THAT(online.lines,
              ElementsAre("UPDATED devices/b1 ONLINE =2", "UPDATED devices/b1 ONLINE =2",
                          "DELETED devices/a1 =1", "DELETED devices/b1 =0"));
  directory_.Unwatch(&all);
  directory_.Unwatch(&online);
}

TEST_F(DirectoryWatchTest, ByChangesAloneAnEmptySelectionCountsNone) {
  Recorder none;
  directory_.Watch(*DeviceFilter::Parse("tag=till"), WatchStart::kCount, &none);
  Create("a1");
  directory_.Unwatch(&none);
  EXPECT_THAT(none.lines, ElementsAre("SNAPSHOT_COMPLETE =0"));
}

// What the pages lack was told, whenever the watch began and the pages were read.
TEST_F(DirectoryWatchTest, BetweenTheStreamAndThePagesNoDeviceIsLost) {
  constexpr int kDevices = 300;
  std::thread creator([this]() {
    for (int i = 0; i < kDevices; ++i) Create(absl::StrCat("d", i));
  });
  Recorder changes;
  directory_.Watch(DeviceFilter(), WatchStart::kCount, &changes);
  std::set<std::string> listed;
  std::string token;
  do {
    const auto page = directory_.List(DeviceFilter(), Page{7, token}, &token);
    ASSERT_THAT(page, IsOk());
    for (const v1::Device& device : *page) listed.insert(device.unit_id());
  } while (!token.empty());
  creator.join();
  directory_.Unwatch(&changes);

  listed.insert(changes.updated.begin(), changes.updated.end());
  EXPECT_THAT(listed, SizeIs(kDevices));
}

class WatchDevicesTest : public ControlFixture {
 protected:
  // A watch by changes alone, up to its SNAPSHOT_COMPLETE.
  void Watch(const std::string& filter, int expected_count) {
    context_ = NewContext();
    v1::WatchDevicesRequest request;
    request.set_filter(filter);
    request.set_changes_only(true);
    reader_ = devices_->WatchDevices(context_.get(), request);
    EXPECT_EQ(Next(), absl::StrCat("SNAPSHOT_COMPLETE =", expected_count));
  }
  void Rename(const std::string& display_name) {
    v1::UpdateDeviceRequest request;
    request.mutable_device()->set_name(absl::StrCat("devices/", kUnit));
    request.mutable_device()->set_display_name(display_name);
    v1::Device device;
    ASSERT_TRUE(devices_->UpdateDevice(NewContext().get(), request, &device).ok());
  }
  // "END" at the end.
  std::string Next() {
    v1::DeviceEvent event;
    return reader_->Read(&event) ? Line(event) : "END";
  }
  grpc::StatusCode Finish() { return reader_->Finish().error_code(); }

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::DeviceEvent>> reader_;
};

TEST_F(WatchDevicesTest, ByChangesAloneEachChangeComesAfterTheCount) {
  CreateDevice();
  Watch("", 1);
  const std::string name = absl::StrCat("devices/", kUnit);

  Rename("hall");
  EXPECT_EQ(Next(), absl::StrCat("UPDATED ", name, " OFFLINE =1"));
  edge_.Connect(kUnit);
  EXPECT_EQ(Next(), absl::StrCat("UPDATED ", name, " ONLINE =1"));
  v1::DeleteDeviceRequest request;
  request.set_name(name);
  v1::DeleteDeviceResponse deleted;
  ASSERT_TRUE(devices_->DeleteDevice(NewContext().get(), request, &deleted).ok());
  EXPECT_EQ(Next(), absl::StrCat("DELETED ", name, " =0"));

  context_->TryCancel();
  EXPECT_EQ(Finish(), grpc::StatusCode::CANCELLED);
}

TEST_F(WatchDevicesTest, ByChangesAloneADeviceThatLeavesTheSelectionIsToldAsDeleted) {
  CreateDevice();
  Rename("hall");
  Watch("hall", 1);

  Rename("yard");
  EXPECT_EQ(Next(), absl::StrCat("DELETED devices/", kUnit, " =0"));
  Rename("hall again");
  EXPECT_EQ(Next(), absl::StrCat("UPDATED devices/", kUnit, " OFFLINE =1"));
  context_->TryCancel();
}

TEST_F(WatchDevicesTest, ByChangesAloneAClientThatDoesNotReadIsEndedToo) {
  CreateDevice();
  Watch("", 1);

  for (int i = 0; i < 1100; ++i) Rename(absl::StrCat(std::string(100, 'x'), i));

  while (Next() != "END") {
  }
  EXPECT_EQ(Finish(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(WatchDevicesTest, WithTheSnapshotNothingIsCounted) {
  CreateDevice();
  context_ = NewContext();
  reader_ = devices_->WatchDevices(context_.get(), v1::WatchDevicesRequest());
  EXPECT_EQ(Next(), absl::StrCat("UPDATED devices/", kUnit, " OFFLINE"));
  EXPECT_EQ(Next(), "SNAPSHOT_COMPLETE");
  Rename("hall");
  EXPECT_EQ(Next(), absl::StrCat("UPDATED devices/", kUnit, " OFFLINE"));
  context_->TryCancel();
}

}  // namespace
}  // namespace fairlead::control
