// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The bytes that the load generator sends and expects: pseudo-random, known from session and
// offset alone, and compared at the speed of memcmp, so that every byte can be verified.
#ifndef FAIRLEAD_BENCH_LOAD_PATTERN_H_
#define FAIRLEAD_BENCH_LOAD_PATTERN_H_

#include <cstddef>
#include <cstdint>

namespace fairlead::bench {

// The longest run that BytesAt gives.
inline constexpr std::size_t kPatternRun = 1 << 20;

// At least kPatternRun bytes of stream `seed` from `offset` on.
const char* BytesAt(std::uint64_t seed, std::uint64_t offset);

// Whether `data` is what the stream has there.
bool IsPattern(std::uint64_t seed, std::uint64_t offset, const char* data, std::size_t size);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_PATTERN_H_
