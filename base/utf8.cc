// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See utf8.h.
#include "base/utf8.h"

#include <algorithm>

namespace fairlead {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// How many bytes a character has whose first byte is `first`; 0 if none begins so.
std::size_t BytesOf(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// Whether `character` has this many bytes in UTF-8.
bool IsShortest(std::uint32_t character, std::size_t bytes) {
  constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  return character >= kLeast[bytes - 1] && character <= 0x10ffff && !surrogate;
}

}  // namespace

absl::optional<std::uint32_t> TakeCharacter(absl::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = BytesOf(first);
  const absl::string_view whole = text.substr(0, bytes);
  text.remove_prefix(1);
  if (bytes == 0 || whole.size() < bytes) return absl::nullopt;
  if (bytes == 1) return first;
  std::uint32_t character = first & (0x7fu >> bytes);
  for (const char c : whole.substr(1)) {
    if (!IsContinuation(c)) return absl::nullopt;
    character = character << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  }
  if (!IsShortest(character, bytes)) return absl::nullopt;
  text.remove_prefix(bytes - 1);
  return character;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    if (!TakeCharacter(text).has_value()) return false;
  }
  return true;
}

std::size_t CountCharacters(absl::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string CutUtf8(absl::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t end = max_bytes;
  while (end > 0 && IsContinuation(text[end])) --end;
  return std::string(text.substr(0, end));
}

}  // namespace fairlead
