// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See random.h.
#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/escaping.h"

namespace fairlead {

std::string RandomBytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t n = getrandom(&bytes[filled], size - filled, 0);
    if (n > 0) {
      filled += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      std::abort();
    }
  }
  return bytes;
}

std::string RandomSecret() {
  std::string text = absl::WebSafeBase64Escape(RandomBytes(32));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string RandomId() { return absl::BytesToHexString(RandomBytes(12)); }

}  // namespace fairlead
