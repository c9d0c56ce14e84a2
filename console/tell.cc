// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tell.h.
#include "console/tell.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/plain_text.h"

namespace fairlead::console {

void TellCalmly(absl::string_view sentence) {
  std::fputs(absl::StrCat(PlainText(sentence), "\n").c_str(), stderr);
}

void Tell(absl::string_view sentence) { TellCalmly(absl::StrCat("fairlead: ", sentence)); }

}  // namespace fairlead::console
