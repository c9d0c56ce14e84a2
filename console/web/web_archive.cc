// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "console/web/web_archive.h"

// Made by the linker around the archive (console/web/BUILD.bazel).
extern "C" const char _binary_web_console_archive_start[];
extern "C" const char _binary_web_console_archive_end[];

namespace fairlead::console {

absl::string_view WebArchive() {
  const char* const begin = _binary_web_console_archive_start;
  return absl::string_view(begin, _binary_web_console_archive_end - begin);
}

}  // namespace fairlead::console
