// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A thin owner of an SQLite connection and its prepared statements, with absl::Status for errors.
// Used by SqliteStore and the schema alone.
#ifndef FAIRLEAD_CONTROL_DATABASE_H_
#define FAIRLEAD_CONTROL_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead::control {

// A prepared statement in use. Parameters and columns count as in SQLite: from 1 and from 0.
// Lifetime: must end before its Database; one at a time for the same SQL text.
class Statement {
 public:
  Statement(sqlite3* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;
  // Makes the statement ready for its next use.
  ~Statement();

  // A failure to bind shows in Step.
  Statement& BindText(int parameter, absl::string_view text);
  Statement& BindBlob(int parameter, absl::string_view bytes);
  Statement& BindInt(int parameter, std::int64_t value);
  Statement& BindNull(int parameter);

  // Goes to the next row; false after the last one.
  // Errors: ALREADY_EXISTS a uniqueness constraint; INTERNAL anything else.
  absl::StatusOr<bool> Step();

  // Runs a statement that has no rows. Errors: as Step.
  absl::Status Run();

  std::string Bytes(int column) const;
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3* const connection_;
  sqlite3_stmt* statement_;
  int bind_result_ = SQLITE_OK;
};

// An open database.
// Thread: one at a time.
class Database {
 public:
  // Opens or creates the file `path` (mode 0600), or a private one for ":memory:".
  // Errors: INTERNAL it cannot be opened, or is locked by another process.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);

  // Runs SQL text without parameters and rows.
  absl::Status Execute(const char* sql);

  // Prepares `sql`, or takes it from the cache. Errors: INTERNAL.
  absl::StatusOr<Statement> Prepare(absl::string_view sql);

  // Whether BEGIN was run and neither COMMIT nor ROLLBACK. An error such as a full disk may end a
  // transaction by itself.
  bool InTransaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

  // Rows changed by the last statement.
  std::int64_t changes() const { return sqlite3_changes(connection_.get()); }
  std::int64_t last_insert_rowid() const { return sqlite3_last_insert_rowid(connection_.get()); }

 private:
  struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  explicit Database(sqlite3* connection) : connection_(connection) {}

  // Destroyed last.
  std::unique_ptr<sqlite3, CloseConnection> connection_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, FinalizeStatement>> statements_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DATABASE_H_
