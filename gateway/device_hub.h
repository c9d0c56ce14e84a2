// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The devices' standing WebSockets (Unified Protocol): lets devices in by their certificate, tells
// the server of them and of what they say, and brings them what the server says. One hub an edge.
#ifndef FAIRLEAD_GATEWAY_DEVICE_HUB_H_
#define FAIRLEAD_GATEWAY_DEVICE_HUB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/router.h"
#include "dataplane/websocket.h"
#include "gateway/device_connection.h"
#include "gateway/device_registry.h"
#include "gateway/edge_events.h"
#include "gateway/token_bucket.h"
#include "proto/unified.pb.h"

namespace fairlead::gateway {

inline constexpr char kUnifiedPath[] = "/device-connector/device/ws-connect";
inline constexpr char kUnifiedSubprotocol[] = "fairlead.unified.v1";

struct DeviceHubOptions {
  // From the upgrade to the device's hello.
  absl::Duration hello_timeout = absl::Seconds(10);
  DeviceQueueLimits queue;
  // What one device may say; a faster one is read more slowly.
  Rate message_rate{400, absl::Milliseconds(5)};
  // Connections, those without a hello included.
  std::size_t max_connections = 100'000;
  // Whether OS 11 devices may hold a standing connection: at an ICG. The server dials them.
  bool accept_os_11 = true;
};

// Counters for /metrics.
struct DeviceHubCounters {
  std::uint64_t connected_now = 0;
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  // Of the refused, those beyond the limit of devices.
  std::uint64_t refused_limit = 0;
  // Messages for devices that were not connected or read too slowly.
  std::uint64_t messages_dropped = 0;
};

// Thread: any. Lifetime: `sink` and `clock` must outlive it; coroutines that still run when it goes
// do nothing more.
class DeviceHub {
 public:
  DeviceHub(EdgeEventSink& sink, const Clock& clock, DeviceHubOptions options);
  ~DeviceHub();

  // `admission` is asked before a device is let in; what it gives is told to the device, with 503
  // and Retry-After. It is called without locks, from any thread. To be set once, before serving.
  void SetAdmission(std::function<absl::Status()> admission);

  // The most devices that may be connected at once; 0 for the hub's own limit alone. Devices that
  // are connected stay, also beyond it, and may connect anew.
  void SetMaxDevices(std::size_t max_devices);

  // Serves kUnifiedPath: refuses with 401 (no certificate), 403 (wrong role, revoked), 400 (wrong
  // subprotocol) or 503 (too many, not now), else accepts and serves until the connection ends.
  dataplane::net::awaitable<void> HandleUpgrade(dataplane::HttpRequest request,
                                                std::unique_ptr<dataplane::PendingUpgrade> upgrade);

  // Serves an accepted connection until it ends.
  // Thread: the WebSocket's executor.
  dataplane::net::awaitable<void> Serve(DeviceIdentity device,
                                        std::unique_ptr<dataplane::WebSocket> websocket);

  // Sends `message` to a device, after what was sent before.
  // Errors: NOT_FOUND it is not connected; RESOURCE_EXHAUSTED it reads too slowly, and is cut off.
  absl::Status Send(absl::string_view unit_id, const v1::ServerMessage& message);

  bool IsConnected(absl::string_view unit_id) const;

  // Closes a device's connection, if it has one. It counts as disconnected at once.
  void Drop(absl::string_view unit_id, dataplane::CloseReason reason);

  // Replaces, or adds to, the revoked fingerprints; connections that use one are closed with 4403.
  void SetRevoked(std::set<std::string> fingerprints);
  void Revoke(const std::vector<std::string>& fingerprints);
  bool IsRevoked(absl::string_view fingerprint) const;

  // Closes the connections of all devices; they may connect again if they are let in.
  void DropAll(dataplane::CloseReason reason);

  // Closes every connection, and refuses further ones.
  void CloseAll(dataplane::CloseReason reason);

  // Connections that are still being served.
  std::size_t open_connections() const;

  DeviceHubCounters counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_DEVICE_HUB_H_
