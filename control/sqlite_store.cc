// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See sqlite_store.h. Sessions, devices and the audit log, whose rows are serialized messages, are
// in sqlite_store_records.cc.
#include "control/sqlite_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "control/schema.h"
#include "control/sqlite_rows.h"

namespace fairlead::control {
namespace {

constexpr absl::string_view kCertificateColumns =
    "fingerprint, unit_id, public_key_sha256, key_name, der, not_after, revoked";

constexpr absl::string_view kKey = "first-authentication key";

absl::StatusOr<KeyRecord> KeyFrom(const Statement& row) {
  KeyRecord record;
  record.sha256 = row.Bytes(1);
  FAIRLEAD_RETURN_IF_ERROR(ParseRecord(row.Bytes(2), kKey, &record.key));
  return record;
}

absl::StatusOr<std::string> SerializeKey(const KeyRecord& key) {
  v1::FirstAuthenticationKey stored = key.key;
  stored.clear_key();
  std::string bytes;
  FAIRLEAD_RETURN_IF_ERROR(SerializeRecord(stored, kKey, &bytes));
  return bytes;
}

absl::Status NoSuchKey(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("There is no first-authentication key ", name, "."));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path) {
  FAIRLEAD_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(path));
  FAIRLEAD_RETURN_IF_ERROR(Annotate(MigrateSchema(*database), path));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database)));
}

absl::StatusOr<Statement> SqliteStore::Prepare(absl::string_view sql) {
  if (depth_ > 0 && !database_->InTransaction()) {
    return absl::InternalError("The database has given up the transaction after an earlier error.");
  }
  return database_->Prepare(sql);
}

absl::Status SqliteStore::Transact(absl::FunctionRef<absl::Status()> work) {
  const Lock lock(mutex_);
  if (depth_ > 0) return work();
  FAIRLEAD_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  ++depth_;
  const absl::Status result = work();
  --depth_;
  return FinishTransaction(result);
}

absl::Status SqliteStore::FinishTransaction(const absl::Status& result) {
  if (!database_->InTransaction()) {
    return result.ok() ? absl::InternalError("The database has given up the transaction.") : result;
  }
  const absl::Status committed = result.ok() ? database_->Execute("COMMIT") : result;
  if (!committed.ok() && database_->InTransaction()) (void)database_->Execute("ROLLBACK");
  return committed;
}

absl::StatusOr<UserRecord> SqliteStore::GetUser(absl::string_view username) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT password_hash, roles, disabled, create_time, last_login_time FROM users "
              "WHERE username = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindText(1, username).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("There is no user ", username, "."));
  UserRecord user;
  user.username = std::string(username);
  user.password_hash = row.Bytes(0);
  user.roles = absl::StrSplit(row.Bytes(1), ' ', absl::SkipEmpty());
  user.disabled = row.Int(2) != 0;
  user.create_time = absl::FromUnixMicros(row.Int(3));
  if (!row.IsNull(4)) user.last_login_time = absl::FromUnixMicros(row.Int(4));
  return user;
}

absl::Status SqliteStore::PutUser(const UserRecord& user) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("INSERT INTO users (username, password_hash, roles, disabled, create_time, "
              "last_login_time) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (username) DO UPDATE SET "
              "password_hash = excluded.password_hash, roles = excluded.roles, "
              "disabled = excluded.disabled, create_time = excluded.create_time, "
              "last_login_time = excluded.last_login_time"));
  row.BindText(1, user.username).BindText(2, user.password_hash);
  row.BindText(3, absl::StrJoin(user.roles, " ")).BindInt(4, user.disabled ? 1 : 0);
  row.BindInt(5, absl::ToUnixMicros(user.create_time));
  if (user.last_login_time.has_value()) {
    row.BindInt(6, absl::ToUnixMicros(*user.last_login_time));
  } else {
    row.BindNull(6);
  }
  return row.Run();
}

absl::StatusOr<std::int64_t> SqliteStore::CountUsers() {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT count(*) FROM users"));
  FAIRLEAD_RETURN_IF_ERROR(row.Step().status());
  return row.Int(0);
}

absl::StatusOr<TokenRecord> SqliteStore::GetToken(absl::string_view sha256) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare("SELECT username, expire_time FROM tokens WHERE sha256 = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindBlob(1, sha256).Step());
  if (!found) return absl::NotFoundError("There is no such token.");
  TokenRecord token;
  token.sha256 = std::string(sha256);
  token.username = row.Bytes(0);
  token.expire_time = absl::FromUnixMicros(row.Int(1));
  return token;
}

absl::Status SqliteStore::PutToken(const TokenRecord& token) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("INSERT INTO tokens (sha256, username, expire_time) VALUES (?, ?, ?) "
              "ON CONFLICT (sha256) DO UPDATE SET expire_time = excluded.expire_time"));
  row.BindBlob(1, token.sha256).BindText(2, token.username);
  return row.BindInt(3, absl::ToUnixMicros(token.expire_time)).Run();
}

absl::Status SqliteStore::DeleteToken(absl::string_view sha256) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("DELETE FROM tokens WHERE sha256 = ?"));
  return row.BindBlob(1, sha256).Run();
}

absl::Status SqliteStore::DeleteExpiredTokens(absl::Time now) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("DELETE FROM tokens WHERE expire_time <= ?"));
  return row.BindInt(1, absl::ToUnixMicros(now)).Run();
}

absl::Status SqliteStore::InsertKey(const KeyRecord& key) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string bytes, SerializeKey(key));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("INSERT INTO first_authentication_keys (name, sha256, record) VALUES (?, ?, ?)"));
  row.BindText(1, key.key.name()).BindBlob(2, key.sha256).BindBlob(3, bytes);
  const absl::Status status = row.Run();
  if (!absl::IsAlreadyExists(status)) return status;
  return absl::AlreadyExistsError("Another first-authentication key has the same secret.");
}

absl::Status SqliteStore::UpdateKey(const KeyRecord& key) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string bytes, SerializeKey(key));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row, Prepare("UPDATE first_authentication_keys SET record = ? WHERE name = ?"));
  FAIRLEAD_RETURN_IF_ERROR(row.BindBlob(1, bytes).BindText(2, key.key.name()).Run());
  return database_->changes() == 1 ? absl::OkStatus() : NoSuchKey(key.key.name());
}

absl::StatusOr<KeyRecord> SqliteStore::GetKey(absl::string_view name) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT number, sha256, record FROM first_authentication_keys WHERE name = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindText(1, name).Step());
  if (!found) return NoSuchKey(name);
  return KeyFrom(row);
}

absl::StatusOr<KeyRecord> SqliteStore::FindKeyBySecret(absl::string_view sha256) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT number, sha256, record FROM first_authentication_keys WHERE sha256 = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindBlob(1, sha256).Step());
  if (!found) return absl::NotFoundError("No first-authentication key has this secret.");
  return KeyFrom(row);
}

absl::Status SqliteStore::DeleteKey(absl::string_view name) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare("DELETE FROM first_authentication_keys WHERE name = ?"));
  FAIRLEAD_RETURN_IF_ERROR(row.BindText(1, name).Run());
  return database_->changes() == 1 ? absl::OkStatus() : NoSuchKey(name);
}

absl::StatusOr<std::vector<KeyRecord>> SqliteStore::ListKeys(const Page& page,
                                                             std::string* next_token) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::int64_t before, NumberBefore(page.token));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare("SELECT number, sha256, record FROM first_authentication_keys "
                                    "WHERE number < ? ORDER BY number DESC"));
  row.BindInt(1, before);
  std::vector<KeyRecord> keys;
  Unreadable unreadable(kKey);
  const auto take = [&](const Statement& found) -> absl::StatusOr<bool> {
    KeyRecord key;
    key.sha256 = found.Bytes(1);
    if (!unreadable.Parse(found.Bytes(2), &key.key)) return false;
    keys.push_back(std::move(key));
    return true;
  };
  FAIRLEAD_RETURN_IF_ERROR(ReadPage(row, page.size, take, next_token));
  return keys;
}

absl::Status SqliteStore::InsertCertificate(const CertificateRecord& certificate) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare(absl::StrCat("INSERT INTO certificates (", kCertificateColumns,
                                                 ") VALUES (?, ?, ?, ?, ?, ?, ?)")));
  row.BindBlob(1, certificate.fingerprint).BindText(2, certificate.unit_id);
  row.BindBlob(3, certificate.public_key_sha256).BindText(4, certificate.key_name);
  row.BindBlob(5, certificate.der).BindInt(6, absl::ToUnixMicros(certificate.not_after));
  return row.BindInt(7, certificate.revoked ? 1 : 0).Run();
}

absl::StatusOr<std::vector<CertificateRecord>> SqliteStore::CertificatesOf(
    absl::string_view unit_id) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare(absl::StrCat("SELECT ", kCertificateColumns,
                                                 " FROM certificates WHERE unit_id = ? "
                                                 "ORDER BY number DESC")));
  row.BindText(1, unit_id);
  std::vector<CertificateRecord> certificates;
  while (true) {
    FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return certificates;
    CertificateRecord certificate;
    certificate.fingerprint = row.Bytes(0);
    certificate.unit_id = row.Bytes(1);
    certificate.public_key_sha256 = row.Bytes(2);
    certificate.key_name = row.Bytes(3);
    certificate.der = row.Bytes(4);
    certificate.not_after = absl::FromUnixMicros(row.Int(5));
    certificate.revoked = row.Int(6) != 0;
    certificates.push_back(std::move(certificate));
  }
}

absl::Status SqliteStore::RevokeCertificatesOf(absl::string_view unit_id) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("UPDATE certificates SET revoked = 1 WHERE unit_id = ? AND NOT revoked"));
  return row.BindText(1, unit_id).Run();
}

absl::StatusOr<std::vector<std::string>> SqliteStore::RevokedFingerprints(absl::Time now) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT fingerprint FROM certificates WHERE revoked AND not_after > ?"));
  row.BindInt(1, absl::ToUnixMicros(now));
  std::vector<std::string> fingerprints;
  while (true) {
    FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return fingerprints;
    fingerprints.push_back(row.Bytes(0));
  }
}

absl::Status SqliteStore::CheckIntegrity() {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("PRAGMA integrity_check"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.Step());
  const std::string verdict = found ? row.Bytes(0) : "no answer";
  if (verdict == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("The database is damaged: ", verdict,
                                          ". Restore a backup of the state folder."));
}

}  // namespace fairlead::control
