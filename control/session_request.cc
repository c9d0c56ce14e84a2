// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_request.h.
#include "control/session_request.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/filter.h"
#include "control/proto_time.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr std::uint32_t kMaxCells = 1000;
constexpr std::uint32_t kDefaultColumns = 80;
constexpr std::uint32_t kDefaultRows = 24;
constexpr std::size_t kMaxProfileCharacters = 128;
constexpr std::size_t kMaxErrorBytes = 500;

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

absl::Status Offline(const v1::Device& device, absl::string_view why) {
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "DEVICE_OFFLINE",
                         absl::StrCat(DeviceLabel(device), " is offline", why));
}

// With when the device was last seen.
absl::Status NotConnected(const v1::Device& device, absl::Time now) {
  std::string seen = "it has never been connected";
  if (device.has_last_seen_time()) {
    const absl::Time last = FromTimestamp(device.last_seen_time());
    seen = absl::StrCat("it was last seen ",
                        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", last, absl::UTCTimeZone()), " (",
                        Ago(now - last), ")");
  }
  return Offline(device,
                 absl::StrCat("; ", seen,
                              ". Check that it is switched on and that its agent can reach the "
                              "server or an ICG"));
}

absl::Status BehindLostLink(const v1::Device& device, absl::string_view edge) {
  return Offline(device,
                 absl::StrCat(": the link to ", edge,
                              ", over which it was connected, is down. Check that the ICG runs and "
                              "that the server can reach it"));
}

absl::Status NoAddress(const v1::Device& device) {
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition, "NO_ADDRESS",
      absl::StrCat(DeviceLabel(device),
                   " runs OS 11, has no address and is connected to no ICG; set its address with "
                   "`devices update ",
                   device.unit_id(), " --address HOST:PORT`, or connect it to an ICG"));
}

// The path of an OS 11 device without a connection. What was never probed is tried.
absl::StatusOr<SessionPath> DialPath(const v1::Device& device, const DeviceWays& ways) {
  if (!ways.dial_address.has_value()) return NoAddress(device);
  const v1::Connection& connection = device.connection();
  if (connection.state() == v1::Connection::OFFLINE && !connection.last_error().empty()) {
    return Offline(device, absl::StrCat(": ", *ways.dial_address,
                                        " could not be reached when it was last tried: ",
                                        CutUtf8(connection.last_error(), kMaxErrorBytes)));
  }
  SessionPath path;
  path.flow = v1::Session::OS11_DIRECT;
  path.stream = v1::Session::TELNET;
  path.edge = kLocalEdge;
  path.dial_address = *ways.dial_address;
  return path;
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

absl::Status CheckTerminalEnabled(const v1::Device& device) {
  if (device.terminal().enabled()) return absl::OkStatus();
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "TERMINAL_DISABLED",
                         absl::StrCat("the terminal is disabled on ", DeviceLabel(device),
                                      "; enable it with UpdateTerminalSettings (PATCH /api/v1/",
                                      device.name(), "/terminalSettings, {\"enabled\":true})"));
}

absl::StatusOr<SessionPath> ChoosePath(const v1::Device& device, const DeviceWays& ways,
                                       absl::Time now) {
  const bool os11 = device.os_generation() == v1::Device::OS_11;
  if (!ways.connection.has_value()) {
    if (!ways.dial_address.has_value() && !ways.lost_edge.empty()) {
      return BehindLostLink(device, ways.lost_edge);
    }
    return os11 ? DialPath(device, ways) : NotConnected(device, now);
  }
  SessionPath path;
  path.edge = ways.connection->edge;
  path.stream = os11 ? v1::Session::TELNET : v1::Session::PTY;
  if (path.edge != kLocalEdge) {
    path.flow = os11 ? v1::Session::OS11_ICG : v1::Session::OS12_ICG;
  } else if (os11) {
    // The server's own edge has no command connections for OS 11.
    return DialPath(device, ways);
  }
  return path;
}

absl::StatusOr<std::string> ChooseProfile(const v1::Device& device, const SessionPath& path,
                                          const std::string& requested) {
  if (!path.dial_address.empty()) {
    if (requested.empty()) return std::string();
    return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "UNKNOWN_PROFILE",
                           absl::StrCat(DeviceLabel(device),
                                        " runs OS 11 and is dialled, so that it can be told no "
                                        "profile; ask again without \"",
                                        requested, "\""));
  }
  const std::string& profile = requested.empty() ? device.terminal().default_profile() : requested;
  const auto& profiles = device.profiles();
  if (profile.empty() || profiles.empty() ||
      std::find(profiles.begin(), profiles.end(), profile) != profiles.end()) {
    return profile;
  }
  return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "UNKNOWN_PROFILE",
                         absl::StrCat(DeviceLabel(device), " has no profile \"", profile,
                                      "\"; it offers ", absl::StrJoin(profiles, ", ")));
}

absl::Status RateLimited(absl::string_view user, int per_minute, absl::Duration wait) {
  const absl::Duration delay = absl::Ceil(wait, absl::Seconds(1));
  return WithRetryDelay(
      ErrorWithReason(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                      absl::StrCat(user, " has opened ", per_minute,
                                   " sessions within a minute, the most allowed; try again in ",
                                   absl::FormatDuration(delay))),
      delay);
}

v1::RegisterSession MakeRegistration(absl::string_view id, const v1::Device& device,
                                     v1::Session::Stream stream, absl::string_view console_ticket,
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
  registration.set_unacknowledged(stream == v1::Session::TELNET);
  return registration;
}

v1::ForwardConsole MakeForward(const v1::RegisterSession& registration, const v1::Icg& icg) {
  v1::ForwardConsole forward;
  forward.set_session_id(registration.session_id());
  forward.set_console_ticket_sha256(registration.console_ticket_sha256());
  *forward.mutable_pairing_timeout() = registration.pairing_timeout();
  forward.set_icg_id(std::string(absl::StripPrefix(icg.name(), "icgs/")));
  forward.set_address(icg.internal_address());
  forward.set_proxy(icg.proxy());
  return forward;
}

v1::DialDevice MakeDial(absl::string_view id, const v1::Device& device, absl::string_view address,
                        absl::string_view ticket) {
  v1::DialDevice dial;
  dial.set_session_id(std::string(id));
  dial.set_ticket(std::string(ticket));
  dial.set_unit_id(device.unit_id());
  dial.set_address(std::string(address));
  return dial;
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
