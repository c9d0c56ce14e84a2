// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_service.h"

#include <utility>

#include "absl/synchronization/mutex.h"
#include "gateway/edge_link.h"
#include "gateway/edge_server_state.h"
#include "gateway/est_waiters.h"
#include "gateway/refusal.h"
#include "gateway/tunnel_events.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::RelayEnd;
using dataplane::Side;

// A call that is refused at once.
class RefusedLink : public grpc::ServerBidiReactor<v1::EdgeCommand, v1::EdgeEvent> {
 public:
  explicit RefusedLink(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

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
        access = grpc::Status(grpc::StatusCode::UNAVAILABLE, "This edge is stopping.");
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
  for (const auto& link : state_->Stop()) {
    link->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "This edge is stopping."),
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
  std::shared_ptr<EstWaiters::Waiter> waiter;
  {
    absl::MutexLock lock(&state->mutex);
    if (state->current == nullptr) {
      co_return absl::UnavailableError(
          "This edge is not linked to its server at present. Try again in a few seconds.");
    }
    auto added = state->enrolments.Add(executor);
    if (!added.ok()) co_return added.status();
    waiter = *std::move(added);
  }
  v1::EdgeEvent event;
  request.set_request_id(EstWaiters::RequestId(*waiter));
  *event.mutable_est_request() = std::move(request);
  state->Publish(std::move(event));
  co_return co_await state->enrolments.Await(waiter);
}

void EdgeServer::OnRegistered(absl::string_view session_id) {
  state_->PublishTunnel(TunnelEventOf(session_id, v1::TunnelEvent::ACCEPTED));
}

void EdgeServer::OnAttached(absl::string_view session_id, Side side) {
  state_->PublishTunnel(AttachedEvent(session_id, side));
}

void EdgeServer::OnDataFlowing(absl::string_view session_id) {
  state_->PublishTunnel(TunnelEventOf(session_id, v1::TunnelEvent::DATA_FLOWING));
}

void EdgeServer::OnEnded(absl::string_view session_id, const RelayEnd& end) {
  state_->PublishTunnel(EndedEvent(session_id, end));
}

void EdgeServer::OnRefused(absl::string_view session_id, Side side, const dataplane::PeerInfo& peer,
                           const dataplane::CloseReason& reason) {
  PublishRefusal(RefusalOf(session_id, side, peer, reason));
}

}  // namespace fairlead::gateway
