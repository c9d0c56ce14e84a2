// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The directory beside enrolment: what is enrolled is seen at once, and directory and store know
// the same of a device that is enrolled, changed and deleted at the same moment.
#include <mutex>
#include <string>
#include <thread>

#include "base/status_matchers.h"
#include "control/device_directory.h"
#include "control/proto_time.h"
#include "control/testing/fake_store.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

constexpr int kRounds = 100;

// For several threads, of which another one gets its chance after each commit.
class SharedStore : public FakeStore {
 public:
  absl::Status Transact(absl::FunctionRef<absl::Status()> work) override {
    absl::Status status;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      status = FakeStore::Transact(work);
    }
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    return status;
  }

 private:
  std::mutex mutex_;
};

class DeviceEnrollmentTest : public ::testing::Test {
 protected:
  absl::Status Enroll(absl::Time not_after) {
    return directory_.Enroll([&]() -> absl::StatusOr<absl::optional<v1::Device>> {
      v1::Device device;
      device.set_unit_id("d1");
      *device.mutable_certificate_expire_time() = ToTimestamp(not_after);
      FAIRLEAD_RETURN_IF_ERROR(store_.PutDevice(device));
      return device;
    });
  }
  static absl::Status Rename(v1::Device& device) {
    device.set_display_name("till");
    return absl::OkStatus();
  }

  FakeClock clock_;
  SharedStore store_;
  DeviceDirectory directory_{store_, clock_};
};

TEST_F(DeviceEnrollmentTest, ShowsAtOnceAndKeepsPresence) {
  ASSERT_THAT(Enroll(clock_.Now()), IsOk());
  EXPECT_EQ(directory_.Get("d1")->connection().state(), v1::Connection::OFFLINE);
  v1::DeviceConnected connected;
  connected.set_unit_id("d1");
  connected.set_connection_id(1);
  ASSERT_TRUE(directory_.OnConnected(kLocalEdge, connected).has_value());

  ASSERT_THAT(Enroll(clock_.Now() + absl::Hours(1)), IsOk());

  EXPECT_EQ(directory_.Get("d1")->connection().state(), v1::Connection::ONLINE);
  EXPECT_EQ(FromTimestamp(directory_.Get("d1")->certificate_expire_time()),
            clock_.Now() + absl::Hours(1));
}

TEST_F(DeviceEnrollmentTest, WhatWasNotEnrolledIsNotShown) {
  store_.FailWrites(absl::InternalError("disk full"));
  EXPECT_THAT(Enroll(clock_.Now()), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(directory_.Get("d1"), StatusIs(absl::StatusCode::kNotFound));

  const auto nothing = []() -> absl::StatusOr<absl::optional<v1::Device>> { return absl::nullopt; };
  EXPECT_THAT(directory_.Enroll(nothing), IsOk());
  EXPECT_THAT(directory_.Get("d1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DeviceEnrollmentTest, ADeviceDeletedAtTheSameMomentIsGoneOrThereForBoth) {
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_THAT(Enroll(clock_.Now()), IsOk());

    std::thread enrolling([this]() { EXPECT_THAT(Enroll(clock_.Now()), IsOk()); });
    std::thread deleting([this]() { EXPECT_THAT(directory_.Delete("d1", Unaudited), IsOk()); });
    enrolling.join();
    deleting.join();

    ASSERT_EQ(directory_.Get("d1").ok(), store_.GetDevice("d1").ok()) << "round " << round;
  }
}

TEST_F(DeviceEnrollmentTest, AChangeAtTheSameMomentDoesNotUndoTheRenewal) {
  for (int round = 1; round <= kRounds; ++round) {
    ASSERT_THAT(Enroll(clock_.Now()), IsOk());
    const absl::Time not_after = clock_.Now() + absl::Hours(round);

    std::thread enrolling([&]() { EXPECT_THAT(Enroll(not_after), IsOk()); });
    std::thread changing(
        [&]() { EXPECT_THAT(directory_.Change("d1", Rename, Unaudited), IsOk()); });
    enrolling.join();
    changing.join();

    ASSERT_EQ(FromTimestamp(store_.GetDevice("d1")->certificate_expire_time()), not_after)
        << "round " << round;
  }
}

}  // namespace
}  // namespace fairlead::control
