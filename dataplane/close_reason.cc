// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See close_reason.h.
#include "dataplane/close_reason.h"

#include "base/utf8.h"

namespace fairlead::dataplane {
namespace {

constexpr std::uint16_t kCloseInternal = 1011;

}  // namespace

CloseReason MakeCloseReason(std::uint16_t code, absl::string_view text) {
  CloseReason reason;
  reason.code = code;
  reason.text = CutUtf8(text, kMaxCloseTextBytes);
  return reason;
}

bool IsSendableCloseCode(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

CloseReason OnTheWire(const CloseReason& reason) {
  const std::uint16_t code = IsSendableCloseCode(reason.code) ? reason.code : kCloseInternal;
  return MakeCloseReason(code, reason.text);
}

}  // namespace fairlead::dataplane
