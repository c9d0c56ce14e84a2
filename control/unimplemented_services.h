// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The services of the contract that this version does not implement: each method answers
// UNIMPLEMENTED with a sentence that names the method and what to use meanwhile.
#ifndef FAIRLEAD_CONTROL_UNIMPLEMENTED_SERVICES_H_
#define FAIRLEAD_CONTROL_UNIMPLEMENTED_SERVICES_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "control/call.h"
#include "proto/role.grpc.pb.h"
#include "proto/user.grpc.pb.h"

namespace fairlead::control {

// "`method` is not available in this version; `meanwhile`."
absl::Status UnimplementedMethod(absl::string_view method, absl::string_view meanwhile);

// Ends the call with UNIMPLEMENTED, for callers with a token; others get UNAUTHENTICATED as from
// any method.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* RefuseUnimplemented(const CallSupport& support,
                                              grpc::CallbackServerContext* context,
                                              const Request* request, Response* response,
                                              absl::string_view method,
                                              absl::string_view meanwhile) {
  return UnaryCall(support, context, request, response,
                   [method, meanwhile](const Caller&, const Request&, Response*) {
                     return UnimplementedMethod(method, meanwhile);
                   });
}

class UserService : public v1::UserService::CallbackService {
 public:
  explicit UserService(const CallSupport& support) : support_(support) {}

  grpc::ServerUnaryReactor* CreateUser(grpc::CallbackServerContext* context,
                                       const v1::CreateUserRequest* request,
                                       v1::User* response) override;
  grpc::ServerUnaryReactor* GetUser(grpc::CallbackServerContext* context,
                                    const v1::GetUserRequest* request, v1::User* response) override;
  grpc::ServerUnaryReactor* ListUsers(grpc::CallbackServerContext* context,
                                      const v1::ListUsersRequest* request,
                                      v1::ListUsersResponse* response) override;
  grpc::ServerUnaryReactor* UpdateUser(grpc::CallbackServerContext* context,
                                       const v1::UpdateUserRequest* request,
                                       v1::User* response) override;
  grpc::ServerUnaryReactor* ChangePassword(grpc::CallbackServerContext* context,
                                           const v1::ChangePasswordRequest* request,
                                           v1::ChangePasswordResponse* response) override;
  grpc::ServerUnaryReactor* DeleteUser(grpc::CallbackServerContext* context,
                                       const v1::DeleteUserRequest* request,
                                       v1::DeleteUserResponse* response) override;

 private:
  const CallSupport support_;
};

class RoleService : public v1::RoleService::CallbackService {
 public:
  explicit RoleService(const CallSupport& support) : support_(support) {}

  grpc::ServerUnaryReactor* CreateRole(grpc::CallbackServerContext* context,
                                       const v1::CreateRoleRequest* request,
                                       v1::Role* response) override;
  grpc::ServerUnaryReactor* GetRole(grpc::CallbackServerContext* context,
                                    const v1::GetRoleRequest* request, v1::Role* response) override;
  grpc::ServerUnaryReactor* ListRoles(grpc::CallbackServerContext* context,
                                      const v1::ListRolesRequest* request,
                                      v1::ListRolesResponse* response) override;
  grpc::ServerUnaryReactor* UpdateRole(grpc::CallbackServerContext* context,
                                       const v1::UpdateRoleRequest* request,
                                       v1::Role* response) override;
  grpc::ServerUnaryReactor* DeleteRole(grpc::CallbackServerContext* context,
                                       const v1::DeleteRoleRequest* request,
                                       v1::DeleteRoleResponse* response) override;

 private:
  const CallSupport support_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_UNIMPLEMENTED_SERVICES_H_
