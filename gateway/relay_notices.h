// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The texts that the relay sends on tunnels, and the one that it reads, by the contract
// (proto/terminal.proto), since the relay itself knows no proto.
#ifndef FAIRLEAD_GATEWAY_RELAY_NOTICES_H_
#define FAIRLEAD_GATEWAY_RELAY_NOTICES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace fairlead::gateway {

// {"attached":{"resumeToken":"","resumeWindow":"0s"}}: in place, and not to be resumed.
std::string AttachedText();

// {"peer":{"state":"ATTACHED"}}.
std::string PeerAttachedText();

// The number in {"ack":{"receivedBytes":"4096"}}; nothing for any other text.
absl::optional<std::uint64_t> AcknowledgedBytes(absl::string_view text);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_RELAY_NOTICES_H_
