// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The checks of a request for a session, and the messages that it becomes for the edge and for the
// device. Used by the coordinator. No I/O.
#ifndef FAIRLEAD_CONTROL_SESSION_REQUEST_H_
#define FAIRLEAD_CONTROL_SESSION_REQUEST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "control/device_directory.h"
#include "proto/device.pb.h"
#include "proto/edge.pb.h"
#include "proto/icg.pb.h"
#include "proto/session.pb.h"
#include "proto/unified.pb.h"

namespace fairlead::control {

// The most characters of a reason.
inline constexpr std::size_t kMaxReasonCharacters = 1024;

// Sizes and texts. Errors: INVALID_ARGUMENT.
absl::Status CheckCreateSessionRequest(const v1::CreateSessionRequest& request);

// How a session reaches its device.
struct SessionPath {
  v1::Session::Flow flow = v1::Session::OS12_DIRECT;
  v1::Session::Stream stream = v1::Session::PTY;
  // The edge of its tunnels.
  std::string edge;
  // Where the edge dials the device, "host:port"; empty if it is asked over a connection.
  std::string dial_address;
};

// What is known of the ways to a device. `connection` wins over `dial_address`.
struct DeviceWays {
  absl::optional<DeviceRoute> connection;
  absl::optional<std::string> dial_address;
  // The ICG over which the device was connected until the link to that ICG was lost; else empty.
  std::string lost_edge;
};

// Errors: FAILED_PRECONDITION (TERMINAL_DISABLED).
absl::Status CheckTerminalEnabled(const v1::Device& device);

// The way of a session on `device`.
// Errors: FAILED_PRECONDITION (DEVICE_OFFLINE, NO_ADDRESS): no way leads to it.
absl::StatusOr<SessionPath> ChoosePath(const v1::Device& device, const DeviceWays& ways,
                                       absl::Time now);

// The profile to run: what the request names, or the settings' default.
// Errors: FAILED_PRECONDITION (UNKNOWN_PROFILE).
absl::StatusOr<std::string> ChooseProfile(const v1::Device& device, const SessionPath& path,
                                          const std::string& requested);

// RESOURCE_EXHAUSTED (RATE_LIMITED), with when to try again.
absl::Status RateLimited(absl::string_view user, int per_minute, absl::Duration wait);

// What the edge is told. Only the tickets' hashes leave the server.
v1::RegisterSession MakeRegistration(absl::string_view id, const v1::Device& device,
                                     v1::Session::Stream stream, absl::string_view console_ticket,
                                     absl::string_view device_ticket,
                                     absl::Duration pairing_timeout);

// What the server's own edge is told in order to let the Console through to the session's ICG.
v1::ForwardConsole MakeForward(const v1::RegisterSession& registration, const v1::Icg& icg);

// What the edge is told in order to dial the device.
v1::DialDevice MakeDial(absl::string_view id, const v1::Device& device, absl::string_view address,
                        absl::string_view ticket);

// What the device is told.
v1::OpenTerminal MakeOpenTerminal(absl::string_view id, const v1::CreateSessionRequest& request,
                                  const v1::Session& session, absl::string_view ticket);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_REQUEST_H_
