// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// SHA-256 of a string, as the store keeps tokens, keys and certificates. Used throughout control.
#ifndef FAIRLEAD_CONTROL_SHA256_H_
#define FAIRLEAD_CONTROL_SHA256_H_

#include <openssl/sha.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace fairlead::control {

// 32 bytes.
inline std::string Sha256(absl::string_view data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(),
         reinterpret_cast<std::uint8_t*>(&digest[0]));
  return digest;
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SHA256_H_
