// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The tables of the embedded store, their version, and the way from each version to the next. Used
// by SqliteStore when it opens.
#ifndef FAIRLEAD_CONTROL_SCHEMA_H_
#define FAIRLEAD_CONTROL_SCHEMA_H_

#include "absl/status/status.h"
#include "control/database.h"

namespace fairlead::control {

// The version that this program writes; PRAGMA user_version holds the file's.
int SchemaVersion();

// Brings `database` to SchemaVersion(), one version at a time, each in one transaction.
//
// Errors: FAILED_PRECONDITION a newer program wrote the file; INTERNAL the database failed.
absl::Status MigrateSchema(Database& database);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SCHEMA_H_
