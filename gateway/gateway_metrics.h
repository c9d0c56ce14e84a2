// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The figures that an edge shows at /metrics, from the counters of its parts. Used by the gateway.
#ifndef FAIRLEAD_GATEWAY_GATEWAY_METRICS_H_
#define FAIRLEAD_GATEWAY_GATEWAY_METRICS_H_

#include <vector>

#include "dataplane/listener.h"
#include "dataplane/relay.h"
#include "gateway/console_forwarder.h"
#include "gateway/device_dialer.h"
#include "gateway/device_hub.h"
#include "gateway/edge_service.h"
#include "gateway/grpc_bridge.h"
#include "gateway/operations_routes.h"

namespace fairlead::gateway {

// The parts that count. Lifetime: for the call alone.
struct MetricSources {
  const dataplane::Listener& listener;
  const dataplane::Relay& relay;
  const DeviceHub& hub;
  const EdgeServer& edge;
  const DeviceDialer& dialer;
  const ConsoleForwarder& forwarder;
  // Null before the gateway serves gRPC.
  const GrpcBridge* bridge;
};

// Thread: any.
std::vector<Metric> CollectMetrics(const MetricSources& sources);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_GATEWAY_METRICS_H_
