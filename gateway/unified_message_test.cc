// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the edge accepts from a device.
#include "gateway/unified_message.h"

#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ParseDeviceMessage, ReadsAHello) {
  v1::DeviceMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->set_agent_version("1.2");

  const auto parsed = ParseDeviceMessage(message.SerializeAsString());

  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->hello().agent_version(), "1.2");
}

TEST(ParseDeviceMessage, UnknownCaseIsOkAndUnset) {
  // Field 99, length-delimited, three bytes.
  const auto parsed =
      ParseDeviceMessage(std::string("\x9a\x06\x03"
                                     "abc",
                                     6));

  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->message_case(), v1::DeviceMessage::MESSAGE_NOT_SET);
}

TEST(ParseDeviceMessage, RefusesWhatIsNoMessage) {
  EXPECT_THAT(ParseDeviceMessage("\xff\xff\xff"), StatusIs(kInvalid));
  EXPECT_THAT(ParseDeviceMessage(std::string(kMaxUnifiedMessageBytes + 1, 'a')),
              StatusIs(kInvalid));
}

TEST(ParseDeviceMessage, RefusesInvalidUtf8) {
  // hello { agent_version: "\xff" }
  EXPECT_THAT(ParseDeviceMessage(std::string("\x0a\x03\x12\x01\xff", 5)), StatusIs(kInvalid));
}

TEST(ParseDeviceMessage, CountsCharactersNotBytes) {
  std::string euros;
  for (int i = 0; i < 128; ++i) euros += "\xe2\x82\xac";
  v1::DeviceMessage message;
  message.mutable_hello()->set_host_name(euros);
  EXPECT_THAT(ParseDeviceMessage(message.SerializeAsString()), IsOk());
  message.mutable_hello()->set_host_name(euros + "a");
  EXPECT_THAT(ParseDeviceMessage(message.SerializeAsString()),
              StatusIs(kInvalid, HasSubstr("host_name")));
}

TEST(ParseDeviceMessage, ChecksEveryLimit) {
  v1::DeviceMessage version;
  version.mutable_hello()->set_agent_version(std::string(65, 'v'));
  EXPECT_THAT(ParseDeviceMessage(version.SerializeAsString()),
              StatusIs(kInvalid, HasSubstr("agent_version")));

  v1::DeviceMessage host;
  host.mutable_hello()->set_host_name(std::string(129, 'h'));
  EXPECT_THAT(ParseDeviceMessage(host.SerializeAsString()),
              StatusIs(kInvalid, HasSubstr("host_name")));

  v1::DeviceMessage profiles;
  for (int i = 0; i < 65; ++i) profiles.mutable_hello()->add_profiles("p");
  EXPECT_THAT(ParseDeviceMessage(profiles.SerializeAsString()),
              StatusIs(kInvalid, HasSubstr("profiles")));

  v1::DeviceMessage sessions;
  for (int i = 0; i < 1001; ++i) sessions.mutable_hello()->add_running_sessions("s");
  EXPECT_THAT(ParseDeviceMessage(sessions.SerializeAsString()),
              StatusIs(kInvalid, HasSubstr("running_sessions")));

  v1::DeviceMessage result;
  result.mutable_open_terminal_result()->set_session_id(std::string(129, 's'));
  EXPECT_THAT(ParseDeviceMessage(result.SerializeAsString()), StatusIs(kInvalid));

  v1::DeviceMessage ended;
  ended.mutable_terminal_ended()->set_signal(std::string(129, 's'));
  EXPECT_THAT(ParseDeviceMessage(ended.SerializeAsString()), StatusIs(kInvalid));
}

}  // namespace
}  // namespace fairlead::gateway
