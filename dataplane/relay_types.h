// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the relay, its ticket register and its pairing share: the sides of a session, what is told
// of a session before it begins, and how one ended.
#ifndef FAIRLEAD_DATAPLANE_RELAY_TYPES_H_
#define FAIRLEAD_DATAPLANE_RELAY_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// The two sides of a session; also an index into what is kept a side.
enum class Side { kConsole, kDevice };

inline constexpr Side kSides[] = {Side::kConsole, Side::kDevice};

inline constexpr Side OtherSide(Side side) {
  return side == Side::kConsole ? Side::kDevice : Side::kConsole;
}

inline constexpr std::size_t IndexOf(Side side) { return static_cast<std::size_t>(side); }

// "Console" or "device", for sentences.
inline constexpr const char* NameOf(Side side) {
  return side == Side::kConsole ? "Console" : "device";
}

// A session that is expected.
struct SessionSpec {
  std::string session_id;
  // SHA-256 of each side's ticket (of its 43 characters, as sent), 32 bytes.
  std::string console_ticket_sha256;
  std::string device_ticket_sha256;
  // The unit ID that the device's leg must show; empty demands none.
  std::string unit_id;
  // How long tickets are good and a leg waits for the other, from registering on; positive.
  absl::Duration pairing_timeout = absl::Seconds(30);
  // A session without a payload byte for so long ends; zero for never.
  absl::Duration idle_timeout;
  // A session ends so long after it was registered; zero for never.
  absl::Duration max_lifetime;
  // The device looks at no acknowledgements, so the relay does, that little output is under way:
  // otherwise an interrupt's effect and a key's echo wait behind megabytes.
  bool unacknowledged = false;
};

// How a session ended at the relay.
struct RelayEnd {
  enum class By { kConsole, kDevice, kRelay };
  By by = By::kRelay;
  // What was received from the side that ended it (1005 for no code, 1006 for a loss), or what the
  // relay chose.
  CloseReason reason;
  // Payload of binary frames, in bytes.
  std::uint64_t bytes_to_console = 0;
  std::uint64_t bytes_to_device = 0;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_RELAY_TYPES_H_
