// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the server shows when it dials an ICG or an OS 11 device. The key lives in memory only and
// is replaced daily. Used by the links to ICGs and by the server's own edge.
#ifndef FAIRLEAD_CONTROL_LINK_IDENTITY_H_
#define FAIRLEAD_CONTROL_LINK_IDENTITY_H_

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/clock.h"
#include "base/status.h"
#include "control/certificate_authority.h"

namespace fairlead::control {

// Thread: any. Lifetime: authority and clock outlive it.
class LinkIdentity {
 public:
  LinkIdentity(const CertificateAuthority& authority, std::string server_name, const Clock& clock)
      : authority_(authority), server_name_(std::move(server_name)), clock_(clock) {}

  // The identity of today. Making one for each of many dials would cost more than the dials.
  // Errors: as CertificateAuthority::IssueLinkIdentity.
  absl::StatusOr<IssuedIdentity> Get() {
    absl::MutexLock lock(&mutex_);
    const absl::Duration age = clock_.Now() - made_;
    // A clock that was put back or far forward makes the present one worthless.
    if (!identity_.has_value() || age < absl::ZeroDuration() || age > absl::Hours(24)) {
      FAIRLEAD_ASSIGN_OR_RETURN(identity_, authority_.IssueLinkIdentity(server_name_));
      made_ = clock_.Now();
    }
    return *identity_;
  }

 private:
  const CertificateAuthority& authority_;
  const std::string server_name_;
  const Clock& clock_;
  absl::Mutex mutex_;
  absl::optional<IssuedIdentity> identity_ ABSL_GUARDED_BY(mutex_);
  absl::Time made_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_LINK_IDENTITY_H_
