// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The part of SessionCoordinator (session_coordinator.h) that ends or leaves sessions when the
// server stops, and takes them up or marks them as ended when it starts.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "control/proto_time.h"
#include "control/session_coordinator.h"
#include "control/session_live.h"
#include "control/session_outcome.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

}  // namespace

absl::Status SessionCoordinator::Recover() {
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<v1::Session> sessions, support_.store.UnendedSessions());
  for (v1::Session& session : sessions) {
    if (Adopt(session)) continue;
    session.set_state(v1::Session::ENDED);
    session.mutable_end()->set_cause(v1::SessionEnd::SERVER_STOPPED);
    session.mutable_end()->set_message("the server stopped while the session was open");
    v1::TimelineEntry* entry = session.add_timeline();
    entry->set_step(v1::TimelineEntry::ENDED);
    *entry->mutable_time() = ToTimestamp(support_.clock.Now());
    FAIRLEAD_RETURN_IF_ERROR(Write(session, {{.actor = "server",
                                              .action = "session.end",
                                              .resource = session.name(),
                                              .outcome = v1::AuditEvent::SUCCEEDED,
                                              .peer_address = {},
                                              .detail = EndSentence(session)}}));
  }
  return absl::OkStatus();
}

bool SessionCoordinator::Adopt(const v1::Session& session) {
  const absl::StatusOr<std::string> unit_id = ParseName(session.device(), "devices");
  if (!unit_id.ok()) return false;
  const absl::StatusOr<v1::Device> device = support_.directory.Get(*unit_id);
  if (!device.ok()) return false;
  absl::optional<SessionMachine> machine =
      SessionMachine::Restore(session, DeviceLabel(*device), options_.deadlines);
  if (!machine.has_value()) return false;
  auto adopted = std::make_unique<Live>(*std::move(machine));
  Live& live = *adopted;
  live.id = IdOfSession(session.name());
  live.unit_id = *unit_id;
  live.edge = session.icg();
  live.actor = {session.user(), ""};
  live.stored = true;
  // Whoever runs has been opened; what an earlier run of the server heard is not kept.
  live.answered = session.state() == v1::Session::ACTIVE;
  live_.emplace(live.id, std::move(adopted));
  support_.board.Publish(live.machine.session());
  SetDeadline(live, options_.deadlines.absence);
  spdlog::info("session {}: taken up; it ends unless {} names it within {}", live.id,
               Printable(live.edge), absl::FormatDuration(options_.deadlines.absence));
  return true;
}

void SessionCoordinator::Shutdown(absl::AnyInvocable<void()> done) {
  support_.serial.Post([this, done = std::move(done)]() mutable {
    stopping_ = true;
    on_stopped_ = std::move(done);
    // The second time, what waits for the device's last word waits no longer.
    for (int i = 0; i < 2; ++i) {
      ApplyToAll([](const Live&) { return true; }, {.type = Type::kServerStopping,
                                                    .time = support_.clock.Now(),
                                                    .message = "the server stopped"});
    }
    FinishStop();
  });
}

void SessionCoordinator::FinishStop() {
  if (!stopping_ || !on_stopped_) return;
  for (const auto& [id, live] : live_) {
    if (!live->machine.outlasts_server() || live->storing || live->dirty) return;
  }
  std::exchange(on_stopped_, nullptr)();
}

void SessionCoordinator::FailPending() {
  const absl::Status stopped = absl::UnavailableError("the server was stopped");
  for (auto& [id, live] : live_) {
    if (live->done) std::exchange(live->done, nullptr)(stopped);
    for (Waiter& waiter : std::exchange(live->waiters, {})) waiter.done(stopped);
  }
}

}  // namespace fairlead::control
