// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// UTF-8: characters (code points) taken one by one, counted, and cut between. Whoever cuts, counts
// or judges a text of a peer or a person does it here. No I/O.
#ifndef FAIRLEAD_BASE_UTF8_H_
#define FAIRLEAD_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace fairlead {

// Takes the first character off `text`, which is not empty. Where `text` is not UTF-8, takes one
// byte and returns nothing. Overlong forms and surrogates are not UTF-8.
absl::optional<std::uint32_t> TakeCharacter(absl::string_view& text);

bool IsUtf8(absl::string_view text);

// How many characters `text`, valid UTF-8, has.
std::size_t CountCharacters(absl::string_view text);

// As much of `text` as fits into `max_bytes` without cutting a character.
std::string CutUtf8(absl::string_view text, std::size_t max_bytes);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_UTF8_H_
