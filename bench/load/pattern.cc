// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/pattern.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace fairlead::bench {
namespace {

// A prime, so that a stream repeats itself at no boundary of messages or records.
constexpr std::uint64_t kPeriod = 1'048'573;

const std::vector<char>& Table() {
  static const std::vector<char>* const table = [] {
    auto* made = new std::vector<char>(kPeriod + kPatternRun);
    std::uint64_t state = 88172645463325252;
    for (std::uint64_t i = 0; i < kPeriod; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      (*made)[i] = static_cast<char>(state >> 32);
    }
    std::copy_n(made->begin(), kPatternRun, made->begin() + kPeriod);
    return made;
  }();
  return *table;
}

}  // namespace

const char* BytesAt(std::uint64_t seed, std::uint64_t offset) {
  return Table().data() + (seed * 7919 + offset) % kPeriod;
}

bool IsPattern(std::uint64_t seed, std::uint64_t offset, const char* data, std::size_t size) {
  while (size > 0) {
    const std::size_t part = std::min(size, kPatternRun);
    if (std::memcmp(BytesAt(seed, offset), data, part) != 0) return false;
    data += part;
    offset += part;
    size -= part;
  }
  return true;
}

}  // namespace fairlead::bench
