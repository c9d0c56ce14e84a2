// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See schema.h. A released migration is never edited; a change of the tables is a new one.
#include "control/schema.h"

#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::control {
namespace {

// Times are microseconds since the Unix epoch. `record` is a serialized message of proto/; columns
// beside it are what queries need. `number` gives lists their order.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE users (
  username TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  roles TEXT NOT NULL,             -- separated by blanks
  disabled INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  last_login_time INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  sha256 BLOB PRIMARY KEY,
  username TEXT NOT NULL REFERENCES users (username) ON DELETE CASCADE,
  expire_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_username ON tokens (username);
CREATE INDEX tokens_by_expire_time ON tokens (expire_time);

CREATE TABLE first_authentication_keys (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  sha256 BLOB NOT NULL UNIQUE,
  record BLOB NOT NULL             -- fairlead.v1.FirstAuthenticationKey without the secret
) STRICT;

-- Outlives its device and its key: a revoked certificate must stay refused until it expires.
CREATE TABLE certificates (
  number INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL UNIQUE,
  unit_id TEXT NOT NULL,
  public_key_sha256 BLOB NOT NULL,
  key_name TEXT NOT NULL,
  der BLOB NOT NULL,
  not_after INTEGER NOT NULL,
  revoked INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_by_unit_id ON certificates (unit_id, number);
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked;

CREATE TABLE devices (
  unit_id TEXT PRIMARY KEY,
  record BLOB NOT NULL             -- fairlead.v1.Device without connection
) STRICT;

CREATE TABLE sessions (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  device TEXT NOT NULL,
  ended INTEGER NOT NULL,
  record BLOB NOT NULL             -- fairlead.v1.Session without ticket
) STRICT;
CREATE INDEX sessions_unended ON sessions (number) WHERE NOT ended;

-- Without deletions SQLite gives each row the number after the last one: no gaps, also after a
-- transaction that was rolled back.
CREATE TABLE audit_events (
  number INTEGER PRIMARY KEY,
  record BLOB NOT NULL             -- fairlead.v1.AuditEvent without name
) STRICT;
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
  BEGIN SELECT raise(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
  BEGIN SELECT raise(ABORT, 'audit events are never deleted'); END;
CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
  WHEN EXISTS (SELECT 1 FROM audit_events WHERE number = NEW.number)
  BEGIN SELECT raise(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_no_gap AFTER INSERT ON audit_events
  WHEN NEW.number <> 1
    AND NOT EXISTS (SELECT 1 FROM audit_events WHERE number = NEW.number - 1)
  BEGIN SELECT raise(ABORT, 'audit events are numbered without gaps'); END;
)sql";

// From here on certificates.unit_id may also be an ICG's name.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE icgs (
  name TEXT PRIMARY KEY,
  record BLOB NOT NULL             -- fairlead.v1.Icg without its link's state
) STRICT, WITHOUT ROWID;
)sql";

// Element i takes a database from version i to i + 1.
constexpr const char* kMigrations[] = {kVersion1, kVersion2};

absl::StatusOr<std::int64_t> VersionOf(Database& database) {
  FAIRLEAD_ASSIGN_OR_RETURN(Statement statement, database.Prepare("PRAGMA user_version"));
  FAIRLEAD_RETURN_IF_ERROR(statement.Step().status());
  return statement.Int(0);
}

absl::Status MigrateOnce(Database& database, std::int64_t from) {
  absl::Status status = database.Execute(kMigrations[from]);
  if (status.ok()) {
    status = database.Execute(absl::StrCat("PRAGMA user_version = ", from + 1).c_str());
  }
  return status;
}

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kMigrations)); }

absl::Status MigrateSchema(Database& database) {
  while (true) {
    // The version is read inside the transaction: two processes may start at once.
    FAIRLEAD_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
    const absl::StatusOr<std::int64_t> version = VersionOf(database);
    absl::Status status = version.status();
    if (status.ok() && *version > SchemaVersion()) {
      status = absl::FailedPreconditionError(absl::StrCat(
          "The database has version ", *version, ", this program knows ", SchemaVersion(),
          " at most; start the newer program that wrote it, or restore a backup."));
    }
    const bool done = status.ok() && *version == SchemaVersion();
    if (status.ok() && !done) status = MigrateOnce(database, *version);
    if (status.ok()) status = database.Execute("COMMIT");
    if (!status.ok()) {
      if (database.InTransaction()) (void)database.Execute("ROLLBACK");
      return Annotate(status, "Preparing the database");
    }
    if (done) return absl::OkStatus();
  }
}

}  // namespace fairlead::control
