// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the embedded store does about records that cannot be read: it writes none, and a list leaves
// out those that are there all the same.
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/database.h"
#include "control/sqlite_store.h"
#include "control/testing/store_records.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

constexpr char kBadText[] = "a\xe2\x82";

v1::Session Session(int number) {
  v1::Session session;
  session.set_name(absl::StrCat("sessions/", number));
  session.set_device("devices/d1");
  session.set_state(v1::Session::ACTIVE);
  return session;
}

// A store whose middle record of each kind was damaged behind its back.
std::unique_ptr<SqliteStore> Damaged(const std::string& path) {
  {
    const auto store = SqliteStore::Open(path).value();
    for (int i = 1; i <= 3; ++i) {
      EXPECT_THAT(store->PutSession(Session(i)), IsOk());
      v1::AuditEvent event = Event(absl::StrCat("action", i));
      EXPECT_THAT(store->AppendAuditEvent(&event), IsOk());
      v1::Device device;
      device.set_unit_id(absl::StrCat("d", i));
      EXPECT_THAT(store->PutDevice(device), IsOk());
      v1::Icg icg;
      icg.set_name(absl::StrCat("icgs/", i));
      EXPECT_THAT(store->PutIcg(icg), IsOk());
      KeyRecord key;
      key.sha256 = absl::StrCat("hash", i);
      key.key.set_name(absl::StrCat("firstAuthenticationKeys/", i));
      EXPECT_THAT(store->InsertKey(key), IsOk());
    }
  }
  auto database = Database::Open(path).value();
  for (const char* sql :
       {"UPDATE sessions SET record = x'0aff' WHERE name = 'sessions/2'",
        "UPDATE devices SET record = x'0aff' WHERE unit_id = 'd2'",
        "UPDATE icgs SET record = x'0aff' WHERE name = 'icgs/2'",
        "UPDATE first_authentication_keys SET record = x'0aff' WHERE name LIKE '%/2'",
        "INSERT INTO audit_events (record) VALUES (x'0aff')"}) {
    EXPECT_THAT(database->Execute(sql), IsOk()) << sql;
  }
  return SqliteStore::Open(path).value();
}

TEST(SqliteUnreadable, NoRecordIsWrittenWhoseTextIsNotUtf8) {
  const auto store = SqliteStore::Open(":memory:").value();
  v1::Session session = Session(1);
  ASSERT_THAT(store->PutSession(session), IsOk());
  session.mutable_end()->set_signal(kBadText);
  v1::AuditEvent event = Event("a");
  event.set_detail(kBadText);
  v1::Device device;
  device.set_unit_id("d1");
  device.set_display_name(kBadText);
  v1::Icg icg;
  icg.set_name("icgs/a");
  icg.set_external_address(kBadText);
  KeyRecord key;
  key.sha256 = "hash";
  key.key.set_name("firstAuthenticationKeys/1");
  key.key.set_display_name(kBadText);

  for (const absl::Status& status :
       {store->PutSession(session), store->AppendAuditEvent(&event), store->PutDevice(device),
        store->PutIcg(icg), store->InsertKey(key)}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("UTF-8")));
  }

  EXPECT_THAT(store->GetSession("sessions/1"), IsOk());
  std::string token;
  EXPECT_EQ(store
                ->ListAuditEvents(
                    {10, ""}, [](const auto&) { return true; }, &token)
                ->size(),
            0u);
}

TEST(SqliteUnreadable, ListsLeaveOutWhatCannotBeRead) {
  const auto store = Damaged(FreshFile("damaged"));
  std::string token;

  const auto sessions = store->ListSessions(
      {10, ""}, [](const auto&) { return true; }, &token);
  ASSERT_THAT(sessions, IsOk());
  ASSERT_EQ(sessions->size(), 2u);
  EXPECT_EQ((*sessions)[0].name(), "sessions/3");
  EXPECT_EQ((*sessions)[1].name(), "sessions/1");
  const auto events = store->ListAuditEvents(
      {10, ""}, [](const auto&) { return true; }, &token);
  ASSERT_THAT(events, IsOk());
  EXPECT_EQ(events->size(), 3u);
  EXPECT_EQ(store->UnendedSessions().value().size(), 2u);
  EXPECT_EQ(store->AllDevices().value().size(), 2u);
  EXPECT_EQ(store->ListIcgs().value().size(), 2u);
  EXPECT_EQ(store->ListKeys({10, ""}, &token).value().size(), 2u);

  EXPECT_THAT(store->GetSession("sessions/2"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SqliteUnreadable, PagesGoOnBehindWhatCannotBeRead) {
  const auto store = Damaged(FreshFile("pages"));
  std::string token;

  const auto first = store->ListSessions(
      {1, ""}, [](const auto&) { return true; }, &token);
  ASSERT_THAT(first, IsOk());
  ASSERT_NE(token, "");
  const auto second = store->ListSessions(
      {1, token}, [](const auto&) { return true; }, &token);

  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().name(), "sessions/1");
}

}  // namespace
}  // namespace fairlead::control
