// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the escapes of an interactive terminal, typed in one piece and byte by byte.
#include "console/escape.h"

#include <string>

#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

struct Case {
  const char* typed;
  const char* data;
  bool help;
  bool leave;
};

constexpr Case kCases[] = {
    {"", "", false, false},
    {"ls\r", "ls\r", false, false},
    // At the start and after a new line.
    {"~.", "", false, true},
    {"ls\r~.more", "ls\r", false, true},
    {"ls\n~.", "ls\n", false, true},
    // Not inside a line.
    {"a~.", "a~.", false, false},
    {"cd ~\r", "cd ~\r", false, false},
    // Help, and an escape right after it.
    {"~?", "", true, false},
    {"~?~.", "", true, true},
    // One tilde from two; then the line has begun.
    {"~~", "~", false, false},
    {"~~.", "~.", false, false},
    // A tilde that means nothing to us.
    {"~x", "~x", false, false},
    {"~\r~.", "~\r", false, true},
};

TEST(EscapeFilter, ReadsWhatIsTypedInOnePiece) {
  for (const Case& c : kCases) {
    EscapeFilter filter;
    const EscapeFilter::Result result = filter.Filter(c.typed);
    EXPECT_EQ(result.data, c.data) << c.typed;
    EXPECT_EQ(result.help, c.help) << c.typed;
    EXPECT_EQ(result.leave, c.leave) << c.typed;
  }
}

TEST(EscapeFilter, ReadsTheSameByteByByte) {
  for (const Case& c : kCases) {
    EscapeFilter filter;
    EscapeFilter::Result sum;
    for (const char byte : std::string(c.typed)) {
      const EscapeFilter::Result result = filter.Filter(std::string(1, byte));
      sum.data += result.data;
      sum.help |= result.help;
      sum.leave |= result.leave;
      if (sum.leave) break;
    }
    EXPECT_EQ(sum.data, c.data) << c.typed;
    EXPECT_EQ(sum.help, c.help) << c.typed;
    EXPECT_EQ(sum.leave, c.leave) << c.typed;
  }
}

}  // namespace
}  // namespace fairlead::console
