// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an ICG's edge has that a server's own has not: the link as a WebSocket, the conduct while no
// server is linked, and its status. Owned by the gateway.
#ifndef FAIRLEAD_GATEWAY_ICG_EDGE_H_
#define FAIRLEAD_GATEWAY_ICG_EDGE_H_

#include <grpcpp/channel.h>

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/router.h"
#include "gateway/device_hub.h"
#include "gateway/edge_service.h"
#include "gateway/edge_trust.h"
#include "gateway/edge_websocket.h"
#include "gateway/server_absence.h"

namespace fairlead::gateway {

inline constexpr char kCheckStatusPath[] = "/usg/check-status";

// Lifecycle: construct, AddRoutes, serve, Stop; the I/O threads must have ended before it goes.
// Thread: any. Lifetime: the references must outlive it.
class IcgEdge {
 public:
  // `timers` is where deadlines run.
  IcgEdge(IcgOptions options, EdgeServer& edge, DeviceHub& hub, const EdgeTrust& trust,
          const Clock& clock, net::any_io_executor timers);

  // Adds kLinkPath, whose links go to `channel`, and kCheckStatusPath.
  void AddRoutes(dataplane::Router& router, std::shared_ptr<grpc::Channel> channel);

  // What the server says of the grace period; 0 for the default.
  void SetGracePeriod(absl::Duration grace_period);

  // Ends the links that are WebSockets. Before the gRPC server is shut down.
  void Stop();

 private:
  void FollowLink();
  void Follow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  net::awaitable<dataplane::HttpResponse> CheckStatus(dataplane::HttpRequest request);

  const IcgOptions options_;
  EdgeServer& edge_;
  DeviceHub& hub_;
  const EdgeTrust& trust_;
  const Clock& clock_;
  const net::any_io_executor timers_;
  std::unique_ptr<EdgeWebSocket> links_;

  absl::Mutex mutex_;
  ServerAbsence absence_ ABSL_GUARDED_BY(mutex_);
  boost::asio::steady_timer timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_ICG_EDGE_H_
