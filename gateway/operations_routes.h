// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What those who run the edge look at: liveness, readiness, metrics, and the answer to unknown
// paths; and the headers that keep browsers from mischief. Registered by the gateway.
#ifndef FAIRLEAD_GATEWAY_OPERATIONS_ROUTES_H_
#define FAIRLEAD_GATEWAY_OPERATIONS_ROUTES_H_

#include <functional>
#include <string>
#include <vector>

#include "dataplane/asio.h"
#include "dataplane/http.h"
#include "dataplane/router.h"

namespace fairlead::gateway {

// One number for /metrics.
struct Metric {
  enum class Kind { kCounter, kGauge };
  // "fairlead_relay_sessions"; a counter's ends in "_total".
  std::string name;
  std::string help;
  Kind kind = Kind::kGauge;
  double value = 0;
};

// The metrics in Prometheus' text format.
std::string MetricsText(const std::vector<Metric>& metrics);

// Whether the edge can serve, and why not.
struct Readiness {
  bool ready = false;
  std::string reason;
};

// Thread: any; the functions given are called on I/O threads. Lifetime: must outlive its handlers.
class OperationsRoutes {
 public:
  OperationsRoutes(std::function<Readiness()> readiness,
                   std::function<std::vector<Metric>()> metrics)
      : readiness_(std::move(readiness)), metrics_(std::move(metrics)) {}

  // 200 as long as the process serves at all.
  dataplane::net::awaitable<dataplane::HttpResponse> Healthz(dataplane::HttpRequest request);
  // 200, or 503 with the reason.
  dataplane::net::awaitable<dataplane::HttpResponse> Readyz(dataplane::HttpRequest request);
  dataplane::net::awaitable<dataplane::HttpResponse> Metrics(dataplane::HttpRequest request);

 private:
  const std::function<Readiness()> readiness_;
  const std::function<std::vector<Metric>()> metrics_;
};

// A response with a JSON text that must not be stored.
dataplane::HttpResponse JsonResponse(int status, std::string json);

// 405 for paths that take GET alone.
dataplane::HttpResponse MethodNotAllowed();

// 404 for paths that do not exist, as JSON.
dataplane::net::awaitable<dataplane::HttpResponse> UnknownPath(dataplane::HttpRequest request);

// Adds the headers that every response has, where they are not set.
dataplane::HttpResponse WithSecurityHeaders(dataplane::HttpResponse response);

// A handler that does as `handler` and adds those headers.
dataplane::RequestHandler Secured(dataplane::RequestHandler handler);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_OPERATIONS_ROUTES_H_
