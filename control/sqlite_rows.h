// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Reading pages and serialized records out of SQLite rows. Used by SqliteStore alone.
#ifndef FAIRLEAD_CONTROL_SQLITE_ROWS_H_
#define FAIRLEAD_CONTROL_SQLITE_ROWS_H_

#include <cstdint>
#include <limits>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/log.h"
#include "base/status.h"
#include "control/database.h"

namespace fairlead::control {

// The most rows that one page may look at. A selective filter then gives short pages, so that no
// call holds the store for longer than some ten milliseconds.
inline constexpr int kMaxRowsScanned = 20'000;

// Reads a page token: the number below which the page starts. Errors: INVALID_ARGUMENT.
inline absl::StatusOr<std::int64_t> NumberBefore(absl::string_view token) {
  std::int64_t number = std::numeric_limits<std::int64_t>::max();
  if (!token.empty() && (token.size() > 19 || !absl::SimpleAtoi(token, &number) || number < 1)) {
    return absl::InvalidArgumentError(
        "page_token is not a next_page_token of an earlier reply; leave it empty to start again.");
  }
  return number;
}

// Parses a record. Errors: DATA_LOSS.
template <typename Message>
absl::Status ParseRecord(const std::string& bytes, absl::string_view what, Message* message) {
  if (message->ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("The database holds one ", what, " that cannot be read; restore a backup."));
}

// Writes `message` into `bytes`, unless it could not be read again: then the store would hold it
// for good, and each look at it would fail. Errors: INVALID_ARGUMENT.
template <typename Message>
absl::Status SerializeRecord(const Message& message, absl::string_view what, std::string* bytes) {
  *bytes = message.SerializeAsString();
  if (Message().ParseFromString(*bytes)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("A ", what, " has a text that is not UTF-8, and is not stored."));
}

// Counts the records that a list leaves out, for one line of the log.
class Unreadable {
 public:
  explicit Unreadable(absl::string_view what) : what_(what) {}
  ~Unreadable() {
    if (count_ == 0) return;
    spdlog::error("store: {} record(s) left out of a list: {}", count_,
                  std::string(first_.message()));
  }
  Unreadable(const Unreadable&) = delete;
  Unreadable& operator=(const Unreadable&) = delete;

  // Parses a record. Returns whether it could be read.
  template <typename Message>
  bool Parse(const std::string& bytes, Message* message) {
    const absl::Status status = ParseRecord(bytes, what_, message);
    if (!status.ok() && count_++ == 0) first_ = status;
    return status.ok();
  }

 private:
  const absl::string_view what_;
  int count_ = 0;
  absl::Status first_;
};

// Hands the rows of `statement`, whose first column is their number and falls, to `take`, which
// tells whether the row is part of the page, until `size` were. Sets the next page's token.
inline absl::Status ReadPage(Statement& statement, int size,
                             absl::FunctionRef<absl::StatusOr<bool>(const Statement&)> take,
                             std::string* next_token) {
  next_token->clear();
  int taken = 0;
  std::int64_t last_number = 0;
  for (int scanned = 0;; ++scanned) {
    FAIRLEAD_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return absl::OkStatus();
    if (taken >= size || scanned >= kMaxRowsScanned) break;
    last_number = statement.Int(0);
    FAIRLEAD_ASSIGN_OR_RETURN(const bool was_taken, take(statement));
    if (was_taken) ++taken;
  }
  // The row that was looked at but not used is the first of the next page.
  *next_token = absl::StrCat(last_number);
  return absl::OkStatus();
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SQLITE_ROWS_H_
