// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Password hashes: the right password alone verifies, and the cost is what the encoding says.
#include "control/password.h"

#include <thread>
#include <vector>

#include "base/status_matchers.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::StartsWith;

constexpr PasswordCost kCheap = {64, 1, 1};

TEST(PasswordHasher, VerifiesTheRightPasswordAlone) {
  PasswordHasher hasher(kCheap);
  const std::string password("with\0a zero", 11);
  const std::string encoded = hasher.Hash(password).value();

  EXPECT_TRUE(hasher.Verify(password, encoded));
  EXPECT_FALSE(hasher.Verify("with", encoded));
  EXPECT_FALSE(hasher.Verify("", encoded));
  EXPECT_FALSE(hasher.Verify(password, ""));
  EXPECT_FALSE(hasher.Verify(password, "$argon2id$damaged"));
  EXPECT_NE(hasher.Hash(password).value(), encoded) << "each hash has a salt of its own";
}

TEST(PasswordHasher, UsesTheRecommendedCostByDefault) {
  PasswordHasher hasher;

  EXPECT_THAT(hasher.Hash("x").value(), StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
}

TEST(PasswordHasher, ManyThreadsShareFewSlots) {
  PasswordHasher hasher(kCheap, 2);
  const std::string encoded = hasher.Hash("right").value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(hasher.Verify("right", encoded));
      hasher.VerifyNobody("wrong");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace fairlead::control
