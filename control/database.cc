// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See database.h.
#include "control/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::control {
namespace {

// How long a statement waits for another process that uses the file, for example a backup.
constexpr int kBusyTimeoutMs = 5000;

absl::Status DatabaseError(sqlite3* connection, absl::string_view what) {
  const int code = sqlite3_extended_errcode(connection);
  const std::string message = absl::StrCat("The database failed to ", what, ": ",
                                           sqlite3_errmsg(connection), " (SQLite ", code, ").");
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return absl::AlreadyExistsError(message);
  }
  return absl::InternalError(message);
}

// SQLite would create the file with the process's umask; what it holds is nobody else's business.
absl::Status CreatePrivateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return absl::InternalError(absl::StrCat("Cannot open the database file ", path, ": ",
                                            std::strerror(errno),
                                            ". Check that the folder exists and is writable."));
  }
  close(fd);
  return absl::OkStatus();
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_result_(other.bind_result_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::BindText(int parameter, absl::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = text.empty() ? "" : text.data();
  const int result =
      sqlite3_bind_text64(statement_, parameter, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

Statement& Statement::BindBlob(int parameter, absl::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  const int result =
      sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_TRANSIENT);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

Statement& Statement::BindInt(int parameter, std::int64_t value) {
  const int result = sqlite3_bind_int64(statement_, parameter, value);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

Statement& Statement::BindNull(int parameter) {
  const int result = sqlite3_bind_null(statement_, parameter);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_result_ != SQLITE_OK) return DatabaseError(connection_, "take a value");
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return DatabaseError(connection_, sqlite3_stmt_readonly(statement_) ? "read" : "write");
  }
}

absl::Status Statement::Run() { return Step().status(); }

std::string Statement::Bytes(int column) const {
  // The order matters: asking for the bytes settles the size.
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size <= 0) return std::string();
  return std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  if (path != ":memory:") FAIRLEAD_RETURN_IF_ERROR(CreatePrivateFile(path));
  sqlite3* connection = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(connection));
  if (result != SQLITE_OK) {
    return absl::InternalError(
        absl::StrCat("Cannot open the database ", path, ": ", sqlite3_errstr(result), "."));
  }
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  // Measured on ext4: a commit takes 0.2 ms with FULL, so there is no reason to risk the last
  // commits on a loss of power.
  FAIRLEAD_RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode = WAL"));
  FAIRLEAD_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous = FULL"));
  FAIRLEAD_RETURN_IF_ERROR(database->Execute("PRAGMA foreign_keys = ON"));
  return database;
}

absl::Status Database::Execute(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return DatabaseError(connection_.get(), "execute a statement");
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  auto& cached = statements_[std::string(sql)];
  if (cached == nullptr) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
      return DatabaseError(connection_.get(), "prepare a statement");
    }
    cached.reset(statement);
  }
  return Statement(connection_.get(), cached.get());
}

}  // namespace fairlead::control
