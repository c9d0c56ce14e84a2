// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an EdgeServer is made of: the links that are open and the one that is told, the state that a
// newcomer learns, and the enrolments that wait. Used by EdgeServer alone, and kept by the links'
// service and by coroutines that may outlast it.
#ifndef FAIRLEAD_GATEWAY_EDGE_SERVER_STATE_H_
#define FAIRLEAD_GATEWAY_EDGE_SERVER_STATE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/call_peer.h"
#include "base/clock.h"
#include "base/random.h"
#include "dataplane/asio.h"
#include "gateway/edge_link.h"
#include "gateway/edge_service.h"
#include "gateway/edge_state.h"
#include "gateway/est_waiters.h"
#include "gateway/token_bucket.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::gateway {

// Lock order: this mutex, then a link's or that of the enrolments. No callback of anyone else runs
// under it.
struct EdgeServer::State : public EdgeLinkOwner {
  State(const CallPeerResolver& call_peers, const Clock& time,
        dataplane::net::any_io_executor executor, EdgeServerOptions given)
      : peers(call_peers),
        clock(time),
        timers(std::move(executor)),
        options(std::move(given)),
        enrolments(options.max_pending_est, options.est_timeout),
        edge(options.state),
        refusals(options.refusal_rate) {}

  void OnCommand(EdgeLink& link, const v1::EdgeCommand& command) override;
  void OnWritten(const v1::EdgeEvent& event) override;
  void OnHangUp(EdgeLink& link) override;
  void OnGone(EdgeLink& link) override;

  grpc::Status CheckAccess(const std::string& peer) const;
  void StartConfigureDeadline(const std::shared_ptr<EdgeLink>& link);
  void OnFirstCommand(EdgeLink& link, const v1::EdgeCommand& command);
  // Makes `link` the one that is told, and ends the older one.
  void Install(const std::shared_ptr<EdgeLink>& link);
  void Register(const v1::RegisterSession& session);
  void Publish(v1::EdgeEvent event);
  void PublishTunnel(v1::TunnelEvent event);
  // Nothing is told to a link from here on; gives those that are open.
  std::vector<std::shared_ptr<EdgeLink>> Stop();
  std::shared_ptr<EdgeLink> Keeping(EdgeLink& link);

  const CallPeerResolver& peers;
  const Clock& clock;
  const dataplane::net::any_io_executor timers;
  const EdgeServerOptions options;
  const std::string boot_id = RandomId();
  EdgeActions* actions = nullptr;
  std::function<void()> on_link_change = [] {};

  // Enrolments are added with a link in place, and fail when it goes: both under the mutex.
  EstWaiters enrolments;
  mutable absl::Mutex mutex;
  EdgeState edge ABSL_GUARDED_BY(mutex);
  TokenBucket refusals ABSL_GUARDED_BY(mutex);
  std::map<EdgeLink*, std::shared_ptr<EdgeLink>> links ABSL_GUARDED_BY(mutex);
  std::shared_ptr<EdgeLink> current ABSL_GUARDED_BY(mutex);
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  EdgeServerCounters counters ABSL_GUARDED_BY(mutex);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_SERVER_STATE_H_
