// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a close frame can carry: which codes, and how much text. Used by whoever ends a WebSocket
// with a reason of its own, and by what writes close frames.
#ifndef FAIRLEAD_DATAPLANE_CLOSE_REASON_H_
#define FAIRLEAD_DATAPLANE_CLOSE_REASON_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

// The longest text of a close frame, in bytes (RFC 6455 section 5.5).
inline constexpr std::size_t kMaxCloseTextBytes = 123;

// `text` is cut at a character's border if it is too long.
CloseReason MakeCloseReason(std::uint16_t code, absl::string_view text);

// Whether RFC 6455 section 7.4 or the registry of IANA lets a close frame carry `code`.
bool IsSendableCloseCode(std::uint16_t code);

// `reason`, which has a code (not 1005), as a close frame carries it: a code that must not be sent
// becomes 1011, and a text that is too long is cut.
CloseReason OnTheWire(const CloseReason& reason);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_CLOSE_REASON_H_
