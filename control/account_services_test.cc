// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// First-authentication keys, the audit log, and the methods of later versions.
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "control/proto_time.h"
#include "control/sha256.h"
#include "control/testing/account_services_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error.pb.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using Key = v1::FirstAuthenticationKey;

class AccountServicesTest : public AccountServicesFixture {
 protected:
  grpc::Status CreateKey(const std::string& token, const Key& wanted, Key* created) {
    Call call(token);
    v1::CreateFirstAuthenticationKeyRequest request;
    *request.mutable_first_authentication_key() = wanted;
    return enrollment_stub().CreateFirstAuthenticationKey(&call, request, created);
  }
};

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
  EXPECT_THAT(why([](Key& k) { k.set_display_name("a\x1b[2J"); }), HasSubstr("displayName"));
  EXPECT_THAT(why([](Key& k) { k.set_display_name(std::string(129, 'a')); }),
              HasSubstr("displayName must have at most 128"));
  EXPECT_THAT(why([&](Key& k) { *k.mutable_expire_time() = ToTimestamp(now); }),
              HasSubstr("expireTime must be in the future"));
  EXPECT_THAT(why([](Key& k) { k.mutable_expire_time()->set_seconds(INT64_MAX); }),
              HasSubstr("before the year 10000"));
  EXPECT_EQ(why([&](Key& k) { *k.mutable_expire_time() = ToTimestamp(now + absl::Hours(1)); }), "");
}

TEST(ToGrpcStatus, SaysWhenToTryAgain) {
  const grpc::Status status = ToGrpcStatus(WithRetryDelay(
      ErrorWithReason(absl::StatusCode::kResourceExhausted, "LIMIT", "wait"), absl::Seconds(20)));

  v1::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 2);
  EXPECT_TRUE(details.details(0).Is<v1::ErrorInfo>());
  v1::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 20);
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
