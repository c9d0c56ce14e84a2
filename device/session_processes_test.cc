// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How the kernel's line about a process is read.
#include "device/session_processes.h"

#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

TEST(ParseProcessStat, ReadsNamesOfAnyShape) {
  SessionProcess process;
  ASSERT_TRUE(ParseProcessStat("12 (a) b (c)) S 1 34 56 34816 -1", &process));
  EXPECT_EQ(process.pid, 12);
  EXPECT_EQ(process.group, 34);
  EXPECT_EQ(process.session, 56);
  EXPECT_FALSE(process.ended);
  ASSERT_TRUE(ParseProcessStat("12 (x) Z 1 34 56 0", &process));
  EXPECT_TRUE(process.ended);
  for (const char* line :
       {"", "12", "12 (x", "12 (x) ", "12 (x) S", "x (y) S 1 2 3", "1 (y) S 1 a 3"}) {
    EXPECT_FALSE(ParseProcessStat(line, &process)) << line;
  }
}

}  // namespace
}  // namespace fairlead::device
