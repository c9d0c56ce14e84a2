// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See escape.h.
#include "console/escape.h"

namespace fairlead::console {

EscapeFilter::Result EscapeFilter::Filter(absl::string_view typed) {
  Result result;
  for (const char c : typed) {
    if (state_ == State::kLineStart && c == '~') {
      state_ = State::kTilde;
      continue;
    }
    if (state_ == State::kTilde) {
      state_ = State::kInLine;
      if (c == '.') {
        result.leave = true;
        return result;
      }
      if (c == '?') {
        result.help = true;
        state_ = State::kLineStart;
        continue;
      }
      // Not one of ours: the tilde was meant for the device; "~~" sends just one.
      result.data.push_back('~');
      if (c == '~') continue;
    }
    result.data.push_back(c);
    state_ = c == '\r' || c == '\n' ? State::kLineStart : State::kInLine;
  }
  return result;
}

}  // namespace fairlead::console
