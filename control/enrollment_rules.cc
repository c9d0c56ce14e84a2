// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See enrollment_rules.h.
#include "control/enrollment_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/certificate_authority.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

using Action = EnrollmentDecision::Action;
using Key = v1::FirstAuthenticationKey;

constexpr int kMaxUsedByUnitIds = 100;

bool IsLive(const CertificateRecord& certificate, absl::Time now) {
  return !certificate.revoked && now < certificate.not_after;
}

EnrollmentDecision Refuse(absl::string_view why) {
  EnrollmentDecision decision;
  decision.refusal = std::string(why);
  return decision;
}

EnrollmentDecision ReturnExisting(std::size_t index) {
  EnrollmentDecision decision;
  decision.action = Action::kReturnExisting;
  decision.existing = index;
  return decision;
}

bool IsListed(const Key& key, const std::string& unit_id) {
  return std::find(key.unit_ids().begin(), key.unit_ids().end(), unit_id) != key.unit_ids().end();
}

// What the unit ID's certificates tell about its use of a key.
struct History {
  // It got a certificate for the key.
  bool used_key = false;
  // And that one was revoked, by a deletion or a later enrolment.
  bool revoked_key = false;
  // A live certificate for the same key pair and the same key: this is a retry.
  absl::optional<std::size_t> retry_of;
  // A live certificate for another key pair.
  bool other_key_pair = false;
};

History Recall(const Key& key, const std::vector<CertificateRecord>& certificates,
               const EnrollmentAttempt& attempt) {
  History history;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const CertificateRecord& certificate = certificates[i];
    const bool same_key = certificate.key_name == key.name();
    const bool same_pair = certificate.public_key_sha256 == attempt.public_key_sha256;
    const bool live = IsLive(certificate, attempt.now);
    history.used_key |= same_key;
    history.revoked_key |= same_key && certificate.revoked;
    history.other_key_pair |= live && !same_pair;
    if (live && same_key && same_pair && !history.retry_of.has_value()) history.retry_of = i;
  }
  return history;
}

// Why a key of this type admits no (further) device; empty if it does.
std::string TypeRefusal(const Key& key, const History& history, const EnrollmentAttempt& attempt) {
  switch (key.type()) {
    case Key::ONE_TIME:
      return key.use_count() > 0 ? "the one-time key was used already" : "";
    case Key::ONE_TIME_BOUND:
      if (!IsListed(key, attempt.unit_id)) return "the key is bound to other unit IDs";
      return history.used_key ? "the key was used already for this unit ID" : "";
    case Key::MASS_DEPLOYMENT:
      // A device that an administrator deleted still has its key: it needs a new one to return.
      return history.revoked_key && !attempt.device_exists
                 ? "the device was deleted after it had enrolled with this key"
                 : "";
    default:
      return "the key has an unknown type";
  }
}

// The decision to issue, unless the device got too many certificates within the last hour.
EnrollmentDecision IssueOrWait(const std::vector<CertificateRecord>& certificates, absl::Time now) {
  const absl::Time fresh = now + kLeafValidity - absl::Hours(1);
  const auto recent = std::count_if(
      certificates.begin(), certificates.end(),
      [fresh](const CertificateRecord& certificate) { return certificate.not_after > fresh; });
  EnrollmentDecision decision;
  decision.action = recent < kMaxCertificatesAnHour ? Action::kIssue : Action::kWait;
  if (decision.action == Action::kWait) {
    decision.refusal = "the device got too many certificates within an hour";
  }
  return decision;
}

}  // namespace

EnrollmentDecision DecideEnrollment(const absl::optional<Key>& key,
                                    const std::vector<CertificateRecord>& certificates,
                                    const EnrollmentAttempt& attempt) {
  if (!key.has_value()) return Refuse("no such key");
  if (key->disabled()) return Refuse("the key is disabled");
  const History history = Recall(*key, certificates, attempt);
  // A retry comes before expiry: the key was good when the certificate was issued, and a device
  // whose answer got lost at that moment would otherwise be left without one.
  if (history.retry_of.has_value()) return ReturnExisting(*history.retry_of);
  if (key->has_expire_time() && attempt.now >= FromTimestamp(key->expire_time())) {
    return Refuse("the key is expired");
  }
  const std::string refusal = TypeRefusal(*key, history, attempt);
  if (!refusal.empty()) return Refuse(refusal);
  EnrollmentDecision decision = IssueOrWait(certificates, attempt.now);
  decision.revoke_others = history.other_key_pair;
  decision.count_use = !history.used_key;
  return decision;
}

EnrollmentDecision DecideRenewal(absl::string_view presented_fingerprint,
                                 const std::vector<CertificateRecord>& certificates,
                                 const EnrollmentAttempt& attempt) {
  const auto presented = std::find_if(certificates.begin(), certificates.end(),
                                      [&](const CertificateRecord& certificate) {
                                        return certificate.fingerprint == presented_fingerprint;
                                      });
  if (presented == certificates.end()) return Refuse("the certificate is not on record");
  if (presented->revoked) return Refuse("the certificate is revoked");
  if (attempt.now >= presented->not_after) return Refuse("the certificate is expired");
  if (!attempt.device_exists) return Refuse("the device was deleted");
  // Newer than the one presented and for the requested key pair: its answer got lost.
  for (auto it = certificates.begin(); it != presented; ++it) {
    if (it->public_key_sha256 == attempt.public_key_sha256 && IsLive(*it, attempt.now)) {
      return ReturnExisting(static_cast<std::size_t>(it - certificates.begin()));
    }
  }
  return IssueOrWait(certificates, attempt.now);
}

void CountUse(absl::string_view unit_id, Key* key) {
  key->set_use_count(key->use_count() + 1);
  key->add_used_by_unit_ids(std::string(unit_id));
  if (key->used_by_unit_ids_size() > kMaxUsedByUnitIds) {
    key->mutable_used_by_unit_ids()->DeleteSubrange(
        0, key->used_by_unit_ids_size() - kMaxUsedByUnitIds);
  }
}

}  // namespace fairlead::control
