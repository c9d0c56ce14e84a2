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

AuditEntry TerminationBy(const SessionActor& actor, const std::string& reason,
                         const v1::Session& session) {
  return {.actor = actor.user,
          .action = "session.terminate",
          .resource = session.name(),
          .peer_address = actor.peer_address,
          .detail = reason};
}

}  // namespace

absl::Status SessionCoordinator::Write(const v1::Session& session,
                                       const std::vector<AuditEntry>& entries) {
  return support_.store.Transact([&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(support_.store.PutSession(session));
    for (const AuditEntry& entry : entries) {
      FAIRLEAD_RETURN_IF_ERROR(support_.audit.Append(entry));
    }
    return absl::OkStatus();
  });
}

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
    const absl::Status status = Write(session, {entry});
    // Never refused for lack of room: the session waits for it.
    support_.serial.PostAfter(absl::ZeroDuration(), [this, id, status]() {
      if (Live* recorded = Find(id)) recorded->stored = status.ok();
      Apply(id, {.type = status.ok() ? Type::kRecorded : Type::kRecordFailed,
                 .time = support_.clock.Now(),
                 .status = Annotate(status, "the session could not be recorded")});
      OnPersisted(id, 0, absl::OkStatus());
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
  live.unrecorded.push_back({.actor = live.actor.user,
                             .action = "session.end",
                             .resource = session.name(),
                             .peer_address = live.actor.peer_address,
                             .detail = EndSentence(session)});
  for (const Waiter& waiter : live.waiters) {
    live.unrecorded.push_back(TerminationBy(waiter.actor, waiter.reason, session));
  }
  // The store may take them much later.
  for (AuditEntry& entry : live.unrecorded) entry.time = support_.clock.Now();
}

void SessionCoordinator::Persist(Live& live) {
  live.dirty = true;
  // A request that could not be recorded stays out of the store for good.
  if (live.storing || !live.stored) return;
  live.dirty = false;
  live.storing = true;
  const bool posted =
      OnStore([this, id = live.id, session = live.machine.session(), entries = live.unrecorded]() {
        const absl::Status status = Write(session, entries);
        support_.serial.PostAfter(
            absl::ZeroDuration(),
            [this, id, status, recorded = entries.size()]() { OnPersisted(id, recorded, status); });
      });
  if (posted) return;
  support_.serial.PostAfter(absl::ZeroDuration(),
                            [this, id = live.id, recorded = live.unrecorded.size()]() {
                              OnPersisted(id, recorded, WorkersBusy());
                            });
}

void SessionCoordinator::OnPersisted(const std::string& id, std::size_t recorded,
                                     const absl::Status& status) {
  Live* live = Find(id);
  if (live == nullptr) return;
  if (recorded > 0) AnswerWaiters(*live, status);
  if (status.ok()) {
    live->unrecorded.erase(live->unrecorded.begin(), live->unrecorded.begin() + recorded);
  } else if (absl::IsInvalidArgument(status)) {
    // Trying again would not help. The next start finds it unended, and ends it on the record.
    spdlog::error("session {}: cannot be stored: {}", id, Printable(status.message()));
  } else {
    spdlog::error("session {}: not stored, trying again: {}", id, Printable(status.message()));
    support_.serial.PostAfter(options_.store_retry,
                              [this, id]() { OnPersisted(id, 0, absl::OkStatus()); });
    live->dirty = true;
    return;
  }
  live->storing = false;
  if (live->dirty && live->stored) Persist(*live);
  ForgetIfDone(id);
  FinishStop();
}

void SessionCoordinator::AnswerWaiters(Live& live, const absl::Status& status) {
  for (Waiter& waiter : std::exchange(live.waiters, {})) {
    if (status.ok()) {
      waiter.done(live.machine.session());
    } else {
      waiter.done(Annotate(status, "the session has ended, but that could not be recorded yet"));
    }
  }
}

void SessionCoordinator::ForgetIfDone(const std::string& id) {
  Live* live = Find(id);
  if (live == nullptr || live->storing) return;
  if (live->machine.phase() != SessionMachine::Phase::kDone) return;
  // Who still waits ended a session whose request could not be recorded.
  for (Waiter& waiter : std::exchange(live->waiters, {})) {
    const v1::Session& session = live->machine.session();
    AuditThen(TerminationBy(waiter.actor, waiter.reason, session), std::move(waiter.done), session);
  }
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
