// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Log-in, keys, audit and the methods of later versions, through a real gRPC server in this
// process, as the adapters call them.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/status.h"
#include "base/status_matchers.h"
#include "control/audit_service.h"
#include "control/auth_service.h"
#include "control/enrollment_service.h"
#include "control/proto_time.h"
#include "control/sha256.h"
#include "control/sqlite_store.h"
#include "control/unimplemented_services.h"
#include "gtest/gtest.h"
#include "proto/error.pb.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Key = v1::FirstAuthenticationKey;

constexpr char kPassword[] = "correct horse battery staple";

class AccountServicesTest : public ::testing::Test {
 protected:
  AccountServicesTest() {
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
  ~AccountServicesTest() override {
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
  grpc::Status CreateKey(const std::string& token, const Key& wanted, Key* created) {
    Call call(token);
    v1::CreateFirstAuthenticationKeyRequest request;
    *request.mutable_first_authentication_key() = wanted;
    return enrollment_stub().CreateFirstAuthenticationKey(&call, request, created);
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

TEST_F(AccountServicesTest, LogsInAndTellsWhoOneIs) {
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

TEST_F(AccountServicesTest, RefusesEveryWrongLoginAlike) {
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

TEST_F(AccountServicesTest, NamesTheBadFieldOfALogin) {
  v1::LoginResponse response;
  EXPECT_THAT(Login("", "x", &response).error_message(), HasSubstr("username must have 1 to 64"));
  EXPECT_EQ(Login(std::string(65, 'a'), "x", &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(Login("a", "", &response).error_message(), HasSubstr("password must have 1 to 1024"));
  EXPECT_EQ(Login("a", std::string(1025, 'a'), &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AccountServicesTest, GuessingIsSlowedDownAlsoForUsersThatDoNotExist) {
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

TEST_F(AccountServicesTest, TokensSlideAndExpire) {
  const std::string token = Token();
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(absl::Minutes(29));
    EXPECT_TRUE(IsGood(token)) << i;
  }
  clock_.Advance(absl::Minutes(30));

  EXPECT_FALSE(IsGood(token));
}

TEST_F(AccountServicesTest, TheExpiryIsWrittenAtMostOnceAMinute) {
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

TEST_F(AccountServicesTest, LogoutRevokesTheTokenAtOnce) {
  const std::string token = Token();
  const std::string other = Token();
  Call call(token);
  v1::LogoutResponse response;
  ASSERT_TRUE(auth_stub().Logout(&call, v1::LogoutRequest(), &response).ok());

  EXPECT_FALSE(IsGood(token));
  EXPECT_TRUE(IsGood(other));
  EXPECT_EQ(Events("action=auth.logout")[0].actor(), "users/admin");
}

TEST_F(AccountServicesTest, ADisabledUsersTokensAreRefused) {
  const std::string token = Token();
  UserRecord user = store_->GetUser("admin").value();
  user.disabled = true;
  ASSERT_THAT(store_->PutUser(user), IsOk());

  EXPECT_FALSE(IsGood(token));
}

TEST_F(AccountServicesTest, RefusesBadAuthorization) {
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

TEST_F(AccountServicesTest, TheNetworkAddressIsBelievedInProcessOnly) {
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

TEST_F(AccountServicesTest, CreatesAndListsKeys) {
  const std::string token = Token();
  Key wanted;
  wanted.set_display_name("Berlin");
  wanted.set_use_count(7);
  wanted.set_creator("users/somebody");
  Key created;
  ASSERT_TRUE(CreateKey(token, wanted, &created).ok());

  EXPECT_EQ(created.type(), Key::ONE_TIME);
  EXPECT_EQ(created.key().size(), 43u);
  EXPECT_EQ(created.creator(), "users/admin");
  EXPECT_EQ(created.use_count(), 0u);
  EXPECT_EQ(FromTimestamp(created.create_time()), clock_.Now());
  Call call(token);
  v1::ListFirstAuthenticationKeysResponse list;
  ASSERT_TRUE(
      enrollment_stub()
          .ListFirstAuthenticationKeys(&call, v1::ListFirstAuthenticationKeysRequest(), &list)
          .ok());
  ASSERT_EQ(list.first_authentication_keys_size(), 1);
  EXPECT_FALSE(list.first_authentication_keys(0).has_key());
  EXPECT_EQ(list.first_authentication_keys(0).name(), created.name());
  EXPECT_EQ(list.first_authentication_keys(0).display_name(), "Berlin");
  EXPECT_THAT(store_->FindKeyBySecret(Sha256(created.key())), IsOk());
  EXPECT_EQ(Events("action=key.create")[0].resource(), created.name());
}

TEST_F(AccountServicesTest, RefusesASecretThatIsInUse) {
  const std::string token = Token();
  Key wanted;
  wanted.set_key("chosen-by-a-person");
  Key created;
  ASSERT_TRUE(CreateKey(token, wanted, &created).ok());
  EXPECT_EQ(created.key(), "chosen-by-a-person");

  EXPECT_EQ(CreateKey(token, wanted, &created).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(Events("action=key.create outcome=REFUSED").size(), 1u);
}

TEST_F(AccountServicesTest, DisablesAndDeletesKeys) {
  const std::string token = Token();
  Key created;
  ASSERT_TRUE(CreateKey(token, Key(), &created).ok());
  v1::DisableFirstAuthenticationKeyRequest disable;
  disable.set_name(created.name());
  v1::DeleteFirstAuthenticationKeyRequest erase;
  erase.set_name(created.name());
  v1::DeleteFirstAuthenticationKeyResponse erased;
  Key key;

  for (int i = 0; i < 2; ++i) {
    Call call(token);
    EXPECT_TRUE(enrollment_stub().DisableFirstAuthenticationKey(&call, disable, &key).ok());
    EXPECT_TRUE(key.disabled());
    EXPECT_FALSE(key.has_key());
  }
  EXPECT_EQ(Events("action=key.disable").size(), 1u);
  Call call1(token);
  EXPECT_TRUE(enrollment_stub().DeleteFirstAuthenticationKey(&call1, erase, &erased).ok());
  Call call2(token);
  EXPECT_EQ(enrollment_stub().DeleteFirstAuthenticationKey(&call2, erase, &erased).error_code(),
            grpc::StatusCode::NOT_FOUND);
  Call call3(token);
  EXPECT_EQ(enrollment_stub().DisableFirstAuthenticationKey(&call3, disable, &key).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Events("action=key.delete").size(), 1u);
}

TEST_F(AccountServicesTest, FiltersAndPagesTheAuditLog) {
  const std::string token = Token();
  Key created;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(CreateKey(token, Key(), &created).ok());
  v1::ListAuditEventsRequest request;
  request.set_filter(absl::StrCat("actor=users/admin  resource=", created.name()));
  v1::ListAuditEventsResponse response;
  v1::AuditService::Stub stub(channel_);
  {
    Call call(token);
    ASSERT_TRUE(stub.ListAuditEvents(&call, request, &response).ok());
    EXPECT_EQ(response.audit_events_size(), 1);
  }
  request.Clear();
  request.set_page_size(1);
  int events = 0;
  do {
    Call call(token);
    ASSERT_TRUE(stub.ListAuditEvents(&call, request, &response).ok());
    events += response.audit_events_size();
    request.set_page_token(response.next_page_token());
  } while (!response.next_page_token().empty());
  EXPECT_EQ(events, 4);
}

TEST_F(AccountServicesTest, RefusesBadListRequests) {
  const std::string token = Token();
  v1::AuditService::Stub stub(channel_);
  const auto refused = [&](const std::string& filter, int size, const std::string& page) {
    Call call(token);
    v1::ListAuditEventsRequest request;
    request.set_filter(filter);
    request.set_page_size(size);
    request.set_page_token(page);
    v1::ListAuditEventsResponse response;
    const grpc::Status status = stub.ListAuditEvents(&call, request, &response);
    return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT;
  };

  EXPECT_TRUE(refused("user=x", 0, ""));
  EXPECT_TRUE(refused("outcome=MAYBE", 0, ""));
  EXPECT_TRUE(refused("outcome=OUTCOME_UNSPECIFIED", 0, ""));
  EXPECT_TRUE(refused(std::string(257, 'a'), 0, ""));
  EXPECT_TRUE(refused("", -1, ""));
  EXPECT_TRUE(refused("", 1001, ""));
  EXPECT_TRUE(refused("", 0, "x"));
  EXPECT_FALSE(refused("outcome=REFUSED", 1000, ""));
}

TEST_F(AccountServicesTest, LaterMethodsSaySo) {
  const auto check = [](const grpc::Status& status, const std::string& method) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr(method + " is not available in this version; "));
  };
  v1::User user;
  v1::Role role;
  v1::VerifyAuditLogResponse verified;
  const std::string token = Token();
  Call c1(token), c2(token), c3(token), stranger("");

  check(v1::UserService::Stub(channel_).GetUser(&c1, v1::GetUserRequest(), &user),
        "UserService.GetUser");
  check(v1::RoleService::Stub(channel_).CreateRole(&c2, v1::CreateRoleRequest(), &role),
        "RoleService.CreateRole");
  check(
      v1::AuditService::Stub(channel_).VerifyAuditLog(&c3, v1::VerifyAuditLogRequest(), &verified),
      "AuditService.VerifyAuditLog");
  EXPECT_EQ(
      v1::UserService::Stub(channel_).GetUser(&stranger, v1::GetUserRequest(), &user).error_code(),
      grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AccountServicesTest, ManyLoginsAtOnce) {
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

TEST(CheckNewKey, NamesFieldAndRange) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto why = [now](auto change) {
    Key key;
    change(key);
    const absl::Status status = CheckNewKey(key, now);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
    return std::string(status.message());
  };
  const auto bound = [](Key& key) { key.set_type(Key::ONE_TIME_BOUND); };

  EXPECT_EQ(why([](Key&) {}), "");
  EXPECT_EQ(why([](Key& k) { k.set_key(std::string(16, '!')); }), "");
  EXPECT_EQ(why([](Key& k) { k.set_key(std::string(128, '~')); }), "");
  EXPECT_THAT(why([](Key& k) { k.set_key(std::string(15, 'a')); }), HasSubstr("key must have 16"));
  EXPECT_THAT(why([](Key& k) { k.set_key(std::string(129, 'a')); }), HasSubstr("to 128"));
  EXPECT_THAT(why([](Key& k) { k.set_key("a blank in the middle"); }), HasSubstr("without blanks"));
  EXPECT_THAT(why([](Key& k) { k.set_key(""); }), HasSubstr("key must have 16"));
  EXPECT_THAT(why([](Key& k) { k.set_type(static_cast<Key::Type>(9)); }), HasSubstr("type must"));
  EXPECT_THAT(why([](Key& k) { k.add_unit_ids("A"); }), HasSubstr("unitIds must be empty"));
  EXPECT_THAT(why(bound), HasSubstr("unitIds must have 1 to 1000"));
  EXPECT_EQ(why([&](Key& k) { bound(k), k.add_unit_ids("A"); }), "");
  EXPECT_THAT(why([&](Key& k) { bound(k), k.add_unit_ids("A/B"); }), HasSubstr("1 to 64"));
  EXPECT_THAT(why([&](Key& k) { bound(k), k.add_unit_ids("A"), k.add_unit_ids("A"); }),
              HasSubstr("A is twice"));
  EXPECT_THAT(why([&](Key& k) {
                bound(k);
                for (int i = 0; i <= 1000; ++i) k.add_unit_ids(absl::StrCat(i));
              }),
              HasSubstr("1 to 1000"));
  EXPECT_THAT(why([](Key& k) { k.set_display_name(std::string(129, 'a')); }),
              HasSubstr("displayName must have at most 128"));
  EXPECT_THAT(why([&](Key& k) { *k.mutable_expire_time() = ToTimestamp(now); }),
              HasSubstr("expireTime must be in the future"));
  EXPECT_THAT(why([](Key& k) { k.mutable_expire_time()->set_seconds(INT64_MAX); }),
              HasSubstr("before the year 10000"));
  EXPECT_EQ(why([&](Key& k) { *k.mutable_expire_time() = ToTimestamp(now + absl::Hours(1)); }), "");
}

TEST(ToGrpcStatus, KeepsEveryCodeAndTheMessage) {
  for (int code = 0; code <= 16; ++code) {
    const grpc::Status status =
        ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "why"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), code == 0 ? "" : "why");
    EXPECT_EQ(status.error_details(), "");
  }
  EXPECT_EQ(ToGrpcStatus(WorkersBusy()).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(AuditLog, R22AnEntryNeedsActorAndAction) {
  FakeClock clock;
  const auto store = SqliteStore::Open(":memory:").value();
  AuditLog audit(*store, clock);

  AuditEntry entry;
  entry.action = "x";
  EXPECT_FALSE(audit.Append(entry).ok());
  entry.actor = "server";
  EXPECT_TRUE(audit.Append(entry).ok());
  entry.action.clear();
  EXPECT_FALSE(audit.Append(entry).ok());
}

}  // namespace
}  // namespace fairlead::control
