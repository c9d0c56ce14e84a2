// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// EnrollmentService: creates, lists and withdraws first-authentication keys.
#ifndef FAIRLEAD_CONTROL_ENROLLMENT_SERVICE_H_
#define FAIRLEAD_CONTROL_ENROLLMENT_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "control/audit_log.h"
#include "control/call.h"
#include "control/store.h"
#include "proto/enrollment.grpc.pb.h"

namespace fairlead::control {

// Checks what a caller may set on a new key. Pure.
// Errors: INVALID_ARGUMENT, naming the field and its range.
absl::Status CheckNewKey(const v1::FirstAuthenticationKey& key, absl::Time now);

// Lifetime: all parameters outlive it; it outlives the gRPC server.
class EnrollmentService : public v1::EnrollmentService::CallbackService {
 public:
  EnrollmentService(const CallSupport& support, Store& store, AuditLog& audit, const Clock& clock)
      : support_(support), store_(store), audit_(audit), clock_(clock) {}

  grpc::ServerUnaryReactor* CreateFirstAuthenticationKey(
      grpc::CallbackServerContext* context, const v1::CreateFirstAuthenticationKeyRequest* request,
      v1::FirstAuthenticationKey* response) override;
  grpc::ServerUnaryReactor* ListFirstAuthenticationKeys(
      grpc::CallbackServerContext* context, const v1::ListFirstAuthenticationKeysRequest* request,
      v1::ListFirstAuthenticationKeysResponse* response) override;
  grpc::ServerUnaryReactor* DisableFirstAuthenticationKey(
      grpc::CallbackServerContext* context, const v1::DisableFirstAuthenticationKeyRequest* request,
      v1::FirstAuthenticationKey* response) override;
  grpc::ServerUnaryReactor* DeleteFirstAuthenticationKey(
      grpc::CallbackServerContext* context, const v1::DeleteFirstAuthenticationKeyRequest* request,
      v1::DeleteFirstAuthenticationKeyResponse* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::FirstAuthenticationKey& wanted,
                      v1::FirstAuthenticationKey* created);
  absl::Status List(const v1::ListFirstAuthenticationKeysRequest& request,
                    v1::ListFirstAuthenticationKeysResponse* response);
  absl::Status Disable(const Caller& caller, const std::string& name,
                       v1::FirstAuthenticationKey* disabled);
  absl::Status Delete(const Caller& caller, const std::string& name);
  absl::Status Audit(const Caller& caller, const std::string& action, const std::string& name,
                     v1::AuditEvent::Outcome outcome, const std::string& detail);

  const CallSupport support_;
  Store& store_;
  AuditLog& audit_;
  const Clock& clock_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_ENROLLMENT_SERVICE_H_
