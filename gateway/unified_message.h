// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Reads the Unified Protocol's messages from devices: bytes that a peer chose. Sans-I/O; used by
// the device hub, fuzzed.
#ifndef FAIRLEAD_GATEWAY_UNIFIED_MESSAGE_H_
#define FAIRLEAD_GATEWAY_UNIFIED_MESSAGE_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/unified.pb.h"

namespace fairlead::gateway {

// The largest message of a device, in bytes.
inline constexpr std::size_t kMaxUnifiedMessageBytes = 64 * 1024;

// Parses one message and checks its limits. A message whose case is not known is OK and has no case
// set, so that newer devices can talk to older servers.
// Errors: INVALID_ARGUMENT it is no DeviceMessage, or a field is out of bounds; names the field.
absl::StatusOr<v1::DeviceMessage> ParseDeviceMessage(absl::string_view bytes);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_UNIFIED_MESSAGE_H_
