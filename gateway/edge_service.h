// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge's end of the link to the server (EdgeService.Link): tells the server a snapshot and then
// every event, and hands the server's commands to the relay and the device hub. One an edge.
#ifndef FAIRLEAD_GATEWAY_EDGE_SERVICE_H_
#define FAIRLEAD_GATEWAY_EDGE_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call_peer.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/relay.h"
#include "gateway/edge_events.h"
#include "gateway/edge_state.h"
#include "gateway/token_bucket.h"
#include "proto/edge.pb.h"

namespace grpc {
class Service;
}

namespace fairlead::gateway {

// What the server's commands do at the edge.
// Thread: gRPC's; all methods return at once. Calls for one link come one after the other.
class EdgeActions {
 public:
  virtual ~EdgeActions() = default;
  virtual void Configure(const v1::EdgeConfiguration& configuration) = 0;
  // Errors: are told to the server as the session's end, but for ALREADY_EXISTS, which is ignored.
  virtual absl::Status RegisterSession(const v1::RegisterSession& session) = 0;
  virtual void EndSession(const v1::EndSession& end) = 0;
  virtual void SendToDevice(const v1::DeviceCommand& command) = 0;
  virtual void DropDevice(const v1::DropDevice& drop) = 0;
  virtual void DialDevice(const v1::DialDevice& dial) = 0;
  virtual void ProbeDevice(const v1::ProbeDevice& probe) = 0;
  virtual void ForwardConsole(const v1::ForwardConsole& forward) = 0;
};

struct EdgeServerOptions {
  std::string version;
  // From the opening of a link to its first message.
  absl::Duration configure_timeout = absl::Seconds(10);
  // Events that may wait for a slow server, beyond the snapshot; then the link is ended, and the
  // server learns the state from the next link's snapshot.
  std::size_t max_queued_events = 16'384;
  std::size_t max_queued_bytes = 16 << 20;
  // Enrolment requests that may wait for their answers, and for how long.
  std::size_t max_pending_est = 1024;
  absl::Duration est_timeout = absl::Seconds(15);
  // Refusals that are told to the server.
  Rate refusal_rate{200, absl::Milliseconds(50)};
  // What is kept for the next link.
  EdgeStateLimits state;
};

// Counters for /metrics.
struct EdgeServerCounters {
  std::uint64_t links_opened = 0;
  std::uint64_t links_refused = 0;
  std::uint64_t links_overflowed = 0;
  std::uint64_t events = 0;
  std::uint64_t queued_now = 0;
  std::uint64_t refusals = 0;
  std::uint64_t refusals_suppressed = 0;
};

// Lifecycle: construct, SetActions, register service() with a grpc::Server, Stop, shut the
// grpc::Server down, destroy. Thread: any. Lifetime: `peers`, `clock` and the executor's threads
// must outlive it; it must outlive the grpc::Server.
class EdgeServer : public EdgeEventSink, public EstForwarder, public dataplane::RelayObserver {
 public:
  // `timers` is where deadlines run.
  EdgeServer(const CallPeerResolver& peers, const Clock& clock,
             dataplane::net::any_io_executor timers, EdgeServerOptions options);
  ~EdgeServer() override;

  // To be called once, before service() serves. `actions` must outlive the grpc::Server.
  void SetActions(EdgeActions* actions);

  grpc::Service* service();

  // Called after has_link may have changed, from any thread and also with locks of its callers
  // held, so that it may do no more than post. To be set once, before service() serves.
  void SetLinkObserver(std::function<void()> observer);

  // Whether a server is linked.
  bool has_link() const;

  // Whether a server is linked and has been told the whole snapshot.
  bool linked() const;

  // Ends the link with UNAVAILABLE once what is queued was written, and refuses further ones.
  void Stop();

  // Links whose streams have not ended.
  std::size_t open_links() const;

  EdgeServerCounters counters() const;

  void Publish(v1::EdgeEvent event) override;
  void PublishRefusal(v1::EdgeRefusal refusal) override;
  dataplane::net::awaitable<absl::StatusOr<v1::EstResponse>> Forward(
      v1::EstRequest request) override;

  void OnRegistered(absl::string_view session_id) override;
  void OnAttached(absl::string_view session_id, dataplane::Side side) override;
  void OnDataFlowing(absl::string_view session_id) override;
  void OnEnded(absl::string_view session_id, const dataplane::RelayEnd& end) override;
  void OnRefused(absl::string_view session_id, dataplane::Side side,
                 const dataplane::PeerInfo& peer, const dataplane::CloseReason& reason) override;

 private:
  class Service;
  struct State;
  const std::shared_ptr<State> state_;
  const std::unique_ptr<Service> service_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_SERVICE_H_
