// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A store in memory that fails on request. For tests of what uses devices, ICGs, sessions,
// certificates and the audit log; the rest answers UNIMPLEMENTED.
#ifndef FAIRLEAD_CONTROL_TESTING_FAKE_STORE_H_
#define FAIRLEAD_CONTROL_TESTING_FAKE_STORE_H_

#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/status.h"
#include "control/store.h"

namespace fairlead::control {

// What a test's own change of a device writes beside it.
inline absl::Status Unaudited(const v1::Device&) { return absl::OkStatus(); }

// Transactions are not nested. Thread: one at a time.
class FakeStore : public Store {
 public:
  // What every write returns from now on.
  void FailWrites(absl::Status status) { write_status_ = std::move(status); }
  // What every write to the audit log returns from now on; other writes succeed.
  void FailAudits(absl::Status status) { audit_status_ = std::move(status); }

  const std::vector<v1::AuditEvent>& audit() const { return audit_; }
  std::vector<std::string> AuditLines() const {
    std::vector<std::string> lines;
    for (const v1::AuditEvent& event : audit_) {
      lines.push_back(absl::StrCat(event.actor(), " ", event.action(), " ",
                                   v1::AuditEvent::Outcome_Name(event.outcome())));
    }
    return lines;
  }

  absl::Status Transact(absl::FunctionRef<absl::Status()> work) override {
    const auto certificates = certificates_;
    const std::size_t audited = audit_.size();
    undo_.clear();
    absl::Status status = work();
    if (status.ok()) return status;
    while (!undo_.empty()) {
      undo_.back()();
      undo_.pop_back();
    }
    certificates_ = certificates;
    audit_.resize(audited);
    return status;
  }

  absl::StatusOr<UserRecord> GetUser(absl::string_view) override { return Never(); }
  absl::Status PutUser(const UserRecord&) override { return Never(); }
  absl::StatusOr<std::int64_t> CountUsers() override { return Never(); }
  absl::StatusOr<TokenRecord> GetToken(absl::string_view) override { return Never(); }
  absl::Status PutToken(const TokenRecord&) override { return Never(); }
  absl::Status DeleteToken(absl::string_view) override { return Never(); }
  absl::Status DeleteExpiredTokens(absl::Time) override { return Never(); }
  absl::Status InsertKey(const KeyRecord&) override { return Never(); }
  absl::Status UpdateKey(const KeyRecord&) override { return Never(); }
  absl::StatusOr<KeyRecord> GetKey(absl::string_view) override { return Never(); }
  absl::StatusOr<KeyRecord> FindKeyBySecret(absl::string_view) override { return Never(); }
  absl::Status DeleteKey(absl::string_view) override { return Never(); }
  absl::StatusOr<std::vector<KeyRecord>> ListKeys(const Page&, std::string*) override {
    return Never();
  }

  absl::Status InsertCertificate(const CertificateRecord& certificate) override {
    certificates_.push_back(certificate);
    return write_status_;
  }
  absl::StatusOr<std::vector<CertificateRecord>> CertificatesOf(
      absl::string_view unit_id) override {
    std::vector<CertificateRecord> found;
    for (const CertificateRecord& certificate : certificates_) {
      if (certificate.unit_id == unit_id) found.push_back(certificate);
    }
    return found;
  }
  absl::Status RevokeCertificatesOf(absl::string_view unit_id) override {
    for (CertificateRecord& certificate : certificates_) {
      if (certificate.unit_id == unit_id) certificate.revoked = true;
    }
    return write_status_;
  }
  absl::StatusOr<std::vector<std::string>> RevokedFingerprints(absl::Time) override {
    std::vector<std::string> found;
    for (const CertificateRecord& certificate : certificates_) {
      if (certificate.revoked) found.push_back(certificate.fingerprint);
    }
    return found;
  }

  absl::StatusOr<v1::Device> GetDevice(absl::string_view unit_id) override {
    const auto found = devices_.find(std::string(unit_id));
    if (found == devices_.end()) return absl::NotFoundError("no such device");
    return found->second;
  }
  absl::Status PutDevice(const v1::Device& device) override {
    FAIRLEAD_RETURN_IF_ERROR(CheckUtf8(device));
    if (write_status_.ok()) Set(devices_, device.unit_id(), device);
    return write_status_;
  }
  absl::Status DeleteDevice(absl::string_view unit_id) override {
    if (write_status_.ok()) Set(devices_, std::string(unit_id), absl::nullopt);
    return write_status_;
  }
  absl::StatusOr<std::vector<v1::Device>> AllDevices() override {
    std::vector<v1::Device> all;
    for (const auto& [unit_id, device] : devices_) all.push_back(device);
    return all;
  }

  absl::StatusOr<v1::Icg> GetIcg(absl::string_view name) override {
    const auto found = icgs_.find(std::string(name));
    if (found == icgs_.end()) return absl::NotFoundError("no such ICG");
    return found->second;
  }
  absl::Status PutIcg(const v1::Icg& icg) override {
    if (write_status_.ok()) Set(icgs_, icg.name(), icg);
    return write_status_;
  }
  absl::Status DeleteIcg(absl::string_view name) override {
    if (write_status_.ok()) Set(icgs_, std::string(name), absl::nullopt);
    return write_status_;
  }
  absl::StatusOr<std::vector<v1::Icg>> ListIcgs() override {
    std::vector<v1::Icg> all;
    for (const auto& [name, icg] : icgs_) all.push_back(icg);
    return all;
  }

  absl::StatusOr<v1::Session> GetSession(absl::string_view name) override {
    const auto found = sessions_.find(std::string(name));
    if (found == sessions_.end()) return absl::NotFoundError("no such session");
    return found->second;
  }
  absl::Status PutSession(const v1::Session& session) override {
    FAIRLEAD_RETURN_IF_ERROR(CheckUtf8(session));
    if (write_status_.ok()) Set(sessions_, session.name(), session);
    return write_status_;
  }
  absl::StatusOr<std::vector<v1::Session>> ListSessions(
      const Page&, absl::FunctionRef<bool(const v1::Session&)> select, std::string*) override {
    std::vector<v1::Session> found;
    for (const auto& [name, session] : sessions_) {
      if (select(session)) found.push_back(session);
    }
    return found;
  }
  absl::StatusOr<std::vector<v1::Session>> UnendedSessions() override {
    std::string ignored;
    return ListSessions(
        Page(), [](const v1::Session& session) { return session.state() != v1::Session::ENDED; },
        &ignored);
  }

  absl::Status AppendAuditEvent(v1::AuditEvent* event) override {
    FAIRLEAD_RETURN_IF_ERROR(CheckUtf8(*event));
    FAIRLEAD_RETURN_IF_ERROR(audit_status_);
    if (write_status_.ok()) audit_.push_back(*event);
    return write_status_;
  }
  absl::StatusOr<std::vector<v1::AuditEvent>> ListAuditEvents(
      const Page&, absl::FunctionRef<bool(const v1::AuditEvent&)>, std::string*) override {
    return audit_;
  }

 private:
  // As the real store: what could not be read again is refused.
  template <typename Message>
  static absl::Status CheckUtf8(const Message& message) {
    if (Message().ParseFromString(message.SerializeAsString())) return absl::OkStatus();
    return absl::InvalidArgumentError("a text is not UTF-8");
  }
  // Sets or erases a record, and keeps what it was for a transaction that fails.
  template <typename Record>
  void Set(std::map<std::string, Record>& records, const std::string& key,
           const std::common_type_t<absl::optional<Record>>& record) {
    absl::optional<Record> before;
    const auto found = records.find(key);
    if (found != records.end()) before = found->second;
    undo_.push_back([&records, key, before]() { Put(records, key, before); });
    Put(records, key, record);
  }
  template <typename Record>
  static void Put(std::map<std::string, Record>& records, const std::string& key,
                  const absl::optional<Record>& record) {
    if (record.has_value()) {
      records[key] = *record;
    } else {
      records.erase(key);
    }
  }
  static absl::Status Never() { return absl::UnimplementedError("not in this fake"); }

  // How to take back the writes since the last transaction began, the latest last.
  std::vector<std::function<void()>> undo_;
  absl::Status write_status_ = absl::OkStatus();
  absl::Status audit_status_ = absl::OkStatus();
  std::map<std::string, v1::Device> devices_;
  std::map<std::string, v1::Icg> icgs_;
  std::map<std::string, v1::Session> sessions_;
  std::vector<CertificateRecord> certificates_;
  std::vector<v1::AuditEvent> audit_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_FAKE_STORE_H_
