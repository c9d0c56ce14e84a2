// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Password hashes: argon2id in its encoded form, which carries parameters and salt. Used by log-in
// and by the creation of users.
#ifndef FAIRLEAD_CONTROL_PASSWORD_H_
#define FAIRLEAD_CONTROL_PASSWORD_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace fairlead::control {

// What one computation costs. The defaults are OWASP's for argon2id.
struct PasswordCost {
  std::uint32_t memory_kib = 19 * 1024;
  std::uint32_t passes = 2;
  std::uint32_t lanes = 1;
};

// Thread: any; each call computes for some 20 ms, and at most `max_concurrent` do so at once.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordCost cost = PasswordCost(), int max_concurrent = 2);

  // The encoded hash with a fresh salt. Errors: RESOURCE_EXHAUSTED no memory.
  absl::StatusOr<std::string> Hash(absl::string_view password);

  // Whether `password` is the one of `encoded`. The time taken tells nothing about the difference.
  bool Verify(absl::string_view password, const std::string& encoded);

  // Takes as long as Verify does, for a user that does not exist.
  void VerifyNobody(absl::string_view password);

 private:
  class Slot;

  const PasswordCost cost_;
  // The hash of a random password.
  std::string nobody_;
  absl::Mutex mutex_;
  int free_slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_PASSWORD_H_
