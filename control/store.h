// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The store: all that control keeps across restarts, behind an interface, so that a cluster's store
// can be a process of its own. SqliteStore (sqlite_store.h) is the embedded one.
#ifndef FAIRLEAD_CONTROL_STORE_H_
#define FAIRLEAD_CONTROL_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "proto/audit.pb.h"
#include "proto/device.pb.h"
#include "proto/enrollment.pb.h"
#include "proto/icg.pb.h"
#include "proto/session.pb.h"

namespace fairlead::control {

// Somebody who may log in.
struct UserRecord {
  std::string username;
  // argon2id in its encoded form, with parameters and salt.
  std::string password_hash;
  // "roles/administrator", ...
  std::vector<std::string> roles;
  bool disabled = false;
  absl::Time create_time;
  absl::optional<absl::Time> last_login_time;
};

// A bearer token.
struct TokenRecord {
  // SHA-256 of the token, 32 bytes.
  std::string sha256;
  std::string username;
  absl::Time expire_time;
};

// A first-authentication key. `key.key` (the secret) is never set.
struct KeyRecord {
  // SHA-256 of the secret, 32 bytes.
  std::string sha256;
  v1::FirstAuthenticationKey key;
};

// A certificate that our CA issued to a device or an ICG.
struct CertificateRecord {
  // SHA-256 of der, 32 bytes.
  std::string fingerprint;
  // The device's unit ID, or the ICG's resource name ("icgs/x", which no unit ID can be).
  std::string unit_id;
  // SHA-256 of the SubjectPublicKeyInfo, 32 bytes: tells a retry of the same device with the same
  // key pair from another device.
  std::string public_key_sha256;
  // The first-authentication key it was issued for, "firstAuthenticationKeys/{id}"; empty for a
  // renewal.
  std::string key_name;
  std::string der;
  absl::Time not_after;
  bool revoked = false;
};

// A page of some list. The token is opaque to all but the store.
struct Page {
  int size = 100;
  std::string token;
};

// All methods block on the disk: never call them on an I/O or gRPC thread.
//
// Errors: all methods: INTERNAL the database failed (says what, for example a full disk);
// DATA_LOSS a record cannot be read. Further ones are named.
// Thread: any; calls are serialised.
class Store {
 public:
  virtual ~Store() = default;

  // Runs `work`, whose store calls then take effect together when it returns OK, or not at all.
  // Calls of other threads wait. May be nested: the outermost decides.
  virtual absl::Status Transact(absl::FunctionRef<absl::Status()> work) = 0;

  // Users. Get: NOT_FOUND.
  virtual absl::StatusOr<UserRecord> GetUser(absl::string_view username) = 0;
  virtual absl::Status PutUser(const UserRecord& user) = 0;
  virtual absl::StatusOr<std::int64_t> CountUsers() = 0;

  // Tokens. Get: NOT_FOUND. Expired ones are swept by DeleteExpiredTokens.
  virtual absl::StatusOr<TokenRecord> GetToken(absl::string_view sha256) = 0;
  virtual absl::Status PutToken(const TokenRecord& token) = 0;
  virtual absl::Status DeleteToken(absl::string_view sha256) = 0;
  virtual absl::Status DeleteExpiredTokens(absl::Time now) = 0;

  // First-authentication keys. Get: NOT_FOUND; Insert: ALREADY_EXISTS the secret is in use.
  virtual absl::Status InsertKey(const KeyRecord& key) = 0;
  virtual absl::Status UpdateKey(const KeyRecord& key) = 0;
  virtual absl::StatusOr<KeyRecord> GetKey(absl::string_view name) = 0;
  virtual absl::StatusOr<KeyRecord> FindKeyBySecret(absl::string_view sha256) = 0;
  virtual absl::Status DeleteKey(absl::string_view name) = 0;
  // Newest first; sets the next page's token, empty on the last.
  virtual absl::StatusOr<std::vector<KeyRecord>> ListKeys(const Page& page,
                                                          std::string* next_token) = 0;

  // Certificates of devices and ICGs; `unit_id` as in CertificateRecord.
  virtual absl::Status InsertCertificate(const CertificateRecord& certificate) = 0;
  // Those of one device or ICG, newest first, revoked ones too.
  virtual absl::StatusOr<std::vector<CertificateRecord>> CertificatesOf(
      absl::string_view unit_id) = 0;
  virtual absl::Status RevokeCertificatesOf(absl::string_view unit_id) = 0;
  // Fingerprints of revoked certificates that have not expired at `now`.
  virtual absl::StatusOr<std::vector<std::string>> RevokedFingerprints(absl::Time now) = 0;

  // Devices. `connection` is never stored: presence is what the links say. Get: NOT_FOUND.
  virtual absl::StatusOr<v1::Device> GetDevice(absl::string_view unit_id) = 0;
  virtual absl::Status PutDevice(const v1::Device& device) = 0;
  virtual absl::Status DeleteDevice(absl::string_view unit_id) = 0;
  virtual absl::StatusOr<std::vector<v1::Device>> AllDevices() = 0;

  // ICGs, without what the server sets from their links. Get: NOT_FOUND. List: by name.
  virtual absl::StatusOr<v1::Icg> GetIcg(absl::string_view name) = 0;
  virtual absl::Status PutIcg(const v1::Icg& icg) = 0;
  virtual absl::Status DeleteIcg(absl::string_view name) = 0;
  virtual absl::StatusOr<std::vector<v1::Icg>> ListIcgs() = 0;

  // Sessions, without tickets. Get: NOT_FOUND.
  virtual absl::StatusOr<v1::Session> GetSession(absl::string_view name) = 0;
  virtual absl::Status PutSession(const v1::Session& session) = 0;
  // Newest first; those for which `select` returns true.
  virtual absl::StatusOr<std::vector<v1::Session>> ListSessions(
      const Page& page, absl::FunctionRef<bool(const v1::Session&)> select,
      std::string* next_token) = 0;
  // Those whose state is not ENDED: at start they are left over from a crash.
  virtual absl::StatusOr<std::vector<v1::Session>> UnendedSessions() = 0;

  // The audit log. Append sets name and keeps the rest.
  virtual absl::Status AppendAuditEvent(v1::AuditEvent* event) = 0;
  virtual absl::StatusOr<std::vector<v1::AuditEvent>> ListAuditEvents(
      const Page& page, absl::FunctionRef<bool(const v1::AuditEvent&)> select,
      std::string* next_token) = 0;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_STORE_H_
