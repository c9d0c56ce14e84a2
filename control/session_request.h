// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The checks of a request for a session, and the messages that it becomes for the edge and for the
// device. Used by the coordinator. No I/O.
#ifndef FAIRLEAD_CONTROL_SESSION_REQUEST_H_
#define FAIRLEAD_CONTROL_SESSION_REQUEST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/device.pb.h"
#include "proto/edge.pb.h"
#include "proto/session.pb.h"
#include "proto/unified.pb.h"

namespace fairlead::control {

// The most characters of a reason.
inline constexpr std::size_t kMaxReasonCharacters = 1024;

// Sizes and texts. Errors: INVALID_ARGUMENT.
absl::Status CheckCreateSessionRequest(const v1::CreateSessionRequest& request);

// Whether a terminal may be asked for on `device` at all.
// Errors: FAILED_PRECONDITION disabled, offline (DEVICE_OFFLINE) or without that profile;
// UNIMPLEMENTED an operating system that is not served yet.
absl::Status CheckDeviceReady(const v1::Device& device, absl::string_view profile, absl::Time now);

// FAILED_PRECONDITION (DEVICE_OFFLINE), with when the device was last seen.
absl::Status DeviceOffline(const v1::Device& device, absl::Time now);

// RESOURCE_EXHAUSTED (RATE_LIMITED), with when to try again.
absl::Status RateLimited(absl::string_view user, int per_minute, absl::Duration wait);

// What the edge is told. Only the tickets' hashes leave the server.
v1::RegisterSession MakeRegistration(absl::string_view id, const v1::Device& device,
                                     absl::string_view console_ticket,
                                     absl::string_view device_ticket,
                                     absl::Duration pairing_timeout);

// What the device is told.
v1::OpenTerminal MakeOpenTerminal(absl::string_view id, const v1::CreateSessionRequest& request,
                                  const v1::Session& session, absl::string_view ticket);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_REQUEST_H_
