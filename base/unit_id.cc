// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See unit_id.h.
#include "base/unit_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace fairlead {
namespace {

constexpr std::size_t kMaxLength = 64;

}  // namespace

bool IsUnitId(absl::string_view text) {
  if (text.empty() || text.size() > kMaxLength || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace fairlead
