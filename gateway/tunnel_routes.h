// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The tunnel WebSockets of a terminal, the device's and the Console's: checks who comes, claims the
// ticket and hands the leg to the relay. Registered by the gateway.
#ifndef FAIRLEAD_GATEWAY_TUNNEL_ROUTES_H_
#define FAIRLEAD_GATEWAY_TUNNEL_ROUTES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "dataplane/relay.h"
#include "dataplane/router.h"
#include "gateway/console_forwarder.h"
#include "gateway/device_hub.h"
#include "gateway/edge_events.h"

namespace fairlead::gateway {

inline constexpr char kDeviceTunnelPath[] = "/device-connector/device/portforwarding";

// Thread: any. Lifetime: what it is made with must outlive it and its handlers.
class TunnelRoutes {
 public:
  TunnelRoutes(dataplane::Relay& relay, const DeviceHub& hub, ConsoleForwarder& forwarder,
               EdgeEventSink& sink)
      : relay_(relay), hub_(hub), forwarder_(forwarder), sink_(sink) {}

  // Replaces the origins from which browsers may connect besides the edge's own.
  void SetAllowedOrigins(std::vector<std::string> origins);

  // Serve the two paths. Without a device certificate the device's is refused with 401, with a
  // wrong or revoked one with 403; a foreign origin is refused with 403. A missing, malformed or
  // refused ticket completes the upgrade and closes with 44xx. A Console whose ticket is for an ICG
  // is let through to that.
  dataplane::net::awaitable<void> HandleDevice(dataplane::HttpRequest request,
                                               std::unique_ptr<dataplane::PendingUpgrade> upgrade);
  dataplane::net::awaitable<void> HandleConsole(dataplane::HttpRequest request,
                                                std::unique_ptr<dataplane::PendingUpgrade> upgrade);

 private:
  // Whether `request` may have its ticket looked at; the device's identity for its side.
  absl::StatusOr<std::string> CheckDevice(const dataplane::HttpRequest& request) const;
  absl::Status CheckOrigin(const dataplane::HttpRequest& request) const;
  dataplane::Claim ClaimFor(const dataplane::HttpRequest& request,
                            const dataplane::PendingUpgrade& upgrade, dataplane::Side side,
                            absl::string_view unit_id);
  dataplane::net::awaitable<void> Refuse(std::string path, dataplane::PeerInfo peer,
                                         absl::Status why,
                                         std::unique_ptr<dataplane::PendingUpgrade> upgrade);
  dataplane::net::awaitable<void> Attach(dataplane::Claim claim,
                                         std::unique_ptr<dataplane::PendingUpgrade> upgrade);
  // The part of Attach that runs on the claim's executor.
  dataplane::net::awaitable<void> ServeLeg(dataplane::Claim claim,
                                           std::unique_ptr<dataplane::PendingUpgrade> upgrade);

  dataplane::Relay& relay_;
  const DeviceHub& hub_;
  ConsoleForwarder& forwarder_;
  EdgeEventSink& sink_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> allowed_origins_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TUNNEL_ROUTES_H_
