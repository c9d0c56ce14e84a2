// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The texts that the relay sends on tunnels, made from the contract (proto/terminal.proto), since
// the relay itself knows no proto.
#ifndef FAIRLEAD_GATEWAY_RELAY_NOTICES_H_
#define FAIRLEAD_GATEWAY_RELAY_NOTICES_H_

#include <string>

namespace fairlead::gateway {

// {"attached":{"resumeToken":"","resumeWindow":"0s"}}: in place, and not to be resumed.
std::string AttachedText();

// {"peer":{"state":"ATTACHED"}}.
std::string PeerAttachedText();

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_RELAY_NOTICES_H_
