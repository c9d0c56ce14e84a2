// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The embedded store's files: those of other versions are treated right.
#include "control/schema.h"

#include <string>

#include "base/status_matchers.h"
#include "control/database.h"
#include "control/sqlite_store.h"
#include "control/testing/store_records.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

TEST(Schema, RefusesAFileOfANewerProgram) {
  const std::string path = FreshFile("newer");
  {
    const auto database = Database::Open(path).value();
    ASSERT_THAT(database->Execute("PRAGMA user_version = 4711"), IsOk());
  }

  EXPECT_THAT(SqliteStore::Open(path),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 4711")));
}

TEST(Schema, TakesAFileOfTheFirstVersionOn) {
  const std::string path = FreshFile("first_version");
  {
    const auto store = SqliteStore::Open(path).value();
    v1::Device device;
    device.set_unit_id("d1");
    ASSERT_THAT(store->PutDevice(device), IsOk());
  }
  {
    const auto database = Database::Open(path).value();
    ASSERT_THAT(database->Execute("DROP TABLE icgs; PRAGMA user_version = 1"), IsOk());
  }

  const auto store = SqliteStore::Open(path).value();

  EXPECT_THAT(store->GetDevice("d1"), IsOk());
  EXPECT_TRUE(store->ListIcgs()->empty());
}

TEST(Schema, MigratesOnceAndKeepsWhatIsThere) {
  const std::string path = FreshFile("migrate");
  ASSERT_THAT(SqliteStore::Open(path).value()->InsertKey(Key(1)), IsOk());
  const auto database = Database::Open(path).value();

  ASSERT_THAT(MigrateSchema(*database), IsOk());

  Statement version = database->Prepare("PRAGMA user_version").value();
  ASSERT_TRUE(version.Step().value());
  EXPECT_EQ(version.Int(0), SchemaVersion());
  EXPECT_THAT(SqliteStore::Open(path).value()->GetKey(Key(1).key.name()), IsOk());
}

}  // namespace
}  // namespace fairlead::control
