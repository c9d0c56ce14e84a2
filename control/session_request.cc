// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_request.h.
#include "control/session_request.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "control/device_directory.h"
#include "control/filter.h"
#include "control/proto_time.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr std::uint32_t kMaxCells = 1000;
constexpr std::uint32_t kDefaultColumns = 80;
constexpr std::uint32_t kDefaultRows = 24;
constexpr std::size_t kMaxProfileCharacters = 128;

absl::Status CheckCells(absl::string_view field, std::uint32_t cells) {
  if (cells <= kMaxCells) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", cells, " is out of range; use 1 to ",
                                                 kMaxCells, ", or 0 for the default"));
}

// "3m ago"; whole units, so that it reads well.
std::string Ago(absl::Duration age) {
  const absl::Duration unit = age >= absl::Hours(1)     ? absl::Minutes(1)
                              : age >= absl::Minutes(1) ? absl::Seconds(1)
                                                        : absl::Milliseconds(100);
  return absl::StrCat(absl::FormatDuration(absl::Trunc(std::max(age, absl::ZeroDuration()), unit)),
                      " ago");
}

}  // namespace

absl::Status CheckCreateSessionRequest(const v1::CreateSessionRequest& request) {
  FAIRLEAD_RETURN_IF_ERROR(CheckCells("columns", request.columns()));
  FAIRLEAD_RETURN_IF_ERROR(CheckCells("rows", request.rows()));
  if (CountCharacters(request.reason()) > kMaxReasonCharacters) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason: longer than ", kMaxReasonCharacters, " characters; shorten it"));
  }
  if (CountCharacters(request.profile()) > kMaxProfileCharacters) {
    return absl::InvalidArgumentError(absl::StrCat("profile: longer than ", kMaxProfileCharacters,
                                                   " characters; no profile is called that"));
  }
  return absl::OkStatus();
}

absl::Status CheckDeviceReady(const v1::Device& device, absl::string_view profile, absl::Time now) {
  if (!device.terminal().enabled()) {
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "TERMINAL_DISABLED",
                           absl::StrCat("the terminal is disabled on ", DeviceLabel(device),
                                        "; enable it with UpdateTerminalSettings (PATCH /api/v1/",
                                        device.name(), "/terminalSettings, {\"enabled\":true})"));
  }
  if (device.os_generation() == v1::Device::OS_11) {
    return absl::UnimplementedError(absl::StrCat(
        DeviceLabel(device), " runs OS 11; this server opens terminals on OS 12 devices"));
  }
  if (device.connection().state() != v1::Connection::ONLINE) return DeviceOffline(device, now);
  const auto& profiles = device.profiles();
  if (profile.empty() || profiles.empty() ||
      std::find(profiles.begin(), profiles.end(), profile) != profiles.end()) {
    return absl::OkStatus();
  }
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "UNKNOWN_PROFILE",
                         absl::StrCat(DeviceLabel(device), " has no profile \"", profile,
                                      "\"; it offers ", absl::StrJoin(profiles, ", ")));
}

absl::Status DeviceOffline(const v1::Device& device, absl::Time now) {
  std::string seen = "it has never been connected";
  if (device.has_last_seen_time()) {
    const absl::Time last = FromTimestamp(device.last_seen_time());
    seen = absl::StrCat("it was last seen ",
                        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", last, absl::UTCTimeZone()), " (",
                        Ago(now - last), ")");
  }
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition, "DEVICE_OFFLINE",
      absl::StrCat(DeviceLabel(device), " is offline; ", seen,
                   ". Check that it is switched on and that its agent can reach the server"));
}

absl::Status RateLimited(absl::string_view user, int per_minute, absl::Duration wait) {
  return ErrorWithReason(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                         absl::StrCat(user, " has opened ", per_minute,
                                      " sessions within a minute, the most allowed; try again in ",
                                      absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1)))));
}

v1::RegisterSession MakeRegistration(absl::string_view id, const v1::Device& device,
                                     absl::string_view console_ticket,
                                     absl::string_view device_ticket,
                                     absl::Duration pairing_timeout) {
  v1::RegisterSession registration;
  registration.set_session_id(std::string(id));
  registration.set_console_ticket_sha256(Sha256(console_ticket));
  registration.set_device_ticket_sha256(Sha256(device_ticket));
  registration.set_unit_id(device.unit_id());
  *registration.mutable_pairing_timeout() = ToDuration(pairing_timeout);
  *registration.mutable_idle_timeout() = device.terminal().idle_timeout();
  *registration.mutable_max_lifetime() = device.terminal().max_lifetime();
  return registration;
}

v1::OpenTerminal MakeOpenTerminal(absl::string_view id, const v1::CreateSessionRequest& request,
                                  const v1::Session& session, absl::string_view ticket) {
  v1::OpenTerminal open;
  open.set_session_id(std::string(id));
  open.set_ticket(std::string(ticket));
  open.set_columns(request.columns() == 0 ? kDefaultColumns : request.columns());
  open.set_rows(request.rows() == 0 ? kDefaultRows : request.rows());
  open.set_profile(session.profile());
  open.set_user(session.user());
  open.set_reason(session.reason());
  return open;
}

}  // namespace fairlead::control
