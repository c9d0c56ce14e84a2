// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what base makes of and for text: identifiers, and peers' strings in log lines.
#include <set>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "gtest/gtest.h"

namespace fairlead {
namespace {

TEST(Random, SecretsAre43UrlSafeCharactersAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = RandomSecret();
    EXPECT_EQ(secret.size(), 43u);
    EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
              std::string::npos);
    seen.insert(secret);
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(RandomId().size(), 24u);
  EXPECT_EQ(RandomBytes(0), "");
}

TEST(Printable, EscapesWhatWouldForgeALogLine) {
  EXPECT_EQ(Printable("plain"), "plain");
  EXPECT_EQ(Printable("it's a\nb\x1b[2J\\"), "it's a\\x0ab\\x1b[2J\\x5c");
  EXPECT_EQ(Printable(std::string(300, 'x')), std::string(200, 'x') + "...");
}

TEST(InitLog, RefusesAnUnknownLevel) {
  EXPECT_THAT(InitLog("test", "loud"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(InitLog("test", "warn"), IsOk());
}

}  // namespace
}  // namespace fairlead
