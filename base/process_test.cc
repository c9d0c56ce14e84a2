// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the mains do alike, as far as it shows within a process.
#include "base/process.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace fairlead {
namespace {

rlimit OpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

TEST(Process, MayOpenAsManyFilesAsTheSystemAllows) {
  rlimit low = OpenFiles();
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);

  EXPECT_EQ(RaiseOpenFileLimit(), low.rlim_max);
  EXPECT_EQ(OpenFiles().rlim_cur, low.rlim_max);
  // Again changes nothing.
  EXPECT_EQ(RaiseOpenFileLimit(), low.rlim_max);
}

}  // namespace
}  // namespace fairlead
