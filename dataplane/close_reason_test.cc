// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a close frame can carry. Which codes those are is walked through by the session pairing's
// test.
#include "dataplane/close_reason.h"

#include <string>

#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

TEST(MakeCloseReason, CutsBetweenCharacters) {
  EXPECT_EQ(MakeCloseReason(1000, std::string(123, 'x')).text.size(), 123u);
  EXPECT_EQ(MakeCloseReason(1000, std::string(124, 'x')).text.size(), 123u);
  // Four bytes a character: 30 fit.
  std::string faces;
  for (int i = 0; i < 31; ++i) faces += "\xF0\x9F\x98\x80";
  EXPECT_EQ(MakeCloseReason(1000, faces).text, faces.substr(0, 120));
}

TEST(OnTheWire, NoCodeThatMustNotBeSentIs) {
  EXPECT_EQ(OnTheWire({4410, "why"}).code, 4410);
  EXPECT_EQ(OnTheWire({1006, "why"}).code, 1011);
  EXPECT_EQ(OnTheWire({1006, "why"}).text, "why");
}

}  // namespace
}  // namespace fairlead::dataplane
