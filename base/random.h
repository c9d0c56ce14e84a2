// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Randomness that an attacker cannot predict, and the identifiers made of it.
#ifndef FAIRLEAD_BASE_RANDOM_H_
#define FAIRLEAD_BASE_RANDOM_H_

#include <cstddef>
#include <string>

namespace fairlead {

// `size` bytes from the kernel's generator (getrandom). Aborts if the kernel has none.
std::string RandomBytes(std::size_t size);

// A ticket or token: 256 random bits, base64url without padding, 43 characters.
std::string RandomSecret();

// An identifier for a resource: 96 random bits, 24 lower-case hexadecimal digits.
std::string RandomId();

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_RANDOM_H_
