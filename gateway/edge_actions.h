// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Carries out the server's commands at this edge: sessions at the relay, messages and drops at the
// device hub. Called by EdgeServer, owned by the gateway.
#ifndef FAIRLEAD_GATEWAY_EDGE_ACTIONS_H_
#define FAIRLEAD_GATEWAY_EDGE_ACTIONS_H_

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "dataplane/relay.h"
#include "gateway/console_forwarder.h"
#include "gateway/device_dialer.h"
#include "gateway/device_hub.h"
#include "gateway/edge_events.h"
#include "gateway/edge_service.h"
#include "gateway/tunnel_routes.h"

namespace fairlead::gateway {

// Reads what the server says of a session.
// Errors: INVALID_ARGUMENT a field is missing or out of bounds; names it.
absl::StatusOr<dataplane::SessionSpec> ReadSession(const v1::RegisterSession& session);

// The close code and reason that the server asks for; codes that it may not choose become 4410.
dataplane::CloseReason ReadCloseReason(std::uint32_t code, const std::string& reason);

// Thread: any. Lifetime: the references must outlive it.
class LiveEdgeActions : public EdgeActions {
 public:
  // `on_configure` is told what else the server says: CA certificates, the grace period.
  LiveEdgeActions(dataplane::Relay& relay, DeviceHub& hub, TunnelRoutes& tunnels,
                  DeviceDialer& dialer, ConsoleForwarder& forwarder, EdgeEventSink& events,
                  const Clock& clock,
                  std::function<void(const v1::EdgeConfiguration&)> on_configure)
      : relay_(relay),
        hub_(hub),
        tunnels_(tunnels),
        dialer_(dialer),
        forwarder_(forwarder),
        events_(events),
        clock_(clock),
        on_configure_(std::move(on_configure)) {}

  // From now on new sessions are refused with UNAVAILABLE, no device is dialled, and no
  // Console let through.
  void Drain();

  void Configure(const v1::EdgeConfiguration& configuration) override;
  absl::Status RegisterSession(const v1::RegisterSession& session) override;
  void EndSession(const v1::EndSession& end) override;
  void SendToDevice(const v1::DeviceCommand& command) override;
  void DropDevice(const v1::DropDevice& drop) override;
  void DialDevice(const v1::DialDevice& dial) override;
  void ProbeDevice(const v1::ProbeDevice& probe) override;
  void ForwardConsole(const v1::ForwardConsole& forward) override;

 private:
  // Tells that the device of a live session is being asked for it, or dialled. To be called before
  // that can have any effect, so that the events come in order.
  void TellRequested(const std::string& session_id);

  dataplane::Relay& relay_;
  DeviceHub& hub_;
  TunnelRoutes& tunnels_;
  DeviceDialer& dialer_;
  ConsoleForwarder& forwarder_;
  EdgeEventSink& events_;
  const Clock& clock_;
  const std::function<void(const v1::EdgeConfiguration&)> on_configure_;
  std::atomic<bool> draining_{false};
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_ACTIONS_H_
