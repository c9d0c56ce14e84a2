// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The edge as a whole: one listener with all its routes, the device hub, the relay and the link to
// the server, around the process's one grpc::Server. Composed by the mains of server and ICG.
#ifndef FAIRLEAD_GATEWAY_GATEWAY_H_
#define FAIRLEAD_GATEWAY_GATEWAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/call_peer.h"
#include "base/clock.h"
#include "dataplane/listener.h"
#include "dataplane/tls_context.h"
#include "gateway/device_dialer.h"
#include "gateway/device_hub.h"
#include "gateway/edge_service.h"
#include "gateway/est_routes.h"
#include "gateway/server_absence.h"

namespace google::protobuf {
class ServiceDescriptor;
}
namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace fairlead::gateway {

// How an edge is set up; the defaults are the product's.
struct GatewayOptions {
  // For logs and metrics: "server" or "icg".
  std::string role = "server";
  // The product's version.
  std::string version;

  // Where to listen; port 0 picks one.
  std::vector<std::string> listen = {"0.0.0.0:8443", "[::]:8443"};
  dataplane::ListenerLimits limits;
  // Threads for I/O; 0 for one a core.
  int io_threads = 0;

  // The server's certificate (chain, leaf first) and key, PEM: files, which Reload reads again, or
  // the texts themselves. A file's name wins over the text.
  std::string certificate_file;
  std::string private_key_file;
  dataplane::TlsIdentity identity;
  // The CA that signs client certificates, PEM. The server's link may name further ones.
  std::string client_ca_file;
  std::string client_ca_pem;

  // The services whose REST and WebSocket forms are served below /api/v1; none on an ICG.
  std::vector<const google::protobuf::ServiceDescriptor*> api_services;
  // Whether "/" is served (on a server), and from what: a folder, else an archive as
  // StaticFiles::FromArchive takes it, else the built-in page.
  bool web_console = true;
  std::string web_folder;
  absl::string_view web_archive;
  // Whether /metrics is served.
  bool metrics = true;

  // Set on an ICG alone: it is linked from outside, so that it offers the link as a WebSocket, and
  // knows what to do while no server is linked.
  absl::optional<IcgOptions> icg;

  // The certificate with the server role that is shown to OS 11 devices which are dialled, and its
  // key; asked for every few hours. Null on an ICG: it dials none.
  std::function<absl::StatusOr<dataplane::TlsIdentity>()> dial_identity;
  DeviceDialerOptions dialling;

  // Sessions that may be open.
  std::size_t max_sessions = 100'000;
  DeviceHubOptions devices;
  EstRoutesOptions enrollment;
  EdgeServerOptions link;

  // Lives for ever.
  const Clock* clock = &SystemClock();
};

// Lifecycle: Create; register edge_service() with a grpc::ServerBuilder that was set up by
// ConfigureServer (gateway/grpc_bridge.h) and has no port; BuildAndStart; Start; Stop; shut the
// grpc::Server down and destroy it; destroy the gateway.
// Thread: one, but for port, Reload, Replace and route_patterns: any.
class Gateway {
 public:
  // Errors: INVALID_ARGUMENT bad certificates, addresses or services; NOT_FOUND a file or folder
  // cannot be read. The message names it.
  static absl::StatusOr<std::unique_ptr<Gateway>> Create(GatewayOptions options);
  // Stops at once, if that was not done before.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // EdgeService, to be registered with the grpc::Server.
  grpc::Service* edge_service();

  // Who is behind a gRPC call.
  const CallPeerResolver& call_peers() const;

  // Begins to listen; gRPC connections and API calls go to `server`.
  // Errors: as Listener::Start.
  absl::Status Start(grpc::Server* server);

  // The port of the first address. After Start.
  std::uint16_t port() const;

  // Reads the certificate files again; new handshakes use what they say, connections stay.
  // Errors: as Create; then what was in force stays so.
  absl::Status Reload();

  // The same for an edge whose certificates are texts: takes others in their place.
  absl::Status Replace(const dataplane::TlsIdentity& identity, const std::string& client_ca_pem);

  // Whether a server is linked, so that devices and Consoles can be served.
  bool ready() const;

  // Stops: accepts no more, ends tunnels with 4503 and device connections with 1001, waits up to
  // `drain` for them to close, ends the link with UNAVAILABLE, and closes what is left. Bounded by
  // `drain` and a few seconds. Idempotent.
  void Stop(absl::Duration drain);

  // The patterns of all routes, for a test that each is meant to be there.
  std::vector<std::string> route_patterns() const;

 private:
  struct State;
  explicit Gateway(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_GATEWAY_H_
