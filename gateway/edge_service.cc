// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_service.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "gateway/edge_link.h"
#include "gateway/refusal.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::error_code;
using dataplane::kToken;
using dataplane::RelayEnd;
using dataplane::Side;

constexpr char kServerUri[] = "urn:fairlead:server:";

// An enrolment request that waits for its answer.
struct EstWaiter {
  explicit EstWaiter(const net::any_io_executor& executor) : timer(executor) {}
  // All on the timer's executor.
  net::steady_timer timer;
  absl::optional<absl::StatusOr<v1::EstResponse>> result;
};

void Answer(const std::shared_ptr<EstWaiter>& waiter, absl::StatusOr<v1::EstResponse> result) {
  net::post(waiter->timer.get_executor(), [waiter, result = std::move(result)]() mutable {
    if (!waiter->result.has_value()) waiter->result = std::move(result);
    waiter->timer.cancel();
  });
}

using EstWaiters = std::map<std::uint64_t, std::shared_ptr<EstWaiter>>;

void FailAll(const EstWaiters& waiters) {
  for (const auto& [id, waiter] : waiters) {
    Answer(waiter, absl::UnavailableError("The link to the server was lost. Try again."));
  }
}

v1::TunnelEvent::Side ToProto(RelayEnd::By by) {
  switch (by) {
    case RelayEnd::By::kConsole:
      return v1::TunnelEvent::CONSOLE;
    case RelayEnd::By::kDevice:
      return v1::TunnelEvent::DEVICE;
    case RelayEnd::By::kRelay:
      break;
  }
  return v1::TunnelEvent::SIDE_UNSPECIFIED;
}

grpc::Status Sentence(grpc::StatusCode code, const std::string& text) {
  return grpc::Status(code, text);
}

// A call that is refused at once.
class RefusedLink : public grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent> {
 public:
  explicit RefusedLink(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

// Lock order: this mutex, then a link's. No callback of anyone else runs under it.
struct EdgeServer::State : public EdgeLinkOwner {
  State(const CallPeerResolver& call_peers, const Clock& time, net::any_io_executor executor,
        EdgeServerOptions given)
      : peers(call_peers),
        clock(time),
        timers(std::move(executor)),
        options(std::move(given)),
        edge(options.state),
        refusals(options.refusal_rate) {}

  void OnCommand(EdgeLink& link, const v1::EdgeCommand& command) override;
  void OnWritten(const v1::EdgeEvent& event) override;
  void OnHangUp(EdgeLink& link) override;
  void OnGone(EdgeLink& link) override;

  grpc::Status CheckAccess(const std::string& peer) const;
  void StartConfigureDeadline(const std::shared_ptr<EdgeLink>& link);
  void OnFirstCommand(EdgeLink& link, const v1::EdgeCommand& command);
  // Makes `link` the one that is told; gives the older one, and whose answers will not come.
  void Install(const std::shared_ptr<EdgeLink>& link);
  void Register(const v1::RegisterSession& session);
  void OnEstResponse(const v1::EstResponse& response);
  void Publish(v1::EdgeEvent event);
  void PublishTunnel(v1::TunnelEvent event);
  std::shared_ptr<EdgeLink> Keeping(EdgeLink& link);

  const CallPeerResolver& peers;
  const Clock& clock;
  const net::any_io_executor timers;
  const EdgeServerOptions options;
  const std::string boot_id = RandomId();
  EdgeActions* actions = nullptr;
  std::function<void()> on_link_change = [] {};

  mutable absl::Mutex mutex;
  EdgeState edge ABSL_GUARDED_BY(mutex);
  TokenBucket refusals ABSL_GUARDED_BY(mutex);
  std::map<EdgeLink*, std::shared_ptr<EdgeLink>> links ABSL_GUARDED_BY(mutex);
  std::shared_ptr<EdgeLink> current ABSL_GUARDED_BY(mutex);
  EstWaiters est_waiters ABSL_GUARDED_BY(mutex);
  std::uint64_t last_est_id ABSL_GUARDED_BY(mutex) = 0;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  EdgeServerCounters counters ABSL_GUARDED_BY(mutex);
};

class EdgeServer::Service : public v1::EdgeService::CallbackService {
 public:
  explicit Service(std::shared_ptr<State> state) : state_(std::move(state)) {}

  grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent>* Link(
      grpc::CallbackServerContext* context) override {
    grpc::Status access = state_->CheckAccess(context->peer());
    EdgeLink::Limits limits;
    limits.max_events = state_->options.max_queued_events;
    limits.max_bytes = state_->options.max_queued_bytes;
    const auto link = std::make_shared<EdgeLink>(*state_, limits);
    {
      absl::MutexLock lock(&state_->mutex);
      if (access.ok() && state_->stopping) {
        access = Sentence(grpc::StatusCode::UNAVAILABLE, "This edge is stopping.");
      }
      if (!access.ok()) {
        ++state_->counters.links_refused;
      } else {
        ++state_->counters.links_opened;
        state_->links[link.get()] = link;
      }
    }
    if (!access.ok()) return new RefusedLink(access);
    state_->StartConfigureDeadline(link);
    link->Start();
    return link.get();
  }

 private:
  const std::shared_ptr<State> state_;
};

grpc::Status EdgeServer::State::CheckAccess(const std::string& peer) const {
  if (IsInProcess(peer)) return grpc::Status::OK;
  const absl::optional<CallPeer> caller = peers.Resolve(peer);
  if (caller.has_value()) {
    for (const std::string& uri : caller->certificate_uris) {
      if (absl::StartsWith(uri, kServerUri)) return grpc::Status::OK;
    }
  }
  return Sentence(grpc::StatusCode::PERMISSION_DENIED,
                  "Only a server may link to this edge: show a client certificate that names "
                  "urn:fairlead:server:<name>.");
}

void EdgeServer::State::StartConfigureDeadline(const std::shared_ptr<EdgeLink>& link) {
  // The handler owns the timer: nobody else touches it, and it goes with the I/O threads.
  const auto timer = std::make_shared<net::steady_timer>(timers);
  timer->expires_after(absl::ToChronoNanoseconds(options.configure_timeout));
  timer->async_wait([timer, weak = std::weak_ptr<EdgeLink>(link)](error_code error) {
    const auto late = weak.lock();
    if (error || late == nullptr || late->configured()) return;
    late->End(Sentence(grpc::StatusCode::DEADLINE_EXCEEDED,
                       "The link's first message, configure, did not come in time."),
              EdgeLink::Queued::kDrop);
  });
}

std::shared_ptr<EdgeLink> EdgeServer::State::Keeping(EdgeLink& link) {
  absl::MutexLock lock(&mutex);
  const auto found = links.find(&link);
  return found == links.end() ? nullptr : found->second;
}

void EdgeServer::State::OnFirstCommand(EdgeLink& link, const v1::EdgeCommand& command) {
  if (!command.has_configure()) {
    link.End(Sentence(grpc::StatusCode::INVALID_ARGUMENT,
                      "The first message of a link must be configure."),
             EdgeLink::Queued::kDrop);
    return;
  }
  // Before the snapshot: a revoked device must not appear in it.
  actions->Configure(command.configure());
  Install(Keeping(link));
}

void EdgeServer::State::Install(const std::shared_ptr<EdgeLink>& link) {
  std::shared_ptr<EdgeLink> replaced;
  EstWaiters orphans;
  std::size_t dropped = 0;
  {
    absl::MutexLock lock(&mutex);
    if (stopping || link == nullptr) return;
    std::vector<v1::EdgeEvent> events(1);
    events[0].mutable_hello()->set_version(options.version);
    events[0].mutable_hello()->set_boot_id(boot_id);
    std::vector<v1::EdgeEvent> snapshot = edge.Snapshot(clock.Monotonic());
    dropped = edge.TakeDropped();
    std::move(snapshot.begin(), snapshot.end(), std::back_inserter(events));
    events.emplace_back().mutable_snapshot_complete();
    link->PushSnapshot(std::move(events));
    replaced = std::exchange(current, link);
    orphans.swap(est_waiters);
  }
  FailAll(orphans);
  if (replaced != nullptr) {
    replaced->End(Sentence(grpc::StatusCode::ABORTED, "A newer link took the place of this one."),
                  EdgeLink::Queued::kDrop);
  }
  if (dropped > 0) {
    spdlog::warn(
        "{} ends of sessions and refusals could not be kept for the server, being too many",
        dropped);
  }
  on_link_change();
  link->Pump();
}

void EdgeServer::State::OnCommand(EdgeLink& link, const v1::EdgeCommand& command) {
  if (!link.configured()) {
    OnFirstCommand(link, command);
    return;
  }
  {
    absl::MutexLock lock(&mutex);
    if (current.get() != &link) return;
  }
  switch (command.command_case()) {
    case v1::EdgeCommand::kConfigure:
      actions->Configure(command.configure());
      break;
    case v1::EdgeCommand::kRegisterSession:
      Register(command.register_session());
      break;
    case v1::EdgeCommand::kEndSession:
      actions->EndSession(command.end_session());
      break;
    case v1::EdgeCommand::kDeviceCommand:
      actions->SendToDevice(command.device_command());
      break;
    case v1::EdgeCommand::kDropDevice:
      actions->DropDevice(command.drop_device());
      break;
    case v1::EdgeCommand::kEstResponse:
      OnEstResponse(command.est_response());
      break;
    case v1::EdgeCommand::kDialDevice:
      actions->DialDevice(command.dial_device());
      break;
    case v1::EdgeCommand::kProbeDevice:
      actions->ProbeDevice(command.probe_device());
      break;
    case v1::EdgeCommand::COMMAND_NOT_SET:
      break;
  }
}

void EdgeServer::State::OnWritten(const v1::EdgeEvent& event) {
  const bool matters = event.has_tunnel_event() || event.has_snapshot_complete();
  if (!matters) return;
  absl::MutexLock lock(&mutex);
  edge.OnWritten(event, clock.Monotonic());
}

void EdgeServer::State::OnHangUp(EdgeLink& link) {
  EstWaiters orphans;
  {
    absl::MutexLock lock(&mutex);
    if (current.get() != &link) return;
    current = nullptr;
    orphans.swap(est_waiters);
  }
  FailAll(orphans);
  on_link_change();
}

void EdgeServer::State::OnGone(EdgeLink& link) {
  OnHangUp(link);
  std::shared_ptr<EdgeLink> gone;
  absl::MutexLock lock(&mutex);
  const auto found = links.find(&link);
  if (found == links.end()) return;
  gone = found->second;
  links.erase(found);
}

void EdgeServer::State::Register(const v1::RegisterSession& session) {
  const absl::Status registered = actions->RegisterSession(session);
  if (registered.ok()) return;
  spdlog::warn("session {}: not registered: {}", Printable(session.session_id()),
               std::string(registered.message()));
  if (registered.code() == absl::StatusCode::kAlreadyExists) return;
  v1::TunnelEvent event;
  event.set_session_id(session.session_id());
  event.set_type(v1::TunnelEvent::ENDED);
  event.set_close_code(absl::IsUnavailable(registered) ? dataplane::kCloseDraining
                                                       : CloseCodeFromCode(registered.code()));
  event.set_reason(std::string(registered.message()));
  PublishTunnel(std::move(event));
}

void EdgeServer::State::OnEstResponse(const v1::EstResponse& response) {
  std::shared_ptr<EstWaiter> waiter;
  {
    absl::MutexLock lock(&mutex);
    const auto found = est_waiters.find(response.request_id());
    // It was too late, or the link is another.
    if (found == est_waiters.end()) return;
    waiter = found->second;
    est_waiters.erase(found);
  }
  Answer(waiter, response);
}

void EdgeServer::State::Publish(v1::EdgeEvent event) {
  std::shared_ptr<EdgeLink> link;
  EstWaiters orphans;
  bool kept = true;
  {
    absl::MutexLock lock(&mutex);
    edge.Apply(event);
    ++counters.events;
    link = current;
    if (link == nullptr) {
      if (event.has_refusal()) edge.KeepRefusal(event);
      return;
    }
    kept = link->Push(std::move(event));
    if (!kept) {
      ++counters.links_overflowed;
      current = nullptr;
      orphans.swap(est_waiters);
    }
  }
  if (kept) {
    link->Pump();
    return;
  }
  FailAll(orphans);
  on_link_change();
  spdlog::warn("the server's link could not keep up and was ended; it must link again");
  link->End(Sentence(grpc::StatusCode::RESOURCE_EXHAUSTED,
                     "The link could not keep up with this edge's events. Open it again."),
            EdgeLink::Queued::kDrop);
}

void EdgeServer::State::PublishTunnel(v1::TunnelEvent event) {
  *event.mutable_time() = gateway::ToProto(clock.Now());
  v1::EdgeEvent outer;
  *outer.mutable_tunnel_event() = std::move(event);
  Publish(std::move(outer));
}

EdgeServer::EdgeServer(const CallPeerResolver& peers, const Clock& clock,
                       net::any_io_executor timers, EdgeServerOptions options)
    : state_(std::make_shared<State>(peers, clock, std::move(timers), std::move(options))),
      service_(std::make_unique<Service>(state_)) {}

EdgeServer::~EdgeServer() = default;

void EdgeServer::SetActions(EdgeActions* actions) { state_->actions = actions; }

grpc::Service* EdgeServer::service() { return service_.get(); }

void EdgeServer::SetLinkObserver(std::function<void()> observer) {
  state_->on_link_change = std::move(observer);
}

bool EdgeServer::has_link() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->current != nullptr;
}

bool EdgeServer::linked() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->current != nullptr && state_->current->snapshot_written();
}

void EdgeServer::Stop() {
  std::vector<std::shared_ptr<EdgeLink>> links;
  EstWaiters orphans;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
    state_->current = nullptr;
    orphans.swap(state_->est_waiters);
    for (const auto& [pointer, link] : state_->links) links.push_back(link);
  }
  FailAll(orphans);
  for (const auto& link : links) {
    link->End(Sentence(grpc::StatusCode::UNAVAILABLE, "This edge is stopping."),
              EdgeLink::Queued::kFlush);
  }
}

std::size_t EdgeServer::open_links() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->links.size();
}

EdgeServerCounters EdgeServer::counters() const {
  absl::MutexLock lock(&state_->mutex);
  EdgeServerCounters counters = state_->counters;
  if (state_->current != nullptr) counters.queued_now = state_->current->queued();
  return counters;
}

void EdgeServer::Publish(v1::EdgeEvent event) { state_->Publish(std::move(event)); }

void EdgeServer::PublishRefusal(v1::EdgeRefusal refusal) {
  {
    absl::MutexLock lock(&state_->mutex);
    ++state_->counters.refusals;
    if (state_->refusals.Take(state_->clock.Monotonic()) > absl::ZeroDuration()) {
      ++state_->counters.refusals_suppressed;
      return;
    }
  }
  *refusal.mutable_time() = gateway::ToProto(state_->clock.Now());
  v1::EdgeEvent event;
  *event.mutable_refusal() = std::move(refusal);
  Publish(std::move(event));
}

net::awaitable<absl::StatusOr<v1::EstResponse>> EdgeServer::Forward(v1::EstRequest request) {
  const std::shared_ptr<State> state = state_;
  const auto executor = co_await net::this_coro::executor;
  const auto waiter = std::make_shared<EstWaiter>(executor);
  v1::EdgeEvent event;
  std::uint64_t id = 0;
  {
    absl::MutexLock lock(&state->mutex);
    if (state->current == nullptr) {
      co_return absl::UnavailableError(
          "This edge is not linked to its server at present. Try again in a few seconds.");
    }
    if (state->est_waiters.size() >= state->options.max_pending_est) {
      co_return absl::ResourceExhaustedError(
          "Too many enrolments wait for the server. Try again in a few seconds.");
    }
    id = ++state->last_est_id;
    state->est_waiters[id] = waiter;
  }
  request.set_request_id(id);
  *event.mutable_est_request() = std::move(request);
  state->Publish(std::move(event));
  waiter->timer.expires_after(absl::ToChronoNanoseconds(state->options.est_timeout));
  // The answer is posted to this very executor, so that it cannot come between these two.
  if (!waiter->result.has_value()) co_await waiter->timer.async_wait(kToken);
  if (waiter->result.has_value()) co_return std::move(*waiter->result);
  absl::MutexLock lock(&state->mutex);
  state->est_waiters.erase(id);
  co_return absl::DeadlineExceededError("The server did not answer in time. Try again.");
}

void EdgeServer::OnRegistered(absl::string_view session_id) {
  v1::TunnelEvent event;
  event.set_session_id(std::string(session_id));
  event.set_type(v1::TunnelEvent::ACCEPTED);
  state_->PublishTunnel(std::move(event));
}

void EdgeServer::OnAttached(absl::string_view session_id, Side side) {
  v1::TunnelEvent event;
  event.set_session_id(std::string(session_id));
  event.set_type(side == Side::kDevice ? v1::TunnelEvent::DEVICE_ATTACHED
                                       : v1::TunnelEvent::CONSOLE_ATTACHED);
  state_->PublishTunnel(std::move(event));
}

void EdgeServer::OnDataFlowing(absl::string_view session_id) {
  v1::TunnelEvent event;
  event.set_session_id(std::string(session_id));
  event.set_type(v1::TunnelEvent::DATA_FLOWING);
  state_->PublishTunnel(std::move(event));
}

void EdgeServer::OnEnded(absl::string_view session_id, const RelayEnd& end) {
  v1::TunnelEvent event;
  event.set_session_id(std::string(session_id));
  event.set_type(v1::TunnelEvent::ENDED);
  event.set_ended_by(ToProto(end.by));
  event.set_close_code(end.reason.code);
  event.set_reason(end.reason.text);
  event.set_bytes_to_console(end.bytes_to_console);
  event.set_bytes_to_device(end.bytes_to_device);
  state_->PublishTunnel(std::move(event));
}

void EdgeServer::OnRefused(absl::string_view session_id, Side side, const dataplane::PeerInfo& peer,
                           const dataplane::CloseReason& reason) {
  const std::string resource = session_id.empty() ? "" : absl::StrCat("sessions/", session_id);
  const std::string detail = absl::StrCat(side == Side::kDevice ? "The device's" : "The Console's",
                                          " leg was refused (", reason.code, "): ", reason.text);
  PublishRefusal(MakeRefusal("tunnel.attach", ActorOf(peer), resource,
                             absl::PermissionDeniedError(detail), peer.address));
}

}  // namespace fairlead::gateway
