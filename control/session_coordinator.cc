// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_coordinator.h. The checks of a request are in session_request.cc.
#include "control/session_coordinator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "control/proto_time.h"
#include "control/session_request.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

constexpr std::uint32_t kGone = 4410;

std::string NameOf(absl::string_view id) { return absl::StrCat("sessions/", id); }
std::string IdOf(absl::string_view name) { return std::string(name.substr(sizeof("sessions"))); }

// A close reason that fits into a WebSocket close frame, without cutting a character.
std::string CloseReason(absl::string_view reason) {
  constexpr std::size_t kMaxBytes = 123;
  if (reason.size() <= kMaxBytes) return std::string(reason);
  std::size_t size = kMaxBytes;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  return std::string(reason.substr(0, size));
}

// Whether a rule refused the request, or something failed.
v1::AuditEvent::Outcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return v1::AuditEvent::SUCCEEDED;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
      return v1::AuditEvent::FAILED;
    default:
      return v1::AuditEvent::REFUSED;
  }
}

std::string EndSentence(const v1::Session& session) {
  const v1::SessionEnd& end = session.end();
  std::string sentence =
      absl::StrCat(v1::SessionEnd::Cause_Name(end.cause()), ", ", end.bytes_to_console(),
                   " bytes to the Console, ", end.bytes_to_device(), " to the device");
  if (end.has_exit_code()) absl::StrAppend(&sentence, ", exit code ", end.exit_code());
  if (end.has_signal()) absl::StrAppend(&sentence, ", signal ", end.signal());
  if (!end.message().empty()) absl::StrAppend(&sentence, ": ", end.message());
  return sentence;
}

}  // namespace

// A session that is not yet forgotten. Serial executor.
struct SessionCoordinator::Live {
  Live(SessionMachine session_machine) : machine(std::move(session_machine)) {}

  SessionMachine machine;
  std::string id;
  std::string unit_id;
  std::string edge;
  SessionActor actor;
  v1::RegisterSession registration;
  v1::OpenTerminal open_terminal;
  std::string console_ticket;
  // The caller of Open, until answered.
  Callback done;
  std::vector<Waiter> waiters;
  TimerId timer = 0;
  // Tells a deadline that was replaced while it was about to run.
  std::uint64_t deadline_number = 0;
  // A store task of this session is queued or runs.
  bool storing = false;
  // It changed since that task was queued.
  bool dirty = false;
  // It is in the store.
  bool stored = false;
};

SessionCoordinator::SessionCoordinator(SessionSupport support, SessionCoordinatorOptions options)
    : support_(support),
      options_(std::move(options)),
      rate_limiter_(options_.sessions_per_user_per_minute) {}

SessionCoordinator::~SessionCoordinator() = default;

absl::Status SessionCoordinator::Recover() {
  FAIRLEAD_ASSIGN_OR_RETURN(std::vector<v1::Session> sessions, support_.store.UnendedSessions());
  for (v1::Session& session : sessions) {
    session.set_state(v1::Session::ENDED);
    session.mutable_end()->set_cause(v1::SessionEnd::SERVER_STOPPED);
    session.mutable_end()->set_message("the server stopped while the session was open");
    v1::TimelineEntry* entry = session.add_timeline();
    entry->set_step(v1::TimelineEntry::ENDED);
    *entry->mutable_time() = ToTimestamp(support_.clock.Now());
    FAIRLEAD_RETURN_IF_ERROR(support_.store.Transact([&]() -> absl::Status {
      FAIRLEAD_RETURN_IF_ERROR(support_.store.PutSession(session));
      return support_.audit.Append({.actor = "server",
                                    .action = "session.end",
                                    .resource = session.name(),
                                    .outcome = v1::AuditEvent::SUCCEEDED,
                                    .peer_address = {},
                                    .detail = EndSentence(session)});
    }));
  }
  return absl::OkStatus();
}

void SessionCoordinator::Open(SessionActor actor, v1::CreateSessionRequest request, std::string id,
                              Callback done) {
  auto shared_done = std::make_shared<Callback>(std::move(done));
  const bool posted = support_.serial.Post(
      [this, actor = std::move(actor), request = std::move(request), id, shared_done]() {
        OpenNow(actor, request, id, std::move(*shared_done));
      });
  if (!posted) (*shared_done)(WorkersBusy());
}

void SessionCoordinator::OpenNow(SessionActor actor, const v1::CreateSessionRequest& request,
                                 const std::string& id, Callback done) {
  std::string edge;
  v1::Device device;
  absl::StatusOr<v1::Session> session = Check(actor, request, &edge, &device);
  if (!session.ok()) {
    AuditThen({.actor = actor.user,
               .action = "session.create",
               .resource = request.device().substr(0, 200),
               .outcome = OutcomeOf(session.status()),
               .peer_address = actor.peer_address,
               .detail = std::string(session.status().message())},
              std::move(done), session.status());
    return;
  }
  session->set_name(NameOf(id));
  auto live =
      std::make_unique<Live>(SessionMachine(*session, DeviceLabel(device), options_.deadlines));
  live->id = id;
  live->unit_id = device.unit_id();
  live->edge = edge;
  live->actor = std::move(actor);
  live->done = std::move(done);
  live->console_ticket = RandomSecret();
  const std::string device_ticket = RandomSecret();
  live->registration =
      MakeRegistration(id, device, live->console_ticket, device_ticket, options_.pairing_timeout);
  live->open_terminal = MakeOpenTerminal(id, request, *session, device_ticket);
  live_.emplace(id, std::move(live));
  Apply(id, {.type = Type::kRequested, .time = support_.clock.Now()});
}

absl::StatusOr<v1::Session> SessionCoordinator::Check(const SessionActor& actor,
                                                      const v1::CreateSessionRequest& request,
                                                      std::string* edge, v1::Device* device) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, ParseName(request.device(), "devices"));
  FAIRLEAD_ASSIGN_OR_RETURN(*device, support_.directory.Get(unit_id));
  FAIRLEAD_RETURN_IF_ERROR(CheckCreateSessionRequest(request));
  const absl::Duration wait = rate_limiter_.Take(actor.user, support_.clock.Monotonic());
  if (wait > absl::ZeroDuration()) {
    return RateLimited(actor.user, options_.sessions_per_user_per_minute, wait);
  }
  if (stopping_) return absl::UnavailableError("the server is stopping; try again in a minute");
  const std::string profile =
      request.profile().empty() ? device->terminal().default_profile() : request.profile();
  FAIRLEAD_RETURN_IF_ERROR(CheckDevice(*device, profile));
  const absl::optional<DeviceRoute> route = support_.directory.RouteTo(unit_id);
  if (!route.has_value()) return DeviceOffline(*device, support_.clock.Now());
  *edge = route->edge;
  v1::Session session;
  session.set_device(device->name());
  session.set_user(actor.user);
  session.set_reason(request.reason());
  session.set_flow(route->edge == kLocalEdge ? v1::Session::OS12_DIRECT : v1::Session::OS12_ICG);
  session.set_stream(v1::Session::PTY);
  session.set_profile(profile);
  session.set_console_url(absl::StrCat("wss://", public_address_, "/console-connector/terminal"));
  return session;
}

absl::Status SessionCoordinator::CheckDevice(const v1::Device& device,
                                             absl::string_view profile) const {
  FAIRLEAD_RETURN_IF_ERROR(CheckDeviceReady(device, profile, support_.clock.Now()));
  std::uint32_t running = 0;
  for (const auto& [id, live] : live_) {
    if (live->unit_id == device.unit_id() && live->machine.live()) ++running;
  }
  if (running < device.terminal().max_sessions()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      DeviceLabel(device), " has ", running, " terminals open, as many as its settings allow (",
      device.terminal().max_sessions(), "); end one or raise max_sessions"));
}

void SessionCoordinator::Abandon(std::string id) {
  support_.serial.Post([this, id = std::move(id)]() {
    Apply(id, {.type = Type::kCallerGone, .time = support_.clock.Now()});
  });
}

void SessionCoordinator::Terminate(SessionActor actor, std::string name, std::string reason,
                                   Callback done) {
  auto waiter =
      std::make_shared<Waiter>(Waiter{std::move(actor), std::move(reason), std::move(done)});
  const bool posted = support_.serial.Post(
      [this, waiter, name = std::move(name)]() { TerminateNow(std::move(*waiter), name); });
  if (!posted) waiter->done(WorkersBusy());
}

void SessionCoordinator::TerminateNow(Waiter waiter, const std::string& name) {
  Live* live = Find(IdOf(name));
  if (live != nullptr && live->machine.live()) {
    const std::string message =
        absl::StrCat("terminated by ", waiter.actor.user,
                     waiter.reason.empty() ? "" : absl::StrCat(": ", waiter.reason));
    live->waiters.push_back(std::move(waiter));
    Apply(live->id, {.type = Type::kTerminated, .time = support_.clock.Now(), .message = message});
    return;
  }
  if (live != nullptr) {
    waiter.done(live->machine.session());
    return;
  }
  auto done = std::make_shared<Callback>(std::move(waiter.done));
  const bool posted = OnStore([this, done, name]() { (*done)(support_.store.GetSession(name)); });
  if (!posted) (*done)(WorkersBusy());
}

void SessionCoordinator::EndSessionsOf(std::string unit_id, std::string message) {
  support_.serial.Post([this, unit_id = std::move(unit_id), message = std::move(message)]() {
    ApplyToAll([&unit_id](const Live& live) { return live.unit_id == unit_id; },
               {.type = Type::kTerminated, .time = support_.clock.Now(), .message = message});
  });
}

void SessionCoordinator::Shutdown(absl::AnyInvocable<void()> done) {
  support_.serial.Post([this, done = std::move(done)]() mutable {
    stopping_ = true;
    on_stopped_ = std::move(done);
    ApplyToAll(
        [](const Live&) { return true; },
        {.type = Type::kEdgeForgot, .time = support_.clock.Now(), .message = "the server stopped"});
    // What waits for the device's last word waits no longer.
    ApplyToAll([](const Live&) { return true; },
               {.type = Type::kDeadline, .time = support_.clock.Now()});
    if (live_.empty() && on_stopped_) std::exchange(on_stopped_, nullptr)();
  });
}

void SessionCoordinator::FailPending() {
  const absl::Status stopped = absl::UnavailableError("the server was stopped");
  for (auto& [id, live] : live_) {
    if (live->done) std::exchange(live->done, nullptr)(stopped);
    for (Waiter& waiter : std::exchange(live->waiters, {})) waiter.done(stopped);
  }
}

SessionCoordinator::Live* SessionCoordinator::Find(absl::string_view id) {
  const auto found = live_.find(id);
  return found == live_.end() ? nullptr : found->second.get();
}

void SessionCoordinator::Apply(std::string id, const SessionEvent& event) {
  Live* live = Find(id);
  if (live == nullptr) return;
  Execute(*live, live->machine.Apply(event));
  ForgetIfDone(id);
}

void SessionCoordinator::ApplyToAll(const std::function<bool(const Live&)>& select,
                                    const SessionEvent& event) {
  std::vector<std::string> ids;
  for (const auto& [id, live] : live_) {
    if (select(*live)) ids.push_back(id);
  }
  for (const std::string& id : ids) Apply(id, event);
}

void SessionCoordinator::Execute(Live& live, const SessionActions& actions) {
  if (actions.changed) support_.board.Publish(live.machine.session());
  const bool asked = !actions.ask || Ask(live);
  if (actions.record) RecordRequest(live);
  if (actions.end_at_edge.has_value()) EndAtEdge(live, *actions.end_at_edge);
  if (actions.close_on_device.has_value()) CloseOnDevice(live, *actions.close_on_device);
  if (actions.deadline.has_value()) SetDeadline(live, *actions.deadline);
  if (actions.changed && !actions.record) Persist(live);
  if (actions.reply.has_value()) Reply(live, *actions.reply);
  if (actions.ended) OnEnded(live);
  if (asked) return;
  Execute(live, live.machine.Apply({.type = Type::kEdgeGone, .time = support_.clock.Now()}));
}

bool SessionCoordinator::Ask(Live& live) {
  v1::EdgeCommand command;
  *command.mutable_register_session() = live.registration;
  v1::ServerMessage message;
  message.mutable_open_terminal()->Swap(&live.open_terminal);
  return support_.edges.SendTo(live.edge, command) &&
         support_.edges.SendToDevice(live.unit_id, message);
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

void SessionCoordinator::EndAtEdge(const Live& live, const SessionActions::CloseOrder& order) {
  v1::EdgeCommand command;
  v1::EndSession* end = command.mutable_end_session();
  end->set_session_id(live.id);
  end->set_close_code(order.code);
  end->set_reason(CloseReason(order.reason));
  support_.edges.SendTo(live.edge, command);
}

void SessionCoordinator::CloseOnDevice(const Live& live, const std::string& reason) {
  v1::ServerMessage message;
  message.mutable_close_terminal()->set_session_id(live.id);
  message.mutable_close_terminal()->set_reason(CloseReason(reason));
  support_.edges.SendToDevice(live.unit_id, message);
}

void SessionCoordinator::Reply(Live& live, const absl::Status& status) {
  if (!live.done) return;
  Callback done = std::exchange(live.done, nullptr);
  if (status.ok()) {
    v1::Session session = live.machine.session();
    session.set_console_ticket(std::exchange(live.console_ticket, {}));
    done(std::move(session));
    return;
  }
  AuditThen(
      {.actor = live.actor.user,
       .action = "session.open",
       .resource = live.machine.session().name(),
       .outcome = OutcomeOf(status),
       .peer_address = live.actor.peer_address,
       .detail = absl::StrCat("on ", live.machine.session().device(), ": ", status.message())},
      std::move(done), status);
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

void SessionCoordinator::SetDeadline(Live& live, absl::Duration deadline) {
  support_.serial.Cancel(live.timer);
  const std::uint64_t number = ++live.deadline_number;
  if (deadline == absl::ZeroDuration()) return;
  live.timer = support_.serial.PostAfter(deadline, [this, id = live.id, number]() {
    Live* due = Find(id);
    if (due == nullptr || due->deadline_number != number) return;
    Apply(id, {.type = Type::kDeadline, .time = support_.clock.Now()});
  });
}

void SessionCoordinator::Persist(Live& live) {
  live.dirty = true;
  // A request that could not be recorded stays out of the store for good.
  if (live.storing || !live.stored) return;
  live.dirty = false;
  live.storing = true;
  const bool posted = OnStore([this, id = live.id]() {
    const absl::optional<v1::Session> session = support_.board.Find(NameOf(id));
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
  if (!status.ok()) {
    spdlog::error("session {}: not stored, trying again: {}", id, Printable(status.message()));
    support_.serial.PostAfter(options_.store_retry,
                              [this, id]() { OnPersisted(id, absl::OkStatus()); });
    live->dirty = true;
    return;
  }
  live->storing = false;
  if (live->dirty && live->stored) Persist(*live);
  ForgetIfDone(id);
}

void SessionCoordinator::ForgetIfDone(const std::string& id) {
  Live* live = Find(id);
  if (live == nullptr || live->storing) return;
  if (live->machine.phase() != SessionMachine::Phase::kDone) return;
  support_.serial.Cancel(live->timer);
  support_.board.Remove(NameOf(id));
  live_.erase(id);
  if (stopping_ && live_.empty() && on_stopped_) std::exchange(on_stopped_, nullptr)();
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

void SessionCoordinator::OnTunnelEvent(absl::string_view edge, const v1::TunnelEvent& event) {
  static const auto* const kTypes = new std::map<v1::TunnelEvent::Type, Type>{
      {v1::TunnelEvent::DEVICE_ATTACHED, Type::kDeviceAttached},
      {v1::TunnelEvent::CONSOLE_ATTACHED, Type::kConsoleAttached},
      {v1::TunnelEvent::DATA_FLOWING, Type::kDataFlowing},
      {v1::TunnelEvent::ENDED, Type::kTunnelEnded}};
  const auto type = kTypes->find(event.type());
  if (type == kTypes->end()) return;
  const Live* live = Find(event.session_id());
  if (live != nullptr && live->edge == edge && live->machine.live()) {
    Apply(live->id, {.type = type->second,
                     .time = event.has_time() ? FromTimestamp(event.time()) : support_.clock.Now(),
                     .tunnel = event});
    return;
  }
  if (type->second == Type::kTunnelEnded) return;
  // A tunnel of a session that is over, for example because the link was down when it ended.
  v1::EdgeCommand command;
  command.mutable_end_session()->set_session_id(event.session_id());
  command.mutable_end_session()->set_close_code(kGone);
  command.mutable_end_session()->set_reason("the session is over");
  support_.edges.SendTo(edge, command);
}

void SessionCoordinator::OnDeviceReport(absl::string_view unit_id,
                                        const v1::DeviceMessage& message) {
  const absl::Time now = support_.clock.Now();
  if (message.has_open_terminal_result()) {
    const v1::OpenTerminalResult& result = message.open_terminal_result();
    const Live* live = Find(result.session_id());
    // A device speaks for its own sessions alone.
    if (live == nullptr || live->unit_id != unit_id) return;
    if (result.refusal() == v1::OpenTerminalResult::REFUSAL_UNSPECIFIED) return;
    const absl::Status status = StatusOfRefusal(result, absl::StrCat("device ", unit_id));
    Apply(live->id, {.type = Type::kDeviceRefused, .time = now, .status = status});
  } else if (message.has_terminal_ended()) {
    const Live* live = Find(message.terminal_ended().session_id());
    if (live == nullptr || live->unit_id != unit_id) return;
    Apply(live->id, {.type = Type::kProgramEnded, .time = now, .result = message.terminal_ended()});
  }
}

void SessionCoordinator::OnDeviceGone(absl::string_view unit_id) {
  ApplyToAll([unit_id](const Live& live) { return live.unit_id == unit_id; },
             {.type = Type::kDeviceGone, .time = support_.clock.Now()});
}

void SessionCoordinator::OnRunningSessions(const v1::DeviceConnected& connected) {
  for (const std::string& id : connected.hello().running_sessions()) {
    const Live* live = Find(id);
    if (live != nullptr && live->unit_id == connected.unit_id() && live->machine.live()) continue;
    v1::ServerMessage message;
    message.mutable_close_terminal()->set_session_id(id);
    message.mutable_close_terminal()->set_reason("the session is over");
    support_.edges.SendToDevice(connected.unit_id(), message);
  }
}

void SessionCoordinator::OnEdgeGone(absl::string_view edge) {
  ApplyToAll([edge](const Live& live) { return live.edge == edge; },
             {.type = Type::kEdgeGone, .time = support_.clock.Now()});
}

void SessionCoordinator::OnEdgeRestarted(absl::string_view edge) {
  ApplyToAll([edge](const Live& live) { return live.edge == edge; },
             {.type = Type::kEdgeForgot,
              .time = support_.clock.Now(),
              .message = "the edge that carried the session was restarted"});
}

void SessionCoordinator::OnSnapshot(absl::string_view edge,
                                    const std::set<std::string>& session_ids) {
  const auto forgotten = [edge, &session_ids](const Live& live) {
    return live.edge == edge && live.machine.phase() != SessionMachine::Phase::kOpening &&
           session_ids.count(live.id) == 0;
  };
  ApplyToAll(forgotten, {.type = Type::kEdgeForgot,
                         .time = support_.clock.Now(),
                         .message = "the session ended while the link to its edge was down"});
}

}  // namespace fairlead::control
