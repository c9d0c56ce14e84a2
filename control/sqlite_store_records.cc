// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See sqlite_store.h: devices, ICGs, sessions and the audit log.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "control/sqlite_rows.h"
#include "control/sqlite_store.h"

namespace fairlead::control {
namespace {

// All records of `row`, whose only column they are, but those that cannot be read.
template <typename Message>
absl::StatusOr<std::vector<Message>> All(Statement& row, absl::string_view what) {
  std::vector<Message> all;
  Unreadable unreadable(what);
  while (true) {
    FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return all;
    Message message;
    if (unreadable.Parse(row.Bytes(0), &message)) all.push_back(std::move(message));
  }
}

}  // namespace

absl::StatusOr<v1::Device> SqliteStore::GetDevice(absl::string_view unit_id) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT record FROM devices WHERE unit_id = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindText(1, unit_id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("There is no device ", unit_id, "."));
  v1::Device device;
  FAIRLEAD_RETURN_IF_ERROR(ParseRecord(row.Bytes(0), "device", &device));
  return device;
}

absl::Status SqliteStore::PutDevice(const v1::Device& device) {
  v1::Device stored = device;
  stored.clear_connection();
  std::string bytes;
  FAIRLEAD_RETURN_IF_ERROR(SerializeRecord(stored, "device", &bytes));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row, Prepare("INSERT INTO devices (unit_id, record) VALUES (?, ?) "
                             "ON CONFLICT (unit_id) DO UPDATE SET record = excluded.record"));
  return row.BindText(1, device.unit_id()).BindBlob(2, bytes).Run();
}

absl::Status SqliteStore::DeleteDevice(absl::string_view unit_id) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("DELETE FROM devices WHERE unit_id = ?"));
  return row.BindText(1, unit_id).Run();
}

absl::StatusOr<std::vector<v1::Device>> SqliteStore::AllDevices() {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT record FROM devices ORDER BY unit_id"));
  return All<v1::Device>(row, "device");
}

absl::StatusOr<v1::Icg> SqliteStore::GetIcg(absl::string_view name) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT record FROM icgs WHERE name = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindText(1, name).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("There is no ICG ", name, "."));
  v1::Icg icg;
  FAIRLEAD_RETURN_IF_ERROR(ParseRecord(row.Bytes(0), "ICG", &icg));
  return icg;
}

absl::Status SqliteStore::PutIcg(const v1::Icg& icg) {
  v1::Icg stored = icg;
  stored.clear_state();
  stored.clear_since_time();
  stored.clear_connected_devices();
  stored.clear_last_error();
  std::string bytes;
  FAIRLEAD_RETURN_IF_ERROR(SerializeRecord(stored, "ICG", &bytes));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare("INSERT INTO icgs (name, record) VALUES (?, ?) "
                                    "ON CONFLICT (name) DO UPDATE SET record = excluded.record"));
  return row.BindText(1, icg.name()).BindBlob(2, bytes).Run();
}

absl::Status SqliteStore::DeleteIcg(absl::string_view name) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("DELETE FROM icgs WHERE name = ?"));
  return row.BindText(1, name).Run();
}

absl::StatusOr<std::vector<v1::Icg>> SqliteStore::ListIcgs() {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT record FROM icgs ORDER BY name"));
  return All<v1::Icg>(row, "ICG");
}

absl::StatusOr<v1::Session> SqliteStore::GetSession(absl::string_view name) {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("SELECT record FROM sessions WHERE name = ?"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bool found, row.BindText(1, name).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("There is no session ", name, "."));
  v1::Session session;
  FAIRLEAD_RETURN_IF_ERROR(ParseRecord(row.Bytes(0), "session", &session));
  return session;
}

absl::Status SqliteStore::PutSession(const v1::Session& session) {
  v1::Session stored = session;
  stored.clear_console_ticket();
  std::string bytes;
  FAIRLEAD_RETURN_IF_ERROR(SerializeRecord(stored, "session", &bytes));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("INSERT INTO sessions (name, device, ended, record) VALUES (?, ?, ?, ?) "
              "ON CONFLICT (name) DO UPDATE SET ended = excluded.ended, record = excluded.record"));
  row.BindText(1, session.name()).BindText(2, session.device());
  row.BindInt(3, session.state() == v1::Session::ENDED ? 1 : 0);
  return row.BindBlob(4, bytes).Run();
}

absl::StatusOr<std::vector<v1::Session>> SqliteStore::ListSessions(
    const Page& page, absl::FunctionRef<bool(const v1::Session&)> select, std::string* next_token) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::int64_t before, NumberBefore(page.token));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT number, record FROM sessions WHERE number < ? ORDER BY number DESC"));
  row.BindInt(1, before);
  std::vector<v1::Session> sessions;
  Unreadable unreadable("session");
  const auto take = [&](const Statement& found) -> absl::StatusOr<bool> {
    v1::Session session;
    if (!unreadable.Parse(found.Bytes(1), &session)) return false;
    if (!select(session)) return false;
    sessions.push_back(std::move(session));
    return true;
  };
  FAIRLEAD_RETURN_IF_ERROR(ReadPage(row, page.size, take, next_token));
  return sessions;
}

absl::StatusOr<std::vector<v1::Session>> SqliteStore::UnendedSessions() {
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row,
                            Prepare("SELECT record FROM sessions WHERE NOT ended ORDER BY number"));
  return All<v1::Session>(row, "session");
}

absl::Status SqliteStore::AppendAuditEvent(v1::AuditEvent* event) {
  event->clear_name();
  std::string bytes;
  FAIRLEAD_RETURN_IF_ERROR(SerializeRecord(*event, "audit event", &bytes));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(Statement row, Prepare("INSERT INTO audit_events (record) VALUES (?)"));
  FAIRLEAD_RETURN_IF_ERROR(row.BindBlob(1, bytes).Run());
  event->set_name(absl::StrCat("auditEvents/", database_->last_insert_rowid()));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::AuditEvent>> SqliteStore::ListAuditEvents(
    const Page& page, absl::FunctionRef<bool(const v1::AuditEvent&)> select,
    std::string* next_token) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::int64_t before, NumberBefore(page.token));
  const Lock lock(mutex_);
  FAIRLEAD_ASSIGN_OR_RETURN(
      Statement row,
      Prepare("SELECT number, record FROM audit_events WHERE number < ? ORDER BY number DESC"));
  row.BindInt(1, before);
  std::vector<v1::AuditEvent> events;
  Unreadable unreadable("audit event");
  const auto take = [&](const Statement& found) -> absl::StatusOr<bool> {
    v1::AuditEvent event;
    if (!unreadable.Parse(found.Bytes(1), &event)) return false;
    event.set_name(absl::StrCat("auditEvents/", found.Int(0)));
    if (!select(event)) return false;
    events.push_back(std::move(event));
    return true;
  };
  FAIRLEAD_RETURN_IF_ERROR(ReadPage(row, page.size, take, next_token));
  return events;
}

}  // namespace fairlead::control
