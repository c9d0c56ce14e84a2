// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a device's unit ID may be. Used by those that issue and those that read certificates.
#ifndef FAIRLEAD_BASE_UNIT_ID_H_
#define FAIRLEAD_BASE_UNIT_ID_H_

#include "absl/strings/string_view.h"

namespace fairlead {

// Whether `text` has 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-', and is neither "." nor
// "..": those name a folder in a URL, and clients fold them away.
bool IsUnitId(absl::string_view text);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_UNIT_ID_H_
