// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See enrollment_service.h.
#include "control/enrollment_service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/plain_text.h"
#include "base/random.h"
#include "base/status.h"
#include "base/unit_id.h"
#include "base/utf8.h"
#include "control/certificate_authority.h"
#include "control/filter.h"
#include "control/proto_time.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

using Key = v1::FirstAuthenticationKey;

constexpr char kCollection[] = "firstAuthenticationKeys";
constexpr int kMaxUnitIds = 1000;
constexpr std::size_t kMaxDisplayNameCharacters = 128;
constexpr std::size_t kMinSecretBytes = 16;
constexpr std::size_t kMaxSecretBytes = 128;
// The range of google.protobuf.Timestamp: the years 1 to 9999.
constexpr std::int64_t kMaxTimestampSeconds = 253'402'300'799;

absl::Status Bad(absl::string_view field, absl::string_view range) {
  return absl::InvalidArgumentError(absl::StrCat("firstAuthenticationKey.", field, " ", range));
}

absl::Status CheckUnitIds(const Key& key) {
  if (key.type() != Key::ONE_TIME_BOUND) {
    return key.unit_ids().empty() ? absl::OkStatus()
                                  : Bad("unitIds", "must be empty unless type is ONE_TIME_BOUND.");
  }
  if (key.unit_ids_size() < 1 || key.unit_ids_size() > kMaxUnitIds) {
    return Bad("unitIds", "must have 1 to 1000 entries when type is ONE_TIME_BOUND.");
  }
  std::set<std::string> seen;
  for (const std::string& unit_id : key.unit_ids()) {
    if (!IsUnitId(unit_id)) {
      return Bad(
          "unitIds",
          "entries must have 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-', and not be "
          "\".\" or \"..\".");
    }
    if (!seen.insert(unit_id).second) {
      return Bad("unitIds", absl::StrCat("must name each device once; ", unit_id, " is twice."));
    }
  }
  return absl::OkStatus();
}

bool IsSecret(const std::string& secret) {
  return secret.size() >= kMinSecretBytes && secret.size() <= kMaxSecretBytes &&
         std::all_of(secret.begin(), secret.end(), [](char c) { return c > ' ' && c <= '~'; });
}

absl::Status CheckExpiry(const google::protobuf::Timestamp& expiry, absl::Time now) {
  const bool in_range = expiry.nanos() >= 0 && expiry.nanos() <= 999'999'999 &&
                        expiry.seconds() <= kMaxTimestampSeconds &&
                        expiry.seconds() >= -62'135'596'800;
  if (in_range && FromTimestamp(expiry) > now) return absl::OkStatus();
  return Bad("expireTime", "must be in the future and before the year 10000.");
}

}  // namespace

absl::Status CheckNewKey(const Key& key, absl::Time now) {
  if (!Key::Type_IsValid(key.type())) {
    return Bad("type", "must be ONE_TIME, ONE_TIME_BOUND or MASS_DEPLOYMENT.");
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckUnitIds(key));
  if (CountCharacters(key.display_name()) > kMaxDisplayNameCharacters) {
    return Bad("displayName", "must have at most 128 characters.");
  }
  if (!IsPlainText(key.display_name())) {
    return Bad("displayName", "must be plain text, without control or invisible characters.");
  }
  if (key.has_key() && !IsSecret(key.key())) {
    return Bad("key",
               "must have 16 to 128 printable ASCII characters without blanks, or be absent.");
  }
  return key.has_expire_time() ? CheckExpiry(key.expire_time(), now) : absl::OkStatus();
}

grpc::ServerUnaryReactor* EnrollmentService::CreateFirstAuthenticationKey(
    grpc::CallbackServerContext* context, const v1::CreateFirstAuthenticationKeyRequest* request,
    Key* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller& caller, const v1::CreateFirstAuthenticationKeyRequest& asked,
             Key* reply) { return Create(caller, asked.first_authentication_key(), reply); });
}

grpc::ServerUnaryReactor* EnrollmentService::ListFirstAuthenticationKeys(
    grpc::CallbackServerContext* context, const v1::ListFirstAuthenticationKeysRequest* request,
    v1::ListFirstAuthenticationKeysResponse* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller&, const v1::ListFirstAuthenticationKeysRequest& asked,
             v1::ListFirstAuthenticationKeysResponse* reply) { return List(asked, reply); });
}

grpc::ServerUnaryReactor* EnrollmentService::DisableFirstAuthenticationKey(
    grpc::CallbackServerContext* context, const v1::DisableFirstAuthenticationKeyRequest* request,
    Key* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller& caller, const v1::DisableFirstAuthenticationKeyRequest& asked,
             Key* reply) { return Disable(caller, asked.name(), reply); });
}

grpc::ServerUnaryReactor* EnrollmentService::DeleteFirstAuthenticationKey(
    grpc::CallbackServerContext* context, const v1::DeleteFirstAuthenticationKeyRequest* request,
    v1::DeleteFirstAuthenticationKeyResponse* response) {
  return UnaryCall(
      support_, context, request, response,
      [this](const Caller& caller, const v1::DeleteFirstAuthenticationKeyRequest& asked,
             v1::DeleteFirstAuthenticationKeyResponse*) { return Delete(caller, asked.name()); });
}

absl::Status EnrollmentService::Create(const Caller& caller, const Key& wanted, Key* created) {
  const absl::Time now = clock_.Now();
  FAIRLEAD_RETURN_IF_ERROR(CheckNewKey(wanted, now));
  const std::string secret = wanted.has_key() ? wanted.key() : RandomSecret();
  KeyRecord record;
  record.sha256 = Sha256(secret);
  Key& key = record.key;
  key.set_name(absl::StrCat(kCollection, "/", RandomId()));
  key.set_type(wanted.type() == Key::TYPE_UNSPECIFIED ? Key::ONE_TIME : wanted.type());
  *key.mutable_unit_ids() = wanted.unit_ids();
  key.set_display_name(wanted.display_name());
  *key.mutable_create_time() = ToTimestamp(now);
  if (wanted.has_expire_time()) *key.mutable_expire_time() = wanted.expire_time();
  key.set_creator(caller.user);
  const auto insert = [&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(store_.InsertKey(record));
    return Audit(caller, "key.create", key.name(), v1::AuditEvent::SUCCEEDED,
                 absl::StrCat(Key::Type_Name(key.type()), " key created."));
  };
  const absl::Status status = store_.Transact(insert);
  if (absl::IsAlreadyExists(status)) {
    (void)Audit(caller, "key.create", std::string(), v1::AuditEvent::REFUSED,
                "The chosen secret is already in use.");
    return ErrorWithReason(
        absl::StatusCode::kAlreadyExists, "KEY_IN_USE",
        "firstAuthenticationKey.key is already in use; choose another secret, or "
        "none to have one made.");
  }
  FAIRLEAD_RETURN_IF_ERROR(status);
  *created = key;
  created->set_key(secret);
  return absl::OkStatus();
}

absl::Status EnrollmentService::List(const v1::ListFirstAuthenticationKeysRequest& request,
                                     v1::ListFirstAuthenticationKeysResponse* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token()));
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<KeyRecord> keys,
                            store_.ListKeys(page, response->mutable_next_page_token()));
  for (KeyRecord& record : keys) {
    *response->add_first_authentication_keys() = std::move(record.key);
  }
  return absl::OkStatus();
}

absl::Status EnrollmentService::Disable(const Caller& caller, const std::string& name,
                                        Key* disabled) {
  FAIRLEAD_RETURN_IF_ERROR(ParseName(name, kCollection).status());
  const auto disable = [&]() -> absl::Status {
    FAIRLEAD_ASSIGN_OR_RETURN(KeyRecord record, store_.GetKey(name));
    const bool changed = !record.key.disabled();
    record.key.set_disabled(true);
    *disabled = record.key;
    if (!changed) return absl::OkStatus();
    FAIRLEAD_RETURN_IF_ERROR(store_.UpdateKey(record));
    return Audit(caller, "key.disable", name, v1::AuditEvent::SUCCEEDED, "Key disabled.");
  };
  return store_.Transact(disable);
}

absl::Status EnrollmentService::Delete(const Caller& caller, const std::string& name) {
  FAIRLEAD_RETURN_IF_ERROR(ParseName(name, kCollection).status());
  const auto erase = [&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(store_.DeleteKey(name));
    return Audit(caller, "key.delete", name, v1::AuditEvent::SUCCEEDED, "Key deleted.");
  };
  return store_.Transact(erase);
}

absl::Status EnrollmentService::Audit(const Caller& caller, const std::string& action,
                                      const std::string& name, v1::AuditEvent::Outcome outcome,
                                      const std::string& detail) {
  AuditEntry entry;
  entry.actor = caller.user;
  entry.action = action;
  entry.resource = name;
  entry.outcome = outcome;
  entry.peer_address = caller.peer_address;
  entry.detail = detail;
  return audit_.Append(entry);
}

}  // namespace fairlead::control
