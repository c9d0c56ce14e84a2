// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An embedded store for a test, in memory or in a file of its own, and records for it. Used by the
// tests of the store.
#ifndef FAIRLEAD_CONTROL_TESTING_STORE_RECORDS_H_
#define FAIRLEAD_CONTROL_TESTING_STORE_RECORDS_H_

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "control/sqlite_store.h"
#include "gtest/gtest.h"

namespace fairlead::control {

inline std::string FreshFile(const std::string& name) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name, ".db");
  for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path + suffix).c_str());
  return path;
}

inline std::unique_ptr<SqliteStore> InMemory() { return SqliteStore::Open(":memory:").value(); }

inline KeyRecord Key(int number) {
  KeyRecord record;
  record.sha256 = absl::StrCat("hash", number);
  record.key.set_name(absl::StrCat("firstAuthenticationKeys/", number));
  record.key.set_key("must never be stored");
  return record;
}

inline v1::AuditEvent Event(const std::string& action) {
  v1::AuditEvent event;
  event.set_actor("server");
  event.set_action(action);
  return event;
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_STORE_RECORDS_H_
