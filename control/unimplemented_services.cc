// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See unimplemented_services.h.
#include "control/unimplemented_services.h"

#include "absl/strings/str_cat.h"
#include "control/call.h"

namespace fairlead::control {
namespace {

constexpr absl::string_view kIcgMeanwhile = "connect devices to this server directly";
constexpr absl::string_view kUserMeanwhile =
    "the administrator made at the first start is the only user; log in as that one";
constexpr absl::string_view kRoleMeanwhile = "every user has the role roles/administrator";

}  // namespace

grpc::ServerUnaryReactor* RefuseUnimplemented(grpc::CallbackServerContext* context,
                                              absl::string_view method,
                                              absl::string_view meanwhile) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(absl::UnimplementedError(
      absl::StrCat(method, " is not available in this version; ", meanwhile, "."))));
  return reactor;
}

grpc::ServerUnaryReactor* IcgService::RegisterIcg(grpc::CallbackServerContext* context,
                                                  const v1::RegisterIcgRequest*,
                                                  v1::RegisterIcgResponse*) {
  return RefuseUnimplemented(context, "IcgService.RegisterIcg", kIcgMeanwhile);
}

grpc::ServerUnaryReactor* IcgService::ListIcgs(grpc::CallbackServerContext* context,
                                               const v1::ListIcgsRequest*, v1::ListIcgsResponse*) {
  return RefuseUnimplemented(context, "IcgService.ListIcgs", kIcgMeanwhile);
}

grpc::ServerUnaryReactor* IcgService::DeleteIcg(grpc::CallbackServerContext* context,
                                                const v1::DeleteIcgRequest*,
                                                v1::DeleteIcgResponse*) {
  return RefuseUnimplemented(context, "IcgService.DeleteIcg", kIcgMeanwhile);
}

grpc::ServerUnaryReactor* UserService::CreateUser(grpc::CallbackServerContext* context,
                                                  const v1::CreateUserRequest*, v1::User*) {
  return RefuseUnimplemented(context, "UserService.CreateUser", kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::GetUser(grpc::CallbackServerContext* context,
                                               const v1::GetUserRequest*, v1::User*) {
  return RefuseUnimplemented(context, "UserService.GetUser", kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::ListUsers(grpc::CallbackServerContext* context,
                                                 const v1::ListUsersRequest*,
                                                 v1::ListUsersResponse*) {
  return RefuseUnimplemented(context, "UserService.ListUsers", kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::UpdateUser(grpc::CallbackServerContext* context,
                                                  const v1::UpdateUserRequest*, v1::User*) {
  return RefuseUnimplemented(context, "UserService.UpdateUser", kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::ChangePassword(grpc::CallbackServerContext* context,
                                                      const v1::ChangePasswordRequest*,
                                                      v1::ChangePasswordResponse*) {
  return RefuseUnimplemented(context, "UserService.ChangePassword", kUserMeanwhile);
}

grpc::ServerUnaryReactor* UserService::DeleteUser(grpc::CallbackServerContext* context,
                                                  const v1::DeleteUserRequest*,
                                                  v1::DeleteUserResponse*) {
  return RefuseUnimplemented(context, "UserService.DeleteUser", kUserMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::CreateRole(grpc::CallbackServerContext* context,
                                                  const v1::CreateRoleRequest*, v1::Role*) {
  return RefuseUnimplemented(context, "RoleService.CreateRole", kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::GetRole(grpc::CallbackServerContext* context,
                                               const v1::GetRoleRequest*, v1::Role*) {
  return RefuseUnimplemented(context, "RoleService.GetRole", kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::ListRoles(grpc::CallbackServerContext* context,
                                                 const v1::ListRolesRequest*,
                                                 v1::ListRolesResponse*) {
  return RefuseUnimplemented(context, "RoleService.ListRoles", kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::UpdateRole(grpc::CallbackServerContext* context,
                                                  const v1::UpdateRoleRequest*, v1::Role*) {
  return RefuseUnimplemented(context, "RoleService.UpdateRole", kRoleMeanwhile);
}

grpc::ServerUnaryReactor* RoleService::DeleteRole(grpc::CallbackServerContext* context,
                                                  const v1::DeleteRoleRequest*,
                                                  v1::DeleteRoleResponse*) {
  return RefuseUnimplemented(context, "RoleService.DeleteRole", kRoleMeanwhile);
}

}  // namespace fairlead::control
