// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The rules of the device hub: who a certificate names, who replaces whom, who is revoked.
#include "gateway/device_registry.h"

#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

dataplane::PeerInfo PeerWith(std::vector<std::string> uris) {
  dataplane::PeerInfo peer;
  peer.certificate.emplace();
  peer.certificate->uris = std::move(uris);
  peer.certificate->fingerprint = std::string(32, 'f');
  return peer;
}

struct IdentityCase {
  const char* name;
  std::vector<std::string> uris;
  // Empty: denied.
  const char* unit_id;
};

class IdentifyDeviceTest : public ::testing::TestWithParam<IdentityCase> {};

TEST_P(IdentifyDeviceTest, ReadsTheUnitId) {
  const auto identity = IdentifyDevice(PeerWith(GetParam().uris));

  if (*GetParam().unit_id == '\0') {
    EXPECT_THAT(identity,
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not a device's")));
  } else {
    ASSERT_THAT(identity, IsOk());
    EXPECT_EQ(identity->unit_id, GetParam().unit_id);
    EXPECT_EQ(identity->fingerprint, std::string(32, 'f'));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, IdentifyDeviceTest,
    ::testing::Values(IdentityCase{"Device", {"urn:fairlead:device:00E0C514325B"}, "00E0C514325B"},
                      IdentityCase{
                          "AmongOthers", {"https://x", "urn:fairlead:device:a-b_c.d"}, "a-b_c.d"},
                      IdentityCase{"NoUri", {}, ""},
                      IdentityCase{"Server", {"urn:fairlead:server:ums"}, ""},
                      IdentityCase{"Icg", {"urn:fairlead:icg:1"}, ""},
                      IdentityCase{"Empty", {"urn:fairlead:device:"}, ""},
                      IdentityCase{"Folder", {"urn:fairlead:device:.."}, ""},
                      IdentityCase{"Slash", {"urn:fairlead:device:a/b"}, ""},
                      IdentityCase{"TooLong", {"urn:fairlead:device:" + std::string(65, 'a')}, ""},
                      IdentityCase{"OtherCase", {"URN:FAIRLEAD:DEVICE:A"}, ""}),
    [](const auto& info) { return info.param.name; });

TEST(IdentifyDevice, NoCertificateIsUnauthenticated) {
  EXPECT_THAT(IdentifyDevice(dataplane::PeerInfo()),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Enrol the device")));
}

// One step of a history of entries and leaves.
struct Step {
  enum Kind { kEnter, kLeave } kind;
  const char* unit;
  // Leave: of which connection.
  std::uint64_t id;
  // Enter: the connection replaced, 0 for none. Leave: 1 if it was the current one.
  std::uint64_t expected;
  // Connected devices afterwards.
  std::size_t size;
};

TEST(DeviceRegistry, ReplacesAndLeavesByTable) {
  const Step kSteps[] = {
      {Step::kEnter, "a", 0, 0, 1},  // 1
      {Step::kEnter, "b", 0, 0, 2},  // 2
      {Step::kEnter, "a", 0, 1, 2},  // 3 replaces 1
      {Step::kLeave, "a", 1, 0, 2},  // the replaced one changes nothing
      {Step::kLeave, "a", 2, 0, 2},  // another device's number
      {Step::kLeave, "a", 3, 1, 1},  // the current one
      {Step::kLeave, "a", 3, 0, 1},  // twice
      {Step::kEnter, "a", 0, 0, 2},  // 4
      {Step::kEnter, "a", 0, 4, 2},  // 5 replaces 4
      {Step::kEnter, "a", 0, 5, 2},  // 6 replaces 5
      {Step::kLeave, "c", 1, 0, 2},  // never seen
      {Step::kLeave, "b", 2, 1, 1},
  };
  DeviceRegistry registry;
  std::uint64_t last_id = 0;
  for (const Step& step : kSteps) {
    SCOPED_TRACE(&step - kSteps);
    if (step.kind == Step::kEnter) {
      const auto entry = registry.Enter(DeviceIdentity{step.unit, "f"});
      ASSERT_THAT(entry, IsOk());
      EXPECT_GT(entry->connection_id, last_id);
      last_id = entry->connection_id;
      EXPECT_EQ(entry->replaced.value_or(0), step.expected);
      EXPECT_EQ(registry.Find(step.unit), last_id);
    } else {
      EXPECT_EQ(registry.Leave(step.unit, step.id), step.expected == 1);
    }
    EXPECT_EQ(registry.size(), step.size);
  }
}

TEST(DeviceRegistry, RevokedCertificateIsRefusedAndItsConnectionNamed) {
  DeviceRegistry registry;
  const auto first = registry.Enter(DeviceIdentity{"a", "print-a"});
  const auto second = registry.Enter(DeviceIdentity{"b", "print-b"});
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());

  EXPECT_THAT(registry.Revoke({"print-b"}), ElementsAre(second->connection_id));
  EXPECT_TRUE(registry.IsRevoked("print-b"));
  EXPECT_THAT(registry.Enter(DeviceIdentity{"b", "print-b"}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("revoked")));

  // A new certificate of the same device is welcome.
  EXPECT_THAT(registry.Enter(DeviceIdentity{"b", "print-b2"}), IsOk());
  EXPECT_THAT(registry.SetRevoked({"print-a"}), ElementsAre(first->connection_id));
  EXPECT_FALSE(registry.IsRevoked("print-b"));
  EXPECT_THAT(registry.SetRevoked({}), IsEmpty());
}

}  // namespace
}  // namespace fairlead::gateway
