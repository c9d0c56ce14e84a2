// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Filters, page parameters and names of list requests.
#include "control/filter.h"

#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

v1::Device SomeDevice() {
  v1::Device device;
  device.set_unit_id("00E0C514325B");
  device.set_display_name("Reception Nord");
  device.set_os_generation(v1::Device::OS_12);
  device.mutable_connection()->set_state(v1::Connection::ONLINE);
  device.mutable_connection()->set_via(v1::Connection::ICG);
  device.mutable_connection()->set_icg("icgs/berlin");
  device.add_tags("Berlin");
  device.add_tags("till");
  return device;
}

struct MatchCase {
  const char* filter;
  bool matches;
};

TEST(DeviceFilter, Matches) {
  const MatchCase kCases[] = {
      {"", true},
      {"   ", true},
      {"state=ONLINE", true},
      {"state=OFFLINE", false},
      {"via=ICG", true},
      {"via=DIRECT", false},
      {"os=OS_12", true},
      {"os=OS_11", false},
      {"icg=icgs/berlin", true},
      {"icg=icgs/paris", false},
      {"c5143", true},
      {"reception", true},
      {"RECEPTION nord", true},
      {"reception state=OFFLINE", false},
      {"kitchen", false},
      {"colour=red", false},
      {"tag=berlin", true},
      {"tag=till tag=Berlin os=OS_12 reception", true},
      {"tag=berlin tag=paris", false},
      {"tag=ber", false},
      {"till", false},
  };
  for (const MatchCase& test : kCases) {
    const absl::StatusOr<DeviceFilter> filter = DeviceFilter::Parse(test.filter);
    ASSERT_THAT(filter, IsOk()) << test.filter;
    EXPECT_EQ(filter->Matches(SomeDevice()), test.matches) << test.filter;
  }
}

TEST(DeviceFilter, BadValuesAreRefusedByName) {
  for (const char* text : {"state=online", "state=", "state=STATE_UNSPECIFIED", "via=VPN",
                           "os=OS_10", "icg=berlin", "icg=icgs/", "tag=", "tag=a,b"}) {
    EXPECT_THAT(DeviceFilter::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(DeviceFilter::Parse(std::string(257, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("256")));
  EXPECT_THAT(DeviceFilter::Parse(std::string(256, 'x')), IsOk());
}

TEST(SessionFilter, Matches) {
  v1::Session session;
  session.set_state(v1::Session::ACTIVE);
  session.set_device("devices/d1");
  session.set_user("users/admin");
  const MatchCase kCases[] = {
      {"", true},
      {"state=ACTIVE", true},
      {"state=ENDED", false},
      {"device=devices/d1", true},
      {"device=devices/d2", false},
      {"user=users/admin state=ACTIVE", true},
      {"user=users/other", false},
  };
  for (const MatchCase& test : kCases) {
    const absl::StatusOr<SessionFilter> filter = SessionFilter::Parse(test.filter);
    ASSERT_THAT(filter, IsOk()) << test.filter;
    EXPECT_EQ(filter->Matches(session), test.matches) << test.filter;
  }
}

TEST(SessionFilter, UnknownTermsAreRefused) {
  for (const char* text : {"word", "state=x", "device=d1", "user=admin", "icg=icgs/x"}) {
    EXPECT_THAT(SessionFilter::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(ParsePage, Sizes) {
  EXPECT_EQ(ParsePage(0, "")->size, 100);
  EXPECT_EQ(ParsePage(1, "t")->token, "t");
  EXPECT_EQ(ParsePage(1000, "")->size, 1000);
  EXPECT_THAT(ParsePage(1001, ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParsePage(-1, ""), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseName, Names) {
  EXPECT_EQ(*ParseName("devices/x", "devices"), "x");
  for (const char* name : {"", "devices", "devices/", "sessions/x", "devices/x/y", "devicesx"}) {
    EXPECT_THAT(ParseName(name, "devices"), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
}

}  // namespace
}  // namespace fairlead::control
