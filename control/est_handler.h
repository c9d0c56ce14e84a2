// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// EST (RFC 7030) over the store and the certificate authority: checks the first-authentication key
// or the present certificate, and issues the next one. The embedded server's EstHandler.
#ifndef FAIRLEAD_CONTROL_EST_HANDLER_H_
#define FAIRLEAD_CONTROL_EST_HANDLER_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "control/audit_log.h"
#include "control/certificate_authority.h"
#include "control/device_directory.h"
#include "control/enrollment_rules.h"
#include "control/est.h"
#include "control/login_throttle.h"
#include "control/store.h"

namespace fairlead::control {

// Consuming the key, recording certificate and device, and the audit event are one transaction,
// after which the directory shows the device.
// Lifetime: all parameters outlive it.
class StoreEstHandler : public EstHandler {
 public:
  // `observer` may be null; it is called when the directory shows the device, for enrolments and
  // for renewals, whose device has a new certificate_expire_time.
  StoreEstHandler(Store& store, const CertificateAuthority& authority, DeviceDirectory& directory,
                  AuditLog& audit, const Clock& clock, EnrollmentObserver* observer,
                  ThrottleOptions throttle = ThrottleOptions());

  v1::EstResponse Handle(const v1::EstRequest& request) override;

 private:
  // What a transaction came to.
  struct Result {
    EnrollmentDecision decision;
    std::string certificate_der;
    v1::Device device;
    // Fingerprints of the certificates that were revoked.
    std::vector<std::string> revoked;
  };

  v1::EstResponse CaCerts() const;
  v1::EstResponse Enroll(const v1::EstRequest& request);
  v1::EstResponse Reenroll(const v1::EstRequest& request);

  // Runs `decide`, which fills `result`, in a transaction.
  absl::Status Transact(absl::FunctionRef<absl::Status()> decide, const Result& result);
  // The work of the two transactions.
  absl::Status DecideAndEnroll(const v1::EstRequest& request, const CertificateRequest& csr,
                               Result* result);
  absl::Status DecideAndRenew(const v1::EstRequest& request, const std::string& unit_id,
                              const CertificateRequest& csr, Result* result);
  // Issues and records a certificate for result->device.
  absl::Status Issue(const CertificateRequest& csr, const std::string& key_name, Result* result);
  absl::Status LoadDevice(const std::string& unit_id, bool* exists, v1::Device* device);

  v1::EstResponse Answer(const Result& result);
  v1::EstResponse RefuseEnrollment(const v1::EstRequest& request, const std::string& why);
  v1::EstResponse RefuseRenewal(const v1::EstRequest& request, const std::string& actor,
                                const std::string& why);
  absl::Status Audit(const v1::EstRequest& request, const std::string& actor,
                     const std::string& unit_id, v1::AuditEvent::Outcome outcome,
                     const std::string& detail);

  Store& store_;
  const CertificateAuthority& authority_;
  DeviceDirectory& directory_;
  AuditLog& audit_;
  const Clock& clock_;
  EnrollmentObserver* const observer_;
  LoginThrottle throttle_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EST_HANDLER_H_
