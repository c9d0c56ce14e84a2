// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The part of SessionCoordinator (session_coordinator.h) that writes sessions to the store and to
// the audit log, and forgets those that are over and written.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "control/session_coordinator.h"
#include "control/session_live.h"
#include "control/session_outcome.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

}  // namespace

void SessionCoordinator::RecordRequest(Live& live) {
  const v1::Session& session = live.machine.session();
  AuditEntry entry{.actor = live.actor.user,
                   .action = "session.create",
                   .resource = session.name(),
                   .peer_address = live.actor.peer_address,
                   .detail = absl::StrCat("on ", session.device(),
                                          session.reason().empty() ? "" : ": ", session.reason())};
  live.storing = true;
  const bool posted = OnStore([this, id = live.id, session, entry = std::move(entry)]() {
    const absl::Status status = support_.store.Transact([&]() -> absl::Status {
      FAIRLEAD_RETURN_IF_ERROR(support_.store.PutSession(session));
      return support_.audit.Append(entry);
    });
    // Never refused for lack of room: the session waits for it.
    support_.serial.PostAfter(absl::ZeroDuration(), [this, id, status]() {
      if (Live* recorded = Find(id)) recorded->stored = status.ok();
      Apply(id, {.type = status.ok() ? Type::kRecorded : Type::kRecordFailed,
                 .time = support_.clock.Now(),
                 .status = Annotate(status, "the session could not be recorded")});
      OnPersisted(id, absl::OkStatus());
    });
  });
  if (posted) return;
  live.storing = false;
  support_.serial.PostAfter(absl::ZeroDuration(), [this, id = live.id]() {
    Apply(id, {.type = Type::kRecordFailed, .time = support_.clock.Now(), .status = WorkersBusy()});
  });
}

void SessionCoordinator::OnEnded(Live& live) {
  const v1::Session& session = live.machine.session();
  spdlog::info("session {} ended: {}", live.id, Printable(EndSentence(session)));
  OnStore([this, entry = AuditEntry{.actor = live.actor.user,
                                    .action = "session.end",
                                    .resource = session.name(),
                                    .peer_address = live.actor.peer_address,
                                    .detail = EndSentence(session)}]() {
    support_.audit.Append(entry).IgnoreError();
  });
  for (Waiter& waiter : std::exchange(live.waiters, {})) {
    AuditThen({.actor = waiter.actor.user,
               .action = "session.terminate",
               .resource = session.name(),
               .peer_address = waiter.actor.peer_address,
               .detail = waiter.reason},
              std::move(waiter.done), session);
  }
}

void SessionCoordinator::Persist(Live& live) {
  live.dirty = true;
  // A request that could not be recorded stays out of the store for good.
  if (live.storing || !live.stored) return;
  live.dirty = false;
  live.storing = true;
  const bool posted = OnStore([this, id = live.id]() {
    const absl::optional<v1::Session> session = support_.board.Find(NameOfSession(id));
    const absl::Status status =
        session.has_value() ? support_.store.PutSession(*session) : absl::OkStatus();
    support_.serial.PostAfter(absl::ZeroDuration(),
                              [this, id, status]() { OnPersisted(id, status); });
  });
  if (posted) return;
  support_.serial.PostAfter(absl::ZeroDuration(),
                            [this, id = live.id]() { OnPersisted(id, WorkersBusy()); });
}

void SessionCoordinator::OnPersisted(const std::string& id, const absl::Status& status) {
  Live* live = Find(id);
  if (live == nullptr) return;
  if (absl::IsInvalidArgument(status)) {
    // Trying again would not help.
    spdlog::error("session {}: cannot be stored: {}", id, Printable(status.message()));
  } else if (!status.ok()) {
    spdlog::error("session {}: not stored, trying again: {}", id, Printable(status.message()));
    support_.serial.PostAfter(options_.store_retry,
                              [this, id]() { OnPersisted(id, absl::OkStatus()); });
    live->dirty = true;
    return;
  }
  live->storing = false;
  if (live->dirty && live->stored) Persist(*live);
  ForgetIfDone(id);
  FinishStop();
}

void SessionCoordinator::ForgetIfDone(const std::string& id) {
  Live* live = Find(id);
  if (live == nullptr || live->storing) return;
  if (live->machine.phase() != SessionMachine::Phase::kDone) return;
  support_.serial.Cancel(live->timer);
  support_.board.Remove(NameOfSession(id));
  live_.erase(id);
  FinishStop();
}

void SessionCoordinator::AuditThen(AuditEntry entry, Callback done,
                                   absl::StatusOr<v1::Session> result) {
  auto shared_done = std::make_shared<Callback>(std::move(done));
  const bool posted =
      OnStore([this, entry = std::move(entry), shared_done, result = std::move(result)]() mutable {
        const absl::Status audited = support_.audit.Append(entry);
        if (!audited.ok() && result.ok()) result = audited;
        (*shared_done)(std::move(result));
      });
  if (!posted) (*shared_done)(WorkersBusy());
}

}  // namespace fairlead::control
