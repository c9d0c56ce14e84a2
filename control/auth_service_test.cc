// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Logging in and out, and the tokens that one gets.
#include "control/auth_service.h"

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/database.h"
#include "control/proto_time.h"
#include "control/sha256.h"
#include "control/testing/account_services_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error.pb.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AuthServiceTest : public AccountServicesFixture {
 protected:
  grpc::Status GetCaller(const std::string& token, v1::Caller* caller) {
    Call call(token);
    return auth_stub().GetCaller(&call, v1::GetCallerRequest(), caller);
  }
  bool IsGood(const std::string& token) {
    v1::Caller caller;
    const grpc::Status status = GetCaller(token, &caller);
    if (!status.ok()) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    }
    return status.ok();
  }
};

TEST_F(AuthServiceTest, LogsInAndTellsWhoOneIs) {
  v1::LoginResponse login;
  ASSERT_TRUE(Login("admin", kPassword, &login).ok());
  v1::Caller caller;
  ASSERT_TRUE(GetCaller(login.access_token(), &caller).ok());

  EXPECT_EQ(login.access_token().size(), 43u);
  EXPECT_EQ(FromTimestamp(login.expire_time()), clock_.Now() + absl::Minutes(30));
  EXPECT_EQ(caller.user(), "users/admin");
  EXPECT_EQ(caller.roles(0), "roles/administrator");
  EXPECT_EQ(store_->GetUser("admin")->last_login_time, clock_.Now());
  EXPECT_THAT(store_->GetToken(login.access_token()), StatusIs(absl::StatusCode::kNotFound))
      << "only the hash is stored";
  EXPECT_THAT(store_->GetToken(Sha256(login.access_token())), IsOk());
  const v1::AuditEvent event = Events("action=auth.login outcome=SUCCEEDED").back();
  EXPECT_EQ(event.actor(), "users/admin");
  EXPECT_EQ(event.peer_address(), "192.0.2.1:4711");
}

TEST_F(AuthServiceTest, RefusesEveryWrongLoginAlike) {
  v1::LoginResponse response;
  const grpc::Status wrong = Login("admin", "wrong", &response);
  const grpc::Status nobody = Login("nobody", kPassword, &response);
  const grpc::Status disabled = Login("gone", kPassword, &response);

  EXPECT_EQ(wrong.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(wrong.error_message(), nobody.error_message());
  EXPECT_EQ(wrong.error_message(), disabled.error_message());
  EXPECT_EQ(wrong.error_code(), nobody.error_code());
  EXPECT_EQ(wrong.error_details(), disabled.error_details());
  const auto events = Events("outcome=REFUSED");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].actor(), "anonymous");
  EXPECT_THAT(events[0].detail(), HasSubstr("\"gone\""));
  EXPECT_THAT(events[0].detail(), HasSubstr("disabled"));
  EXPECT_THAT(events[2].detail(), Not(HasSubstr("wrong\"")));
}

TEST_F(AuthServiceTest, NamesTheBadFieldOfALogin) {
  v1::LoginResponse response;
  EXPECT_THAT(Login("", "x", &response).error_message(), HasSubstr("username must have 1 to 64"));
  EXPECT_EQ(Login(std::string(65, 'a'), "x", &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(Login("a", "", &response).error_message(), HasSubstr("password must have 1 to 1024"));
  EXPECT_EQ(Login("a", std::string(1025, 'a'), &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AuthServiceTest, GuessingIsSlowedDownAlsoForUsersThatDoNotExist) {
  v1::LoginResponse response;
  for (const char* user : {"admin", "nobody"}) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(Login(user, "wrong", &response).error_code(), grpc::StatusCode::UNAUTHENTICATED);
    }
    for (int i = 0; i < 3; ++i) {
      const grpc::Status status = Login(user, kPassword, &response);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
      EXPECT_THAT(status.error_message(), HasSubstr("wait 1 second,"));
    }
  }
  clock_.Advance(absl::Seconds(1));

  EXPECT_TRUE(Login("admin", kPassword, &response).ok());
  int throttled = 0;
  for (const v1::AuditEvent& event : Events("outcome=REFUSED")) {
    if (event.detail().find("too many") != std::string::npos) ++throttled;
  }
  EXPECT_EQ(throttled, 2) << "one record for each wait";
}

TEST_F(AuthServiceTest, TokensSlideAndExpire) {
  const std::string token = Token();
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(absl::Minutes(29));
    EXPECT_TRUE(IsGood(token)) << i;
  }
  clock_.Advance(absl::Minutes(30));

  EXPECT_FALSE(IsGood(token));
}

TEST_F(AuthServiceTest, TheExpiryIsWrittenAtMostOnceAMinute) {
  const std::string token = Token();
  const absl::Time start = clock_.Now();
  const auto stored = [&] { return store_->GetToken(Sha256(token))->expire_time; };

  clock_.Advance(absl::Seconds(59));
  EXPECT_TRUE(IsGood(token));
  EXPECT_EQ(stored(), start + absl::Minutes(30));
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(IsGood(token));
  EXPECT_EQ(stored(), start + absl::Minutes(31));
}

TEST_F(AuthServiceTest, ATokenOfAMinuteSlidesToo) {
  TokenOptions options;
  options.idle_timeout = absl::Minutes(1);
  const TokenAuthenticator brief(*store_, clock_, nullptr, options);
  TokenRecord record;
  record.sha256 = Sha256("token");
  record.username = "admin";
  record.expire_time = brief.NextExpiry();
  ASSERT_THAT(store_->PutToken(record), IsOk());

  for (int i = 0; i < 10; ++i) {
    clock_.Advance(absl::Seconds(20));
    EXPECT_THAT(brief.CheckToken("token"), IsOk()) << i;
  }
}

TEST_F(AuthServiceTest, AStoreThatTakesNoWritesLocksNobodyOut) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/full.db");
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path + suffix).c_str());
  const auto store = SqliteStore::Open(path).value();
  const TokenAuthenticator tokens(*store, clock_, nullptr);
  UserRecord user;
  user.username = "admin";
  ASSERT_THAT(store->PutUser(user), IsOk());
  TokenRecord record;
  record.sha256 = Sha256("token");
  record.username = "admin";
  record.expire_time = tokens.NextExpiry();
  ASSERT_THAT(store->PutToken(record), IsOk());
  ASSERT_THAT(Database::Open(path).value()->Execute(
                  "CREATE TRIGGER full BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'full'); "
                  "END"),
              IsOk());

  clock_.Advance(absl::Minutes(29));
  const absl::StatusOr<Caller> caller = tokens.CheckToken("token");

  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->expire_time, record.expire_time);
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(tokens.CheckToken("token"), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(AuthServiceTest, LogoutRevokesTheTokenAtOnce) {
  const std::string token = Token();
  const std::string other = Token();
  Call call(token);
  v1::LogoutResponse response;
  ASSERT_TRUE(auth_stub().Logout(&call, v1::LogoutRequest(), &response).ok());

  EXPECT_FALSE(IsGood(token));
  EXPECT_TRUE(IsGood(other));
  EXPECT_EQ(Events("action=auth.logout")[0].actor(), "users/admin");
}

TEST_F(AuthServiceTest, ADisabledUsersTokensAreRefused) {
  const std::string token = Token();
  UserRecord user = store_->GetUser("admin").value();
  user.disabled = true;
  ASSERT_THAT(store_->PutUser(user), IsOk());

  EXPECT_FALSE(IsGood(token));
}

TEST_F(AuthServiceTest, RefusesBadAuthorization) {
  const std::string token = Token();
  v1::Caller caller;
  {
    Call call("");
    const grpc::Status status = auth_stub().GetCaller(&call, v1::GetCallerRequest(), &caller);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(status.error_message(), HasSubstr("authorization: Bearer"));
    v1::Status details;
    v1::ErrorInfo info;
    ASSERT_TRUE(details.ParseFromString(status.error_details()));
    ASSERT_TRUE(details.details(0).UnpackTo(&info));
    EXPECT_EQ(info.reason(), "TOKEN_MISSING");
  }
  for (const char* scheme : {"Basic ", "Bearer", "", "Bearer x"}) {
    Call call(token, scheme);
    EXPECT_FALSE(auth_stub().GetCaller(&call, v1::GetCallerRequest(), &caller).ok()) << scheme;
  }
  {
    Call call(token, "bearer ");
    EXPECT_TRUE(auth_stub().GetCaller(&call, v1::GetCallerRequest(), &caller).ok());
  }
  Call twice(token);
  twice.AddMetadata("authorization", "Bearer " + token);
  EXPECT_FALSE(auth_stub().GetCaller(&twice, v1::GetCallerRequest(), &caller).ok());
  EXPECT_FALSE(IsGood(std::string(300, 'a')));
}

TEST_F(AuthServiceTest, TheNetworkAddressIsBelievedInProcessOnly) {
  // A call over a real connection, whose metadata anybody may write.
  class Resolver : public CallPeerResolver {
   public:
    absl::optional<CallPeer> Resolve(absl::string_view) const override {
      return CallPeer{"198.51.100.7:1", {}};
    }
  };
  const Resolver resolver;
  TokenAuthenticator authenticator(*store_, clock_, &resolver);
  CallSupport support{workers_, authenticator};
  AuthService remote(support, authenticator, *store_, audit_, clock_, hasher_);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&remote);
  const auto server = builder.BuildAndStart();
  const auto channel =
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  Call call("");
  v1::LoginRequest request;
  request.set_username("admin");
  request.set_password(kPassword);
  v1::LoginResponse response;

  ASSERT_TRUE(v1::AuthService::Stub(channel).Login(&call, request, &response).ok());
  server->Shutdown();

  EXPECT_EQ(Events("action=auth.login").at(1).peer_address(), "198.51.100.7:1");
}

TEST_F(AuthServiceTest, ManyLoginsAtOnce) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      v1::LoginResponse response;
      if (Login("admin", kPassword, &response).ok() && IsGood(response.access_token())) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(good, 8);
}

}  // namespace
}  // namespace fairlead::control
