// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See unimplemented_services.h.
#include "control/unimplemented_services.h"

#include "absl/strings/str_cat.h"
#include "control/call.h"

namespace fairlead::control {
namespace {

constexpr absl::string_view kUserMeanwhile =
    "the administrator made at the first start is the only user; log in as that one";
constexpr absl::string_view kRoleMeanwhile = "every user has the role roles/administrator";

}  // namespace

absl::Status UnimplementedMethod(absl::string_view method, absl::string_view meanwhile) {
  return absl::UnimplementedError(
      absl::StrCat(method, " is not available in this version; ", meanwhile, "."));
}

grpc::ServerUnaryReactor* UserService::CreateUser(grpc::CallbackServerContext* context,
                                                  const v1::CreateUserRequest* request,
                                                  v1::User* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.CreateUser",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::GetUser(grpc::CallbackServerContext* context,
                                               const v1::GetUserRequest* request,
                                               v1::User* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.GetUser",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::ListUsers(grpc::CallbackServerContext* context,
                                                 const v1::ListUsersRequest* request,
                                                 v1::ListUsersResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.ListUsers",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::UpdateUser(grpc::CallbackServerContext* context,
                                                  const v1::UpdateUserRequest* request,
                                                  v1::User* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.UpdateUser",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::ChangePassword(grpc::CallbackServerContext* context,
                                                      const v1::ChangePasswordRequest* request,
                                                      v1::ChangePasswordResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.ChangePassword",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::DeleteUser(grpc::CallbackServerContext* context,
                                                  const v1::DeleteUserRequest* request,
                                                  v1::DeleteUserResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "UserService.DeleteUser",
                             kUserMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::CreateRole(grpc::CallbackServerContext* context,
                                                  const v1::CreateRoleRequest* request,
                                                  v1::Role* response) {
  return RefuseUnimplemented(support_, context, request, response, "RoleService.CreateRole",
                             kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::GetRole(grpc::CallbackServerContext* context,
                                               const v1::GetRoleRequest* request,
                                               v1::Role* response) {
  return RefuseUnimplemented(support_, context, request, response, "RoleService.GetRole",
                             kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::ListRoles(grpc::CallbackServerContext* context,
                                                 const v1::ListRolesRequest* request,
                                                 v1::ListRolesResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "RoleService.ListRoles",
                             kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::UpdateRole(grpc::CallbackServerContext* context,
                                                  const v1::UpdateRoleRequest* request,
                                                  v1::Role* response) {
  return RefuseUnimplemented(support_, context, request, response, "RoleService.UpdateRole",
                             kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::DeleteRole(grpc::CallbackServerContext* context,
                                                  const v1::DeleteRoleRequest* request,
                                                  v1::DeleteRoleResponse* response) {
  return RefuseUnimplemented(support_, context, request, response, "RoleService.DeleteRole",
                             kRoleMeanwhile);
}

}  // namespace fairlead::control
