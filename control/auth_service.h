// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// AuthService: log-in, log-out, and who am I. Log-in runs on threads of its own, so that password
// hashing cannot delay other calls.
#ifndef FAIRLEAD_CONTROL_AUTH_SERVICE_H_
#define FAIRLEAD_CONTROL_AUTH_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/executor.h"
#include "control/audit_log.h"
#include "control/authenticator.h"
#include "control/call.h"
#include "control/login_throttle.h"
#include "control/password.h"
#include "control/store.h"
#include "proto/auth.grpc.pb.h"

namespace fairlead::control {

// Lifetime: all parameters outlive it; it outlives the gRPC server.
class AuthService : public v1::AuthService::CallbackService {
 public:
  AuthService(const CallSupport& support, const TokenAuthenticator& tokens, Store& store,
              AuditLog& audit, const Clock& clock, PasswordHasher& hasher,
              ThrottleOptions throttle = ThrottleOptions());

  grpc::ServerUnaryReactor* Login(grpc::CallbackServerContext* context,
                                  const v1::LoginRequest* request,
                                  v1::LoginResponse* response) override;
  grpc::ServerUnaryReactor* Logout(grpc::CallbackServerContext* context,
                                   const v1::LogoutRequest* request,
                                   v1::LogoutResponse* response) override;
  grpc::ServerUnaryReactor* GetCaller(grpc::CallbackServerContext* context,
                                      const v1::GetCallerRequest* request,
                                      v1::Caller* response) override;

 private:
  absl::Status DoLogin(const Caller& caller, const v1::LoginRequest& request,
                       v1::LoginResponse* response);
  // The user, if name and password are right. Errors: NOT_FOUND they are not.
  absl::StatusOr<UserRecord> CheckPassword(const v1::LoginRequest& request);
  absl::Status Grant(const Caller& caller, UserRecord user, v1::LoginResponse* response);
  absl::Status DoLogout(const Caller& caller);
  void AuditRefusal(const Caller& caller, const std::string& username, absl::string_view why);

  const CallSupport support_;
  const TokenAuthenticator& tokens_;
  Store& store_;
  AuditLog& audit_;
  const Clock& clock_;
  PasswordHasher& hasher_;
  LoginThrottle throttle_;
  // Declared last: it stops, finishing its calls, before what they use goes.
  ThreadExecutor login_workers_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_AUTH_SERVICE_H_
