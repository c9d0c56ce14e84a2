// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The input queue against a plain string, and the splitting at interrupt keys by table.
#include "device/input_queue.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

TEST(InputQueue, BehavesLikeAString) {
  std::mt19937 random(1);
  InputQueue queue;
  std::string model;
  for (int step = 0; step < 3000; ++step) {
    if (random() % 2 == 0) {
      const std::string bytes(random() % 40'000, static_cast<char>('a' + step % 26));
      queue.Append(bytes);
      model += bytes;
    } else {
      const std::size_t count = std::min<std::size_t>(random() % 60'000, model.size());
      queue.Consume(count);
      model.erase(0, count);
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_TRUE(queue.front() == absl::string_view(model));
  }
  queue.Clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.front().empty());
}

InterruptKeys Usual() {
  InterruptKeys keys;
  keys.enabled = true;
  keys.interrupt = 0x03;
  keys.quit = 0x1C;
  keys.suspend = 0x1A;
  keys.literal_next = 0x16;
  return keys;
}

TEST(SplitAtInterrupts, ByTable) {
  struct Case {
    const char* chunk;
    const char* keys;
    const char* rest;
  };
  const Case cases[] = {
      {"", "", ""},
      {"plain", "", "plain"},
      {"\x03", "\x03", ""},
      {"abc\x03", "\x03", ""},
      {"abc\x03yes\n", "\x03", "yes\n"},
      {"a\x03"
       "b\x1A"
       "c\x1C"
       "d",
       "\x03\x1A\x1C", "d"},
      {"a\x16\x03"
       "b",
       "",
       "a\x16\x03"
       "b"},
      {"a\x16\x16\x03"
       "b",
       "\x03", "b"},
      {"a\x16", "", "a\x16"},
  };
  for (const Case& test : cases) {
    const InterruptSplit split = SplitAtInterrupts(test.chunk, Usual());
    EXPECT_EQ(split.keys, test.keys) << test.chunk;
    EXPECT_EQ(std::string(split.rest), test.rest) << test.chunk;
  }
}

TEST(SplitAtInterrupts, PassesAllWhenTheTerminalDoes) {
  InterruptKeys keys = Usual();
  keys.enabled = false;
  EXPECT_EQ(SplitAtInterrupts("a\x03"
                              "b",
                              keys)
                .keys,
            "");
  EXPECT_EQ(std::string(SplitAtInterrupts("a\x03"
                                          "b",
                                          keys)
                            .rest),
            "a\x03"
            "b");
}

TEST(SplitAtInterrupts, ADisabledKeyIsNotTheZeroByte) {
  InterruptKeys keys = Usual();
  keys.interrupt = 0;
  keys.literal_next = 0;
  const std::string zeros(3, '\0');
  EXPECT_EQ(SplitAtInterrupts(zeros, keys).keys, "");
}

}  // namespace
}  // namespace fairlead::device
