// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The embedded store: transactions are all or nothing, threads take turns, and the audit log only
// grows.
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/database.h"
#include "control/sqlite_store.h"
#include "control/testing/store_records.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

bool Any(const v1::AuditEvent&) { return true; }

std::vector<std::string> AuditNames(Store& store) {
  std::vector<std::string> names;
  std::string token;
  const auto page = store.ListAuditEvents({1000, ""}, Any, &token).value();
  for (const v1::AuditEvent& event : page) {
    names.push_back(event.name());
  }
  return names;
}

TEST(SqliteStore, AFailedTransactionLeavesNothingAndNoGap) {
  const auto store = InMemory();
  v1::AuditEvent event = Event("first");
  ASSERT_THAT(store->AppendAuditEvent(&event), IsOk());
  EXPECT_EQ(event.name(), "auditEvents/1");

  const absl::Status status = store->Transact([&]() -> absl::Status {
    v1::AuditEvent lost = Event("lost");
    EXPECT_THAT(store->AppendAuditEvent(&lost), IsOk());
    EXPECT_THAT(store->InsertKey(Key(1)), IsOk());
    return absl::AbortedError("no");
  });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(store->GetKey(Key(1).key.name()), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(store->AppendAuditEvent(&event), IsOk());
  EXPECT_EQ(AuditNames(*store), (std::vector<std::string>{"auditEvents/2", "auditEvents/1"}));
}

TEST(SqliteStore, TheOutermostTransactionDecides) {
  const auto store = InMemory();
  const auto inner = [&] { return store->InsertKey(Key(1)); };

  const absl::Status status = store->Transact([&]() -> absl::Status {
    EXPECT_THAT(store->Transact(inner), IsOk());
    return absl::AbortedError("no");
  });

  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(store->GetKey(Key(1).key.name()).ok());
  EXPECT_THAT(store->Transact([&] { return store->Transact(inner); }), IsOk());
  EXPECT_THAT(store->GetKey(Key(1).key.name()), IsOk());
}

TEST(SqliteStore, AuditEventsAreNeverChangedOrDeleted) {
  const std::string path = FreshFile("audit");
  {
    const auto store = SqliteStore::Open(path).value();
    for (int i = 0; i < 3; ++i) {
      v1::AuditEvent event = Event("x");
      ASSERT_THAT(store->AppendAuditEvent(&event), IsOk());
    }
  }
  const auto database = Database::Open(path).value();

  for (const char* sql : {"UPDATE audit_events SET record = x'00' WHERE number = 1",
                          "DELETE FROM audit_events WHERE number = 3",
                          "REPLACE INTO audit_events (number, record) VALUES (2, x'00')",
                          "INSERT INTO audit_events (number, record) VALUES (5, x'00')"}) {
    EXPECT_FALSE(database->Execute(sql).ok()) << sql;
  }
}

TEST(SqliteStore, AFilterThatSelectsLittleGivesShortPagesButEverything) {
  const auto store = InMemory();
  constexpr int kEvents = 45'000;
  ASSERT_THAT(store->Transact([&]() -> absl::Status {
    for (int i = 1; i <= kEvents; ++i) {
      v1::AuditEvent event = Event(i == 1 || i == kEvents ? "rare" : "usual");
      const absl::Status status = store->AppendAuditEvent(&event);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }),
              IsOk());
  std::vector<std::string> found;
  std::string token;
  const auto rare = [](const v1::AuditEvent& event) { return event.action() == "rare"; };
  do {
    const auto page = store->ListAuditEvents({10, token}, rare, &token).value();
    for (const v1::AuditEvent& event : page) {
      found.push_back(event.name());
    }
  } while (!token.empty());

  EXPECT_EQ(found,
            (std::vector<std::string>{absl::StrCat("auditEvents/", kEvents), "auditEvents/1"}));
}

TEST(SqliteStore, ThreadsTakeTurns) {
  const auto store = InMemory();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&store] {
      for (int j = 0; j < 50; ++j) {
        v1::AuditEvent event = Event("x");
        EXPECT_TRUE(store->Transact([&] { return store->AppendAuditEvent(&event); }).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(AuditNames(*store).size(), 400u);
}

}  // namespace
}  // namespace fairlead::control
