// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See password.h.
#include "control/password.h"

#include <argon2.h>

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

}  // namespace

// The right to compute, for as long as it lives.
class PasswordHasher::Slot {
 public:
  explicit Slot(PasswordHasher& hasher) : hasher_(hasher) {
    hasher_.mutex_.LockWhen(absl::Condition(
        +[](int* free) { return *free > 0; }, &hasher_.free_slots_));
    --hasher_.free_slots_;
    hasher_.mutex_.Unlock();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    const absl::MutexLock lock(&hasher_.mutex_);
    ++hasher_.free_slots_;
  }

 private:
  PasswordHasher& hasher_;
};

PasswordHasher::PasswordHasher(PasswordCost cost, int max_concurrent)
    : cost_(cost), free_slots_(max_concurrent) {
  // Without memory nobody_ stays empty, and Verify fails fast: log-in is then impossible anyhow.
  nobody_ = Hash(RandomSecret()).value_or(std::string());
}

absl::StatusOr<std::string> PasswordHasher::Hash(absl::string_view password) {
  const Slot slot(*this);
  const std::string salt = RandomBytes(kSaltBytes);
  const std::size_t size = argon2_encodedlen(cost_.passes, cost_.memory_kib, cost_.lanes,
                                             kSaltBytes, kHashBytes, Argon2_id);
  std::string encoded(size, '\0');
  const int result = argon2id_hash_encoded(cost_.passes, cost_.memory_kib, cost_.lanes,
                                           password.data(), password.size(), salt.data(),
                                           salt.size(), kHashBytes, &encoded[0], size);
  if (result != ARGON2_OK) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "Cannot compute a password hash: ", argon2_error_message(result), "; try again."));
  }
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool PasswordHasher::Verify(absl::string_view password, const std::string& encoded) {
  const Slot slot(*this);
  return argon2id_verify(encoded.c_str(), password.data(), password.size()) == ARGON2_OK;
}

void PasswordHasher::VerifyNobody(absl::string_view password) { (void)Verify(password, nobody_); }

}  // namespace fairlead::control
