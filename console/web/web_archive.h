// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The built web console as part of the program, so that a server serves it without any file beside
// it. Used by the server's main.
#ifndef FAIRLEAD_CONSOLE_WEB_WEB_ARCHIVE_H_
#define FAIRLEAD_CONSOLE_WEB_WEB_ARCHIVE_H_

#include "absl/strings/string_view.h"

namespace fairlead::console {

// As gateway::StaticFiles::FromArchive takes it. Lifetime: the program's.
absl::string_view WebArchive();

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_WEB_WEB_ARCHIVE_H_
