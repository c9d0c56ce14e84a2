// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Plain text: what may be shown on one line of a terminal, a page or an audit record without
// steering it. Without control characters (C0, DEL, C1), line separators, marks that change the
// direction of writing, and what cannot be seen. Blanks are plain. No I/O.
#ifndef FAIRLEAD_BASE_PLAIN_TEXT_H_
#define FAIRLEAD_BASE_PLAIN_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fairlead {

// May this code point be part of a plain text?
bool IsPlainCharacter(std::uint32_t character);

// Is `text` UTF-8 of plain characters alone?
bool IsPlainText(absl::string_view text);

// `text` with each character that is not plain, and each byte that is not UTF-8, replaced by '?'.
// The result is valid UTF-8 and no longer than `text`.
std::string PlainText(absl::string_view text);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_PLAIN_TEXT_H_
