// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the console says to the person beside its output. Sentences hold texts of servers and
// devices, which must not drive the person's terminal. Used by everything that writes to standard
// error.
#ifndef FAIRLEAD_CONSOLE_TELL_H_
#define FAIRLEAD_CONSOLE_TELL_H_

#include "absl/strings/string_view.h"

namespace fairlead::console {

// Writes the sentence, made plain, as a line of its own to standard error.
void TellCalmly(absl::string_view sentence);

// As TellCalmly, with the program's name before it: something is wrong, or may be.
void Tell(absl::string_view sentence);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_TELL_H_
