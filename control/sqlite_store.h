// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The embedded store: one SQLite file in WAL mode, which survives the loss of the process at any
// moment. The server's default.
#ifndef FAIRLEAD_CONTROL_SQLITE_STORE_H_
#define FAIRLEAD_CONTROL_SQLITE_STORE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/database.h"
#include "control/store.h"

namespace fairlead::control {

class SqliteStore : public Store {
 public:
  // Opens or creates the file `path`, or an empty store in memory for ":memory:", and brings its
  // schema up to date.
  //
  // Errors: INTERNAL it cannot be opened; FAILED_PRECONDITION a newer program wrote it.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);

  absl::Status Transact(absl::FunctionRef<absl::Status()> work) override;

  absl::StatusOr<UserRecord> GetUser(absl::string_view username) override;
  absl::Status PutUser(const UserRecord& user) override;
  absl::StatusOr<std::int64_t> CountUsers() override;

  absl::StatusOr<TokenRecord> GetToken(absl::string_view sha256) override;
  absl::Status PutToken(const TokenRecord& token) override;
  absl::Status DeleteToken(absl::string_view sha256) override;
  absl::Status DeleteExpiredTokens(absl::Time now) override;

  absl::Status InsertKey(const KeyRecord& key) override;
  absl::Status UpdateKey(const KeyRecord& key) override;
  absl::StatusOr<KeyRecord> GetKey(absl::string_view name) override;
  absl::StatusOr<KeyRecord> FindKeyBySecret(absl::string_view sha256) override;
  absl::Status DeleteKey(absl::string_view name) override;
  absl::StatusOr<std::vector<KeyRecord>> ListKeys(const Page& page,
                                                  std::string* next_token) override;

  absl::Status InsertCertificate(const CertificateRecord& certificate) override;
  absl::StatusOr<std::vector<CertificateRecord>> CertificatesOf(absl::string_view unit_id) override;
  absl::Status RevokeCertificatesOf(absl::string_view unit_id) override;
  absl::StatusOr<std::vector<std::string>> RevokedFingerprints(absl::Time now) override;

  absl::StatusOr<v1::Device> GetDevice(absl::string_view unit_id) override;
  absl::Status PutDevice(const v1::Device& device) override;
  absl::Status DeleteDevice(absl::string_view unit_id) override;
  absl::StatusOr<std::vector<v1::Device>> AllDevices() override;

  absl::StatusOr<v1::Icg> GetIcg(absl::string_view name) override;
  absl::Status PutIcg(const v1::Icg& icg) override;
  absl::Status DeleteIcg(absl::string_view name) override;
  absl::StatusOr<std::vector<v1::Icg>> ListIcgs() override;

  absl::StatusOr<v1::Session> GetSession(absl::string_view name) override;
  absl::Status PutSession(const v1::Session& session) override;
  absl::StatusOr<std::vector<v1::Session>> ListSessions(
      const Page& page, absl::FunctionRef<bool(const v1::Session&)> select,
      std::string* next_token) override;
  absl::StatusOr<std::vector<v1::Session>> UnendedSessions() override;

  absl::Status AppendAuditEvent(v1::AuditEvent* event) override;
  absl::StatusOr<std::vector<v1::AuditEvent>> ListAuditEvents(
      const Page& page, absl::FunctionRef<bool(const v1::AuditEvent&)> select,
      std::string* next_token) override;

  // Lets SQLite check the whole file. Slow; for tests and repairs.
  // Errors: DATA_LOSS what it found.
  absl::Status CheckIntegrity();

 private:
  // One thread's use of the database.
  using Lock = std::lock_guard<std::recursive_mutex>;

  explicit SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  // The statement for `sql`. Fails when the transaction in which it was to run has ended by itself,
  // so that nothing after the failure takes effect alone. Call with mutex_ held.
  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  absl::Status FinishTransaction(const absl::Status& result);

  // Recursive, since store calls within Transact come from the thread that holds it.
  std::recursive_mutex mutex_;
  // Guarded by mutex_.
  const std::unique_ptr<Database> database_;
  int depth_ = 0;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SQLITE_STORE_H_
