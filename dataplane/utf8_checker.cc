// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/utf8_checker.h"

#include <cstring>

namespace fairlead::dataplane {

bool Utf8Checker::Add(std::span<const std::uint8_t> piece) {
  std::size_t i = 0;
  while (i < piece.size()) {
    // Text is ASCII for the most part.
    std::uint64_t word = 0;
    if (left_ == 0 && piece.size() - i >= sizeof(word)) {
      std::memcpy(&word, piece.data() + i, sizeof(word));
      if ((word & 0x8080808080808080u) == 0) {
        i += sizeof(word);
        continue;
      }
    }
    if (!AddByte(piece[i++])) return false;
  }
  return true;
}

bool Utf8Checker::AddByte(std::uint8_t byte) {
  if (left_ > 0) {
    if (byte < low_ || byte > high_) return false;
    --left_;
    low_ = 0x80;
    high_ = 0xBF;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  left_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  if (byte == 0xE0) low_ = 0xA0;
  if (byte == 0xED) high_ = 0x9F;
  if (byte == 0xF0) low_ = 0x90;
  if (byte == 0xF4) high_ = 0x8F;
  return true;
}

}  // namespace fairlead::dataplane
