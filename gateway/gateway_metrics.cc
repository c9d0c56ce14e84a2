// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See gateway_metrics.h.
#include "gateway/gateway_metrics.h"

namespace fairlead::gateway {

std::vector<Metric> CollectMetrics(const MetricSources& sources) {
  constexpr auto kCounter = Metric::Kind::kCounter;
  constexpr auto kGauge = Metric::Kind::kGauge;
  const dataplane::ListenerCounters connections = sources.listener.counters();
  const dataplane::RelayCounters sessions = sources.relay.counters();
  const DeviceHubCounters devices = sources.hub.counters();
  const EdgeServerCounters link = sources.edge.counters();
  const DeviceDialerCounters dialled = sources.dialer.counters();
  std::vector<Metric> metrics;
  const auto add = [&](const char* name, const char* help, Metric::Kind kind, double value) {
    metrics.push_back(Metric{name, help, kind, value});
  };
  add("fairlead_connections_accepted_total", "Connections accepted.", kCounter,
      connections.accepted);
  add("fairlead_connections_refused_total", "Connections refused by a cap on unauthenticated ones.",
      kCounter, connections.refused_too_many);
  add("fairlead_tls_handshakes_failed_total", "TLS handshakes that failed.", kCounter,
      connections.handshake_failed);
  add("fairlead_connections", "Connections open now.", kGauge, connections.open_now);
  add("fairlead_sessions_registered_total", "Sessions that were to be relayed.", kCounter,
      sessions.sessions_registered);
  add("fairlead_sessions", "Sessions at the relay now.", kGauge, sessions.sessions_now);
  add("fairlead_tunnels", "Tunnels attached now.", kGauge, sessions.legs_now);
  add("fairlead_relayed_to_console_bytes_total", "Payload relayed to Consoles.", kCounter,
      sessions.bytes_to_console);
  add("fairlead_relayed_to_device_bytes_total", "Payload relayed to devices.", kCounter,
      sessions.bytes_to_device);
  add("fairlead_tunnels_refused_total", "Tunnels refused.", kCounter, sessions.refused);
  add("fairlead_devices", "Devices connected now.", kGauge, devices.connected_now);
  add("fairlead_devices_connected_total", "Device connections that were entered.", kCounter,
      devices.connected);
  add("fairlead_devices_refused_total", "Device connections refused.", kCounter, devices.refused);
  add("fairlead_devices_refused_limit_total", "Of these, connections beyond the limit of devices.",
      kCounter, devices.refused_limit);
  add("fairlead_device_messages_received_total", "Messages from devices.", kCounter,
      devices.messages_received);
  add("fairlead_device_messages_sent_total", "Messages queued for devices.", kCounter,
      devices.messages_sent);
  add("fairlead_device_messages_dropped_total", "Messages for devices that could not take them.",
      kCounter, devices.messages_dropped);
  add("fairlead_link_up", "Whether a server is linked.", kGauge, sources.edge.linked() ? 1 : 0);
  add("fairlead_links_opened_total", "Links that were opened.", kCounter, link.links_opened);
  add("fairlead_links_refused_total", "Links refused.", kCounter, link.links_refused);
  add("fairlead_links_overflowed_total", "Links ended because they could not keep up.", kCounter,
      link.links_overflowed);
  add("fairlead_link_events_total", "Events for the server.", kCounter, link.events);
  add("fairlead_link_queued_events", "Events that wait for the server.", kGauge, link.queued_now);
  add("fairlead_refusals_total", "Refusals at this edge.", kCounter, link.refusals);
  add("fairlead_refusals_suppressed_total", "Refusals not told to the server, being too many.",
      kCounter, link.refusals_suppressed);
  add("fairlead_device_dials_total", "OS 11 devices that were to be dialled.", kCounter,
      dialled.dials);
  add("fairlead_device_dials_failed_total", "Of these, not reached.", kCounter,
      dialled.dials_failed);
  add("fairlead_device_probes_total", "OS 11 devices that were to be probed.", kCounter,
      dialled.probes);
  add("fairlead_device_probes_failed_total", "Of these, not reached.", kCounter,
      dialled.probes_failed);
  add("fairlead_device_probes_waiting", "Probes that wait for others.", kGauge,
      dialled.probes_waiting);
  add("fairlead_consoles_forwarded", "Consoles let through to ICGs now.", kGauge,
      sources.forwarder.open_now());
  if (sources.bridge != nullptr) {
    add("fairlead_grpc_connections", "gRPC connections open now.", kGauge,
        sources.bridge->open_now());
  }
  return metrics;
}

}  // namespace fairlead::gateway
