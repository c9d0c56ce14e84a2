// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_coordinator.h: opening and ending sessions, and doing what their machines want. The
// other parts of SessionCoordinator are in session_edge_events.cc, session_records.cc and
// session_restart.cc; the checks of a request are in session_request.cc.
#include "control/session_coordinator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/session_live.h"
#include "control/session_outcome.h"
#include "control/session_request.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

// What fits into a close frame.
constexpr std::size_t kMaxCloseReason = 123;

std::string ConsoleUrl(absl::string_view address) {
  return absl::StrCat("wss://", address, "/console-connector/terminal");
}

}  // namespace

SessionCoordinator::SessionCoordinator(SessionSupport support, SessionCoordinatorOptions options)
    : support_(support),
      options_(std::move(options)),
      rate_limiter_(options_.sessions_per_user_per_minute) {}

SessionCoordinator::~SessionCoordinator() = default;

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
  v1::Device device;
  SessionPath path;
  absl::StatusOr<v1::Session> session = Check(actor, request, &device, &path);
  if (!session.ok()) {
    AuditThen({.actor = actor.user,
               .action = "session.create",
               .resource = CutUtf8(request.device(), 200),
               .outcome = OutcomeOf(session.status()),
               .peer_address = actor.peer_address,
               .detail = std::string(session.status().message())},
              std::move(done), session.status());
    return;
  }
  session->set_name(NameOfSession(id));
  auto live =
      std::make_unique<Live>(SessionMachine(*session, DeviceLabel(device), options_.deadlines));
  live->id = id;
  live->unit_id = device.unit_id();
  live->edge = path.edge;
  live->actor = std::move(actor);
  live->done = std::move(done);
  live->console_ticket = RandomSecret();
  const std::string device_ticket = RandomSecret();
  live->registration = MakeRegistration(id, device, path.stream, live->console_ticket,
                                        device_ticket, options_.pairing_timeout);
  const auto icg = icgs_.find(path.edge);
  if (options_.consoles_through_server && icg != icgs_.end()) {
    live->forward = MakeForward(live->registration, icg->second);
  }
  if (path.dial_address.empty()) {
    live->open_terminal = MakeOpenTerminal(id, request, *session, device_ticket);
  } else {
    live->dial = MakeDial(id, device, path.dial_address, device_ticket);
  }
  live_.emplace(id, std::move(live));
  Apply(id, {.type = Type::kRequested, .time = support_.clock.Now()});
}

absl::StatusOr<v1::Session> SessionCoordinator::Check(const SessionActor& actor,
                                                      const v1::CreateSessionRequest& request,
                                                      v1::Device* device, SessionPath* path) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id,
                            ParseName(request.device(), "devices", "device"));
  FAIRLEAD_ASSIGN_OR_RETURN(*device, support_.directory.Get(unit_id));
  FAIRLEAD_RETURN_IF_ERROR(CheckCreateSessionRequest(request));
  const absl::Duration wait = rate_limiter_.Take(actor.user, support_.clock.Monotonic());
  if (wait > absl::ZeroDuration()) {
    return RateLimited(actor.user, options_.sessions_per_user_per_minute, wait);
  }
  if (stopping_) return absl::UnavailableError("the server is stopping; try again in a minute");
  FAIRLEAD_RETURN_IF_ERROR(CheckTerminalEnabled(*device));
  FAIRLEAD_ASSIGN_OR_RETURN(*path, ChoosePath(*device, WaysTo(unit_id), support_.clock.Now()));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string profile,
                            ChooseProfile(*device, *path, request.profile()));
  FAIRLEAD_RETURN_IF_ERROR(CheckOpenSessions(*device));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string console_address, ConsoleAddress(path->edge));
  v1::Session session;
  session.set_device(device->name());
  session.set_user(actor.user);
  session.set_reason(request.reason());
  session.set_flow(path->flow);
  session.set_stream(path->stream);
  session.set_icg(path->edge);
  session.set_profile(profile);
  session.set_console_url(ConsoleUrl(console_address));
  return session;
}

DeviceWays SessionCoordinator::WaysTo(const std::string& unit_id) const {
  DeviceWays ways;
  ways.connection = support_.directory.RouteTo(unit_id);
  ways.dial_address = support_.directory.DialAddress(unit_id);
  const auto lost = behind_lost_links_.find(unit_id);
  if (lost != behind_lost_links_.end()) ways.lost_edge = lost->second;
  return ways;
}

absl::Status SessionCoordinator::CheckOpenSessions(const v1::Device& device) const {
  std::uint32_t running = 0;
  for (const auto& [id, live] : live_) {
    if (live->unit_id == device.unit_id() && live->machine.live()) ++running;
  }
  if (running < device.terminal().max_sessions()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      DeviceLabel(device), " has ", running, " terminals open, as many as its settings allow (",
      device.terminal().max_sessions(), "); end one or raise max_sessions"));
}

void SessionCoordinator::SetConsoleAddress(absl::string_view edge, absl::string_view address) {
  absl::MutexLock lock(&addresses_mutex_);
  console_addresses_[std::string(edge)] = std::string(address);
}

absl::StatusOr<std::string> SessionCoordinator::ConsoleAddress(absl::string_view edge) const {
  absl::MutexLock lock(&addresses_mutex_);
  const auto found = console_addresses_.find(edge);
  if (found != console_addresses_.end() && !found->second.empty()) return found->second;
  if (edge == kLocalEdge) return std::string("localhost:8443");
  return absl::FailedPreconditionError(absl::StrCat(
      edge,
      " has no external address, so that no Console can reach it; register it anew with one"));
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
  Live* live = Find(IdOfSession(name));
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
  if (actions.ended) OnEnded(live);
  if (actions.changed && !actions.record) Persist(live);
  if (actions.reply.has_value()) Reply(live, *actions.reply);
  if (asked) return;
  Execute(live, live.machine.Apply({.type = Type::kEdgeGone, .time = support_.clock.Now()}));
}

bool SessionCoordinator::Ask(Live& live) {
  v1::EdgeCommand command;
  *command.mutable_register_session() = live.registration;
  if (!support_.edges.SendTo(live.edge, command)) return false;
  if (!live.forward.session_id().empty()) {
    *command.mutable_forward_console() = live.forward;
    // Without it the Console must reach the ICG itself.
    support_.edges.SendTo(kLocalEdge, command);
  }
  if (!live.dial.address().empty()) {
    command.mutable_dial_device()->Swap(&live.dial);
    return support_.edges.SendTo(live.edge, command);
  }
  v1::ServerMessage message;
  message.mutable_open_terminal()->Swap(&live.open_terminal);
  return support_.edges.SendToDevice(live.unit_id, message);
}

void SessionCoordinator::EndAtEdge(const Live& live, const SessionActions::CloseOrder& order) {
  v1::EdgeCommand command;
  v1::EndSession* end = command.mutable_end_session();
  end->set_session_id(live.id);
  end->set_close_code(order.code);
  end->set_reason(CutUtf8(order.reason, kMaxCloseReason));
  support_.edges.SendTo(live.edge, command);
}

void SessionCoordinator::CloseOnDevice(const Live& live, const std::string& reason) {
  v1::ServerMessage message;
  message.mutable_close_terminal()->set_session_id(live.id);
  message.mutable_close_terminal()->set_reason(CutUtf8(reason, kMaxCloseReason));
  support_.edges.SendToDevice(live.unit_id, message);
}

void SessionCoordinator::Reply(Live& live, const absl::Status& status) {
  if (!live.done) return;
  Callback done = std::exchange(live.done, nullptr);
  if (status.ok()) {
    v1::Session session = live.machine.session();
    session.set_console_ticket(std::exchange(live.console_ticket, {}));
    if (!live.forward.session_id().empty()) {
      session.set_console_fallback_url(ConsoleUrl(*ConsoleAddress(kLocalEdge)));
    }
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

}  // namespace fairlead::control
