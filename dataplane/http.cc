// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http.h.
#include "dataplane/http.h"

#include "absl/strings/match.h"

namespace fairlead::dataplane {

absl::string_view FindHeader(const HttpHeaders& headers, absl::string_view name) {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return absl::string_view();
}

}  // namespace fairlead::dataplane
