// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The rules of enrolment and renewal: given what the store knows, may this device have a
// certificate? Pure decisions, used by StoreEstHandler within one transaction. No I/O.
#ifndef FAIRLEAD_CONTROL_ENROLLMENT_RULES_H_
#define FAIRLEAD_CONTROL_ENROLLMENT_RULES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "control/store.h"

namespace fairlead::control {

// Certificates for one unit ID within an hour before it must wait: a broken agent must not fill the
// disk.
inline constexpr int kMaxCertificatesAnHour = 12;

struct EnrollmentDecision {
  enum class Action {
    // Issue a new certificate.
    kIssue,
    // Answer a retry with the certificate at index `existing`; nothing changes.
    kReturnExisting,
    // Issue nothing; `refusal` is for the audit log, the device learns less.
    kRefuse,
    // Issue nothing now; the device may try again after an hour.
    kWait,
  };
  Action action = Action::kRefuse;
  std::size_t existing = 0;
  // kIssue: the device comes with another key pair than before, so revoke its older certificates.
  bool revoke_others = false;
  // kIssue: the first enrolment of this unit ID with this key, which counts as a use.
  bool count_use = false;
  std::string refusal;
};

// Who wants to enrol.
struct EnrollmentAttempt {
  std::string unit_id;
  // SHA-256 of the requested SubjectPublicKeyInfo.
  std::string public_key_sha256;
  absl::Time now;
  // Whether the directory has the device.
  bool device_exists = false;
};

// May the device enrol with `key` (nothing: no key has this secret)? `certificates` are all that
// the unit ID ever got, newest first.
EnrollmentDecision DecideEnrollment(const absl::optional<v1::FirstAuthenticationKey>& key,
                                    const std::vector<CertificateRecord>& certificates,
                                    const EnrollmentAttempt& attempt);

// May the device that showed the certificate with `presented_fingerprint` renew it?
EnrollmentDecision DecideRenewal(absl::string_view presented_fingerprint,
                                 const std::vector<CertificateRecord>& certificates,
                                 const EnrollmentAttempt& attempt);

// Records a use of `key` by `unit_id`.
void CountUse(absl::string_view unit_id, v1::FirstAuthenticationKey* key);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_ENROLLMENT_RULES_H_
