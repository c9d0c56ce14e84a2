// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Dials OS 11 devices at their TLS ports: to attach the connection as a session's device leg, or to
// try whether one could. Used by LiveEdgeActions at the server's own edge.
#ifndef FAIRLEAD_GATEWAY_DEVICE_DIALER_H_
#define FAIRLEAD_GATEWAY_DEVICE_DIALER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dataplane/asio.h"
#include "dataplane/relay.h"
#include "dataplane/tls_context.h"
#include "gateway/edge_events.h"
#include "proto/edge.pb.h"

namespace fairlead::gateway {

struct DeviceDialerOptions {
  // For looking up, connecting and the TLS handshake together.
  absl::Duration timeout = absl::Seconds(10);
  // How long a probed device that does not know probes may stay silent after the handshake; then it
  // counts as reachable.
  absl::Duration probe_silence = absl::Milliseconds(500);
  // Dials under way at once; further ones fail.
  std::size_t max_dials = 256;
  // Probes under way at once, and those that wait for them; further ones fail.
  std::size_t max_probes = 256;
  std::size_t max_waiting_probes = 4096;
  // How long our certificate is shown before it is asked for again.
  absl::Duration identity_lifetime = absl::Hours(4);
};

// Who the dialer is, and whom it believes. Called from I/O threads; must return soon.
struct DeviceDialerSources {
  // Our certificate, with the server role, and its key. Null if this edge dials no devices.
  std::function<absl::StatusOr<dataplane::TlsIdentity>()> identity;
  // The CA certificates that sign devices, PEM.
  std::function<std::string()> device_ca;
  // Whether the certificate with this SHA-256 fingerprint, 32 bytes, is revoked.
  std::function<bool(absl::string_view fingerprint)> is_revoked;
};

// Counters for /metrics.
struct DeviceDialerCounters {
  std::uint64_t dials_now = 0;
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t probes_now = 0;
  std::uint64_t probes_waiting = 0;
  std::uint64_t probes = 0;
  std::uint64_t probes_failed = 0;
};

// A device is told by its certificate alone: signed by our CA, in date, not revoked, and for
// urn:fairlead:device:<unit ID>. Where it answers, and by what name, proves nothing.
//
// Thread: any. Lifetime: what it was made with must outlive the executors' threads.
class DeviceDialer {
 public:
  // Gives the executor for the next dial; each runs one thread.
  using NextExecutor = std::function<dataplane::net::any_io_executor()>;

  DeviceDialer(NextExecutor next_executor, dataplane::Relay& relay, EdgeEventSink& sink,
               const Clock& clock, DeviceDialerSources sources, DeviceDialerOptions options);
  ~DeviceDialer();

  // Dials and serves the connection as the session's device leg. If it cannot, the session ends:
  // by the device, with 4502 and a sentence. A session that ends meanwhile ends the matter.
  void Dial(v1::DialDevice request);

  // Dials, waits for the device's word on our certificate, hangs up, and tells the sink the result.
  // ALPN names dataplane::kProbeProtocol: a device that knows it starts nothing, and closes.
  void Probe(v1::ProbeDevice request);

  // Begins nothing more; what is under way comes to nothing.
  void Stop();

  DeviceDialerCounters counters() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_DEVICE_DIALER_H_
