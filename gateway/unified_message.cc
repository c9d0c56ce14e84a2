// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/unified_message.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/utf8.h"

namespace fairlead::gateway {
namespace {

constexpr std::size_t kMaxAgentVersion = 64;
constexpr std::size_t kMaxHostName = 128;
constexpr int kMaxProfiles = 64;
constexpr int kMaxRunningSessions = 1000;
// Of one profile's or session's name.
constexpr std::size_t kMaxName = 128;
// Of a sentence for a person.
constexpr std::size_t kMaxText = 4096;

absl::Status CheckLength(absl::string_view field, const std::string& value, std::size_t most) {
  if (CountCharacters(value) <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is longer than ", most, " characters"));
}

absl::Status CheckCount(absl::string_view field, int count, int most) {
  if (count <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " has more than ", most, " entries"));
}

absl::Status CheckHello(const v1::DeviceHello& hello) {
  FAIRLEAD_RETURN_IF_ERROR(
      CheckLength("hello.agent_version", hello.agent_version(), kMaxAgentVersion));
  FAIRLEAD_RETURN_IF_ERROR(CheckLength("hello.host_name", hello.host_name(), kMaxHostName));
  FAIRLEAD_RETURN_IF_ERROR(CheckCount("hello.profiles", hello.profiles_size(), kMaxProfiles));
  FAIRLEAD_RETURN_IF_ERROR(
      CheckCount("hello.running_sessions", hello.running_sessions_size(), kMaxRunningSessions));
  for (const std::string& profile : hello.profiles()) {
    FAIRLEAD_RETURN_IF_ERROR(CheckLength("hello.profiles", profile, kMaxName));
  }
  for (const std::string& session : hello.running_sessions()) {
    FAIRLEAD_RETURN_IF_ERROR(CheckLength("hello.running_sessions", session, kMaxName));
  }
  return absl::OkStatus();
}

absl::Status CheckLimits(const v1::DeviceMessage& message) {
  switch (message.message_case()) {
    case v1::DeviceMessage::kHello:
      return CheckHello(message.hello());
    case v1::DeviceMessage::kOpenTerminalResult:
      FAIRLEAD_RETURN_IF_ERROR(CheckLength("open_terminal_result.session_id",
                                           message.open_terminal_result().session_id(), kMaxName));
      return CheckLength("open_terminal_result.message", message.open_terminal_result().message(),
                         kMaxText);
    case v1::DeviceMessage::kTerminalEnded:
      FAIRLEAD_RETURN_IF_ERROR(CheckLength("terminal_ended.session_id",
                                           message.terminal_ended().session_id(), kMaxName));
      return CheckLength("terminal_ended.signal", message.terminal_ended().signal(), kMaxName);
    default:
      return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<v1::DeviceMessage> ParseDeviceMessage(absl::string_view bytes) {
  v1::DeviceMessage message;
  if (bytes.size() > kMaxUnifiedMessageBytes ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("the frame is not a DeviceMessage");
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckLimits(message));
  return message;
}

}  // namespace fairlead::gateway
