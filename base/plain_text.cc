// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See plain_text.h.
#include "base/plain_text.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/utf8.h"

namespace fairlead {

bool IsPlainCharacter(std::uint32_t character) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr Range kRefused[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},
                                {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
                                {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f},
                                {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};
  return std::none_of(std::begin(kRefused), std::end(kRefused), [character](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

bool IsPlainText(absl::string_view text) {
  while (!text.empty()) {
    const absl::optional<std::uint32_t> character = TakeCharacter(text);
    if (!character.has_value() || !IsPlainCharacter(*character)) return false;
  }
  return true;
}

std::string PlainText(absl::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const absl::string_view before = text;
    const absl::optional<std::uint32_t> character = TakeCharacter(text);
    const bool kept = character.has_value() && IsPlainCharacter(*character);
    absl::StrAppend(&plain, kept ? before.substr(0, before.size() - text.size()) : "?");
  }
  return plain;
}

}  // namespace fairlead
