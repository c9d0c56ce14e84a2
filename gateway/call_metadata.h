// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Metadata of a gRPC call as a plain value. Used by the adapters.
#ifndef FAIRLEAD_GATEWAY_CALL_METADATA_H_
#define FAIRLEAD_GATEWAY_CALL_METADATA_H_

#include <string>
#include <utility>
#include <vector>

namespace fairlead::gateway {

// Lower-case keys and printable ASCII values: anything else aborts inside of gRPC.
using CallMetadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_CALL_METADATA_H_
