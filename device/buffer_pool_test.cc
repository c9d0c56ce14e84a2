// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// That a buffer is lent to one borrower at a time, and kept for the next alone.
#include "device/buffer_pool.h"

#include <cstring>
#include <optional>

#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

TEST(BufferPool, LendsTheBufferThatCameBack) {
  const auto pool = BufferPool::Create();
  const char* first = nullptr;
  {
    const BufferPool::Loan loan(*pool);
    first = loan.data();
    EXPECT_EQ(pool->lent(), 1u);
  }
  EXPECT_EQ(pool->lent(), 0u);
  const BufferPool::Loan loan(*pool);
  EXPECT_EQ(loan.data(), first);
}

TEST(BufferPool, LendsEachBorrowerHisOwn) {
  const auto pool = BufferPool::Create();
  const BufferPool::Loan one(*pool);
  const BufferPool::Loan two(*pool);
  EXPECT_EQ(pool->lent(), 2u);
  std::memset(one.data(), 1, BufferPool::kBufferBytes);
  std::memset(two.data(), 2, BufferPool::kBufferBytes);
  EXPECT_EQ(one.data()[BufferPool::kBufferBytes - 1], 1);
  EXPECT_EQ(two.data()[0], 2);
}

TEST(BufferPool, OutlivesItsOwnerUntilTheLastLoanEnds) {
  auto pool = BufferPool::Create();
  std::optional<BufferPool::Loan> loan(std::in_place, *pool);
  const std::weak_ptr<BufferPool> watched = pool;
  pool.reset();
  EXPECT_FALSE(watched.expired());
  loan->data()[0] = 'x';
  loan.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace fairlead::device
