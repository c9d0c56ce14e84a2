// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_tags.h.
#include "control/device_tags.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "base/plain_text.h"
#include "base/status.h"
#include "base/utf8.h"

namespace fairlead::control {
namespace {

constexpr int kMaxTags = 32;
constexpr std::size_t kMaxCharacters = 64;

// Blanks and commas separate tags where people write several; what cannot be seen, or changes the
// direction of the text beside it, would make two tags look like one.
bool IsTagCharacter(std::uint32_t c) {
  const bool blank = c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
                     c == 0x202f || c == 0x205f || c == 0x3000;
  return c != ',' && !blank && IsPlainCharacter(c);
}

}  // namespace

absl::Status CheckTag(absl::string_view tag) {
  std::size_t characters = 0;
  bool good = !tag.empty();
  for (absl::string_view rest = tag; good && !rest.empty(); ++characters) {
    const absl::optional<std::uint32_t> character = TakeCharacter(rest);
    good = characters < kMaxCharacters && character.has_value() && IsTagCharacter(*character);
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tag: \"", absl::Utf8SafeCHexEscape(CutUtf8(tag, 256)),
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
