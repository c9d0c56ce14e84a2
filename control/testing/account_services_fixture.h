// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Log-in, keys, audit and the methods of later versions, through a real gRPC server in this
// process, as the adapters call them.
#ifndef FAIRLEAD_CONTROL_TESTING_ACCOUNT_SERVICES_FIXTURE_H_
#define FAIRLEAD_CONTROL_TESTING_ACCOUNT_SERVICES_FIXTURE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/status_matchers.h"
#include "control/audit_service.h"
#include "control/auth_service.h"
#include "control/enrollment_service.h"
#include "control/sqlite_store.h"
#include "control/unimplemented_services.h"
#include "gtest/gtest.h"

namespace fairlead::control {

inline constexpr char kPassword[] = "correct horse battery staple";

class AccountServicesFixture : public ::testing::Test {
 protected:
  AccountServicesFixture() {
    AddUser("admin", false);
    AddUser("gone", true);
    grpc::ServerBuilder builder;
    builder.RegisterService(&auth_);
    builder.RegisterService(&enrollment_);
    builder.RegisterService(&audit_service_);
    builder.RegisterService(&users_);
    builder.RegisterService(&roles_);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
  }
  ~AccountServicesFixture() override {
    server_->Shutdown();
    workers_.Stop();
  }

  void AddUser(const std::string& name, bool disabled) {
    UserRecord user;
    user.username = name;
    user.password_hash = hasher_.Hash(kPassword).value();
    user.roles = {"roles/administrator"};
    user.disabled = disabled;
    EXPECT_THAT(store_->PutUser(user), IsOk());
  }

  // Metadata for a call with `token`, or without.
  struct Call : grpc::ClientContext {
    explicit Call(const std::string& token, const std::string& scheme = "Bearer ") {
      if (!token.empty()) AddMetadata("authorization", scheme + token);
      AddMetadata(kPeerAddressMetadata, "192.0.2.1:4711");
    }
  };

  grpc::Status Login(const std::string& user, const std::string& password,
                     v1::LoginResponse* response) {
    Call call("");
    v1::LoginRequest request;
    request.set_username(user);
    request.set_password(password);
    return auth_stub().Login(&call, request, response);
  }
  std::string Token() {
    v1::LoginResponse response;
    EXPECT_TRUE(Login("admin", kPassword, &response).ok());
    return response.access_token();
  }
  std::vector<v1::AuditEvent> Events(const std::string& filter) {
    Call call(Token());
    v1::ListAuditEventsRequest request;
    request.set_filter(filter);
    v1::ListAuditEventsResponse response;
    EXPECT_TRUE(v1::AuditService::Stub(channel_).ListAuditEvents(&call, request, &response).ok());
    return {response.audit_events().begin(), response.audit_events().end()};
  }

  v1::AuthService::Stub auth_stub() { return v1::AuthService::Stub(channel_); }
  v1::EnrollmentService::Stub enrollment_stub() { return v1::EnrollmentService::Stub(channel_); }

  FakeClock clock_;
  std::unique_ptr<SqliteStore> store_ = SqliteStore::Open(":memory:").value();
  AuditLog audit_{*store_, clock_};
  PasswordHasher hasher_{PasswordCost{64, 1, 1}};
  ThreadExecutor workers_{"workers", 2, 100};
  TokenAuthenticator authenticator_{*store_, clock_, nullptr};
  CallSupport support_{workers_, authenticator_};
  AuthService auth_{support_, authenticator_, *store_, audit_, clock_, hasher_};
  EnrollmentService enrollment_{support_, *store_, audit_, clock_};
  AuditService audit_service_{support_, *store_};
  UserService users_{support_};
  RoleService roles_{support_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_ACCOUNT_SERVICES_FIXTURE_H_
