// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The embedded store: records come back as they went in, and lists are paged.
#include "control/sqlite_store.h"

#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/database.h"
#include "control/testing/store_records.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

const absl::Time kTime = absl::FromUnixSeconds(1'800'000'000);

TEST(SqliteStore, KeepsUsersAcrossReopening) {
  const std::string path = FreshFile("users");
  UserRecord user;
  user.username = "admin";
  user.password_hash = "$argon2id$";
  user.roles = {"roles/administrator", "roles/auditor"};
  user.create_time = kTime;
  {
    const auto store = SqliteStore::Open(path).value();
    ASSERT_THAT(store->PutUser(user), IsOk());
    user.last_login_time = kTime + absl::Hours(1);
    ASSERT_THAT(store->PutUser(user), IsOk());
  }

  const auto store = SqliteStore::Open(path).value();
  const absl::StatusOr<UserRecord> found = store->GetUser("admin");

  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->password_hash, user.password_hash);
  EXPECT_EQ(found->roles, user.roles);
  EXPECT_EQ(found->create_time, kTime);
  EXPECT_EQ(found->last_login_time, user.last_login_time);
  EXPECT_EQ(*store->CountUsers(), 1);
  EXPECT_THAT(store->GetUser("nobody"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, CreatesThePrivateFile) {
  const std::string path = FreshFile("mode");

  const auto store = SqliteStore::Open(path).value();

  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(SqliteStore, SaysWhatToDoWhenTheFolderIsMissing) {
  EXPECT_THAT(SqliteStore::Open("/nonexistent/folder/store.db"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("Check that the folder exists")));
}

TEST(SqliteStore, TokensExpireAndNeedTheirUser) {
  const auto store = InMemory();
  EXPECT_FALSE(store->PutToken({"hash", "nobody", kTime}).ok());
  UserRecord user;
  user.username = "admin";
  ASSERT_THAT(store->PutUser(user), IsOk());
  ASSERT_THAT(store->PutToken({"hash", "admin", kTime}), IsOk());
  ASSERT_THAT(store->PutToken({"later", "admin", kTime + absl::Seconds(1)}), IsOk());

  ASSERT_THAT(store->DeleteExpiredTokens(kTime), IsOk());

  EXPECT_THAT(store->GetToken("hash"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(store->GetToken("later")->username, "admin");
  ASSERT_THAT(store->DeleteToken("later"), IsOk());
  EXPECT_THAT(store->GetToken("later"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, KeysAreUniqueBySecretAndKeepNone) {
  const auto store = InMemory();
  ASSERT_THAT(store->InsertKey(Key(1)), IsOk());
  KeyRecord other = Key(2);
  other.sha256 = Key(1).sha256;

  EXPECT_THAT(store->InsertKey(other), StatusIs(absl::StatusCode::kAlreadyExists));
  const absl::StatusOr<KeyRecord> found = store->FindKeyBySecret("hash1");
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->key.has_key());
  EXPECT_EQ(found->key.name(), "firstAuthenticationKeys/1");
  EXPECT_THAT(store->UpdateKey(Key(3)), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store->DeleteKey("firstAuthenticationKeys/1"), IsOk());
  EXPECT_THAT(store->DeleteKey("firstAuthenticationKeys/1"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, PagesKeysNewestFirst) {
  const auto store = InMemory();
  for (int i = 1; i <= 5; ++i) ASSERT_THAT(store->InsertKey(Key(i)), IsOk());
  std::string order;
  std::string token;
  int pages = 0;
  do {
    const auto page = store->ListKeys({2, token}, &token).value();
    for (const KeyRecord& key : page) {
      order += key.key.name().back();
    }
    ++pages;
  } while (!token.empty());

  EXPECT_EQ(order, "54321");
  EXPECT_EQ(pages, 3);
  for (const char* bad : {"x", "-1", "0", "99999999999999999999"}) {
    EXPECT_THAT(store->ListKeys({2, bad}, &token),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")))
        << bad;
  }
}

TEST(SqliteStore, RevokedCertificatesAreNamedUntilTheyExpire) {
  const auto store = InMemory();
  CertificateRecord certificate;
  certificate.fingerprint = "f1";
  certificate.unit_id = "A";
  certificate.public_key_sha256 = std::string("p\0k", 3);
  certificate.der = std::string("\0\1", 2);
  certificate.not_after = kTime;
  ASSERT_THAT(store->InsertCertificate(certificate), IsOk());
  certificate.fingerprint = "f2";
  certificate.unit_id = "B";
  ASSERT_THAT(store->InsertCertificate(certificate), IsOk());
  EXPECT_FALSE(store->InsertCertificate(certificate).ok());

  ASSERT_THAT(store->RevokeCertificatesOf("A"), IsOk());

  EXPECT_EQ(store->RevokedFingerprints(kTime - absl::Seconds(1)).value(),
            std::vector<std::string>{"f1"});
  EXPECT_TRUE(store->RevokedFingerprints(kTime)->empty());
  EXPECT_TRUE(store->CertificatesOf("A")->at(0).revoked);
  const CertificateRecord found = store->CertificatesOf("B")->at(0);
  EXPECT_FALSE(found.revoked);
  EXPECT_EQ(found.public_key_sha256, certificate.public_key_sha256);
  EXPECT_EQ(found.der, certificate.der);
  EXPECT_EQ(found.not_after, kTime);
}

TEST(SqliteStore, DevicesAreKeptWithoutPresence) {
  const auto store = InMemory();
  v1::Device device;
  device.set_name("devices/B");
  device.set_unit_id("B");
  device.mutable_connection()->set_state(v1::Connection::ONLINE);
  ASSERT_THAT(store->PutDevice(device), IsOk());
  device.set_unit_id("A");
  device.add_tags("till");
  ASSERT_THAT(store->PutDevice(device), IsOk());

  EXPECT_FALSE(store->GetDevice("B")->has_connection());
  EXPECT_THAT(store->GetDevice("A")->tags(), ::testing::ElementsAre("till"));
  EXPECT_EQ(store->AllDevices()->at(0).unit_id(), "A");
  ASSERT_THAT(store->DeleteDevice("A"), IsOk());
  EXPECT_THAT(store->GetDevice("A"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, IcgsAreKeptByNameWithoutTheStateOfTheirLinks) {
  const auto store = InMemory();
  for (const char* name : {"icgs/b", "icgs/a"}) {
    v1::Icg icg;
    icg.set_name(name);
    icg.set_internal_address("grpcs://10.0.0.1:8443");
    icg.set_state(v1::Icg::CONNECTED);
    icg.set_connected_devices(7);
    icg.set_last_error("refused");
    icg.mutable_since_time()->set_seconds(1);
    ASSERT_THAT(store->PutIcg(icg), IsOk());
    icg.set_external_address("icg.example:8443");
    ASSERT_THAT(store->PutIcg(icg), IsOk());
  }

  const std::vector<v1::Icg> icgs = store->ListIcgs().value();

  ASSERT_EQ(icgs.size(), 2u);
  EXPECT_EQ(icgs[0].name(), "icgs/a");
  EXPECT_EQ(icgs[0].external_address(), "icg.example:8443");
  EXPECT_EQ(icgs[0].state(), v1::Icg::STATE_UNSPECIFIED);
  EXPECT_EQ(icgs[0].connected_devices(), 0u);
  EXPECT_EQ(icgs[0].last_error(), "");
  EXPECT_FALSE(icgs[0].has_since_time());
  EXPECT_EQ(store->GetIcg("icgs/b")->internal_address(), "grpcs://10.0.0.1:8443");
  ASSERT_THAT(store->DeleteIcg("icgs/b"), IsOk());
  EXPECT_THAT(store->GetIcg("icgs/b"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, SessionsAreKeptWithoutTicketAndFoundWhileUnended) {
  const auto store = InMemory();
  v1::Session session;
  for (const char* name : {"sessions/1", "sessions/2"}) {
    session.set_name(name);
    session.set_state(v1::Session::OPENING);
    session.set_console_ticket("secret");
    ASSERT_THAT(store->PutSession(session), IsOk());
  }
  session.set_state(v1::Session::ENDED);
  ASSERT_THAT(store->PutSession(session), IsOk());

  EXPECT_FALSE(store->GetSession("sessions/1")->has_console_ticket());
  ASSERT_EQ(store->UnendedSessions()->size(), 1u);
  EXPECT_EQ(store->UnendedSessions()->at(0).name(), "sessions/1");
  std::string token;
  const auto ended = [](const v1::Session& s) { return s.state() == v1::Session::ENDED; };
  EXPECT_EQ(store->ListSessions({10, ""}, ended, &token)->at(0).name(), "sessions/2");
  EXPECT_THAT(store->GetSession("sessions/3"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(SqliteStore, TimesDoNotDependOnTheTimeZone) {
  const std::string path = FreshFile("zone");
  for (const char* zone : {"Pacific/Kiritimati", "America/St_Johns", "UTC"}) {
    ASSERT_EQ(setenv("TZ", zone, 1), 0);
    tzset();
    const auto store = SqliteStore::Open(path).value();
    UserRecord user;
    user.username = "admin";
    user.create_time = kTime;
    if (store->CountUsers().value() == 0) {
      ASSERT_THAT(store->PutUser(user), IsOk());
    }
    EXPECT_EQ(store->GetUser("admin")->create_time, kTime) << zone;
  }
}

TEST(SqliteStore, SaysThatARecordIsUnreadable) {
  const std::string path = FreshFile("damaged");
  const auto store = SqliteStore::Open(path).value();
  const auto database = Database::Open(path).value();
  ASSERT_THAT(database->Execute("INSERT INTO devices VALUES ('A', x'ffff')"), IsOk());

  EXPECT_THAT(store->GetDevice("A"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
}

}  // namespace
}  // namespace fairlead::control
