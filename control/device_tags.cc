// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_tags.h.
#include "control/device_tags.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace fairlead::control {
namespace {

constexpr int kMaxTags = 32;
constexpr std::size_t kMaxCharacters = 64;

// Takes the first code point off `text`, which is valid UTF-8 and not empty.
std::uint32_t TakeCharacter(absl::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint32_t character = bytes == 1 ? first : first & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes && i < text.size(); ++i) {
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  }
  text.remove_prefix(std::min(bytes, text.size()));
  return character;
}

// Blanks and commas separate tags where people write several; what cannot be seen, or changes the
// direction of the text beside it, would make two tags look like one.
bool IsTagCharacter(std::uint32_t c) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr Range kRefused[] = {
      {0x00, 0x20},     {',', ','},       {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},
      {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
      {0x3000, 0x3000}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};
  return std::none_of(std::begin(kRefused), std::end(kRefused),
                      [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

absl::Status CheckTag(absl::string_view tag) {
  std::size_t characters = 0;
  bool good = !tag.empty();
  for (absl::string_view rest = tag; good && !rest.empty(); ++characters) {
    good = characters < kMaxCharacters && IsTagCharacter(TakeCharacter(rest));
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tag: \"", absl::Utf8SafeCHexEscape(tag.substr(0, 256)),
                   "\" cannot be one; use 1 to 64 characters without blanks, commas, control and "
                   "invisible characters"));
}

bool HasTag(const v1::Device& device, absl::string_view tag) {
  return std::any_of(device.tags().begin(), device.tags().end(),
                     [tag](const std::string& its) { return absl::EqualsIgnoreCase(its, tag); });
}

absl::Status ApplyTags(const Tags& add, const Tags& remove, v1::Device& device) {
  for (const std::string& tag : remove) FAIRLEAD_RETURN_IF_ERROR(CheckTag(tag));
  for (const std::string& tag : add) FAIRLEAD_RETURN_IF_ERROR(CheckTag(tag));
  Tags& tags = *device.mutable_tags();
  for (const std::string& tag : remove) {
    tags.erase(
        std::remove_if(tags.begin(), tags.end(),
                       [&tag](const std::string& its) { return absl::EqualsIgnoreCase(its, tag); }),
        tags.end());
  }
  for (const std::string& tag : add) {
    if (!HasTag(device, tag)) *tags.Add() = tag;
    if (tags.size() > kMaxTags) {
      return absl::InvalidArgumentError(
          absl::StrCat("tags: more than ", kMaxTags, "; remove some that are not needed"));
    }
  }
  std::sort(tags.begin(), tags.end(), [](const std::string& a, const std::string& b) {
    return absl::AsciiStrToLower(a) < absl::AsciiStrToLower(b);
  });
  return absl::OkStatus();
}

std::string TagList(const v1::Device& device) { return absl::StrJoin(device.tags(), ", "); }

}  // namespace fairlead::control
