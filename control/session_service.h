// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// SessionService: opening, showing, following and ending sessions, for callers.
#ifndef FAIRLEAD_CONTROL_SESSION_SERVICE_H_
#define FAIRLEAD_CONTROL_SESSION_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/call.h"
#include "control/session_board.h"
#include "control/session_coordinator.h"
#include "control/store.h"
#include "control/watch_support.h"
#include "proto/session.grpc.pb.h"

namespace fairlead::control {

// Lifetime: all parameters outlive it; it outlives the gRPC server.
class SessionService : public v1::SessionService::CallbackService {
 public:
  SessionService(const CallSupport& support, const WatchSupport& watches,
                 SessionCoordinator& coordinator, SessionBoard& board, Store& store)
      : support_(support),
        watches_(watches),
        coordinator_(coordinator),
        board_(board),
        store_(store) {}

  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* context,
                                          const v1::CreateSessionRequest* request,
                                          v1::Session* response) override;
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const v1::GetSessionRequest* request,
                                       v1::Session* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;
  grpc::ServerWriteReactor<v1::Session>* WatchSession(
      grpc::CallbackServerContext* context, const v1::WatchSessionRequest* request) override;
  grpc::ServerUnaryReactor* TerminateSession(grpc::CallbackServerContext* context,
                                             const v1::TerminateSessionRequest* request,
                                             v1::Session* response) override;

 private:
  absl::StatusOr<v1::Session> Get(const std::string& name);
  absl::Status List(const v1::ListSessionsRequest& request, v1::ListSessionsResponse* response);

  const CallSupport support_;
  const WatchSupport watches_;
  SessionCoordinator& coordinator_;
  SessionBoard& board_;
  Store& store_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_SERVICE_H_
