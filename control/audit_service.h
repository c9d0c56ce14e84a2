// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// AuditService: shows the audit log.
#ifndef FAIRLEAD_CONTROL_AUDIT_SERVICE_H_
#define FAIRLEAD_CONTROL_AUDIT_SERVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "control/call.h"
#include "control/store.h"
#include "proto/audit.grpc.pb.h"

namespace fairlead::control {

// Selects audit events; all terms must hold. The default selects every event.
class AuditFilter {
 public:
  // Parses the filter of ListAuditEventsRequest.
  // Errors: INVALID_ARGUMENT too long, an unknown term, or a value that its key does not take.
  static absl::StatusOr<AuditFilter> Parse(absl::string_view text);

  bool Matches(const v1::AuditEvent& event) const;

 private:
  absl::Status AddTerm(absl::string_view term);

  absl::optional<std::string> actor_;
  absl::optional<std::string> action_;
  absl::optional<std::string> resource_;
  absl::optional<v1::AuditEvent::Outcome> outcome_;
};

// Lifetime: all parameters outlive it; it outlives the gRPC server.
class AuditService : public v1::AuditService::CallbackService {
 public:
  AuditService(const CallSupport& support, Store& store) : support_(support), store_(store) {}

  grpc::ServerUnaryReactor* ListAuditEvents(grpc::CallbackServerContext* context,
                                            const v1::ListAuditEventsRequest* request,
                                            v1::ListAuditEventsResponse* response) override;
  // Answers UNIMPLEMENTED.
  grpc::ServerUnaryReactor* VerifyAuditLog(grpc::CallbackServerContext* context,
                                           const v1::VerifyAuditLogRequest* request,
                                           v1::VerifyAuditLogResponse* response) override;

 private:
  absl::Status List(const v1::ListAuditEventsRequest& request,
                    v1::ListAuditEventsResponse* response);

  const CallSupport support_;
  Store& store_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_AUDIT_SERVICE_H_
