// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// IcgService: registers, shows and deletes ICGs, for callers.
#ifndef FAIRLEAD_CONTROL_ICG_SERVICE_H_
#define FAIRLEAD_CONTROL_ICG_SERVICE_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "control/audit_log.h"
#include "control/call.h"
#include "control/certificate_authority.h"
#include "control/device_directory.h"
#include "control/edge_board.h"
#include "control/icg_links.h"
#include "control/store.h"
#include "proto/icg.grpc.pb.h"

namespace fairlead::control {

// Checks an ICG to be registered; the result has what a caller may set, and nothing else.
// Errors: INVALID_ARGUMENT, naming the field and what it takes.
absl::StatusOr<v1::Icg> CheckNewIcg(const v1::Icg& icg);

// The names for a new ICG's certificate: the hosts of both addresses, and `further`.
// Errors: INVALID_ARGUMENT too many.
absl::StatusOr<std::vector<std::string>> CertificateNames(const v1::Icg& icg,
                                                          const std::vector<std::string>& further);

// What the service works with. Lifetime: all of it outlives the service.
struct IcgSupport {
  Store& store;
  const CertificateAuthority& authority;
  AuditLog& audit;
  const Clock& clock;
  IcgLinks& links;
  const EdgeBoard& board;
  const DeviceDirectory& directory;
};

// Lifetime: `support` outlives it; it outlives the gRPC server.
class IcgService : public v1::IcgService::CallbackService {
 public:
  IcgService(const CallSupport& calls, IcgSupport support) : calls_(calls), support_(support) {}

  grpc::ServerUnaryReactor* RegisterIcg(grpc::CallbackServerContext* context,
                                        const v1::RegisterIcgRequest* request,
                                        v1::RegisterIcgResponse* response) override;
  grpc::ServerUnaryReactor* ListIcgs(grpc::CallbackServerContext* context,
                                     const v1::ListIcgsRequest* request,
                                     v1::ListIcgsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteIcg(grpc::CallbackServerContext* context,
                                      const v1::DeleteIcgRequest* request,
                                      v1::DeleteIcgResponse* response) override;

 private:
  absl::Status Register(const Caller& caller, const v1::RegisterIcgRequest& request,
                        v1::RegisterIcgResponse* response);
  // Keeps the ICG, its certificate and the audit event, in one transaction.
  absl::Status Insert(const Caller& caller, const v1::Icg& icg, const IssuedIdentity& identity);
  absl::Status List(const v1::ListIcgsRequest& request, v1::ListIcgsResponse* response) const;
  absl::Status Delete(const Caller& caller, const v1::DeleteIcgRequest& request);
  // Forgets the ICG and revokes its certificates, whose fingerprints are returned.
  absl::StatusOr<std::vector<std::string>> Erase(const Caller& caller, const std::string& name);
  // Adds what the link says.
  void ShowStanding(v1::Icg& icg) const;

  const CallSupport calls_;
  const IcgSupport support_;
  // Held while an ICG is registered or deleted, so that store and links agree.
  absl::Mutex change_mutex_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_ICG_SERVICE_H_
