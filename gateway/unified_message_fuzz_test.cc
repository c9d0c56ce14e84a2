// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Any bytes a device may send: parsed within the limits, or refused; what is accepted survives a
// round trip.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gateway/unified_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = fairlead::gateway::ParseDeviceMessage(bytes);
  if (!message.ok()) return 0;
  if (message->hello().profiles_size() > 64) std::abort();
  if (message->hello().running_sessions_size() > 1000) std::abort();
  const std::string again = message->SerializeAsString();
  if (!fairlead::gateway::ParseDeviceMessage(again).ok()) std::abort();
  return 0;
}
