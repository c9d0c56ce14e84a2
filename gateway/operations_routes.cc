// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/operations_routes.h"

#include <prometheus/text_serializer.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::HttpRequest;
using dataplane::HttpResponse;

HttpResponse Text(int status, std::string type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", std::move(type));
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

void SetDefault(HttpResponse& response, const char* name, const char* value) {
  if (dataplane::FindHeader(response.headers, name).empty()) {
    response.headers.emplace_back(name, value);
  }
}

net::awaitable<HttpResponse> ServeSecured(std::shared_ptr<const dataplane::RequestHandler> handler,
                                          HttpRequest request) {
  HttpResponse response = co_await (*handler)(std::move(request));
  co_return WithSecurityHeaders(std::move(response));
}

}  // namespace

HttpResponse MethodNotAllowed() {
  HttpResponse response =
      dataplane::ErrorResponse(absl::InvalidArgumentError("This path takes GET only."));
  response.status = 405;
  response.headers.emplace_back("Allow", "GET");
  return response;
}

HttpResponse JsonResponse(int status, std::string json) {
  return Text(status, "application/json", std::move(json));
}

std::string MetricsText(const std::vector<Metric>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics) {
    prometheus::MetricFamily& family = families.emplace_back();
    prometheus::ClientMetric& sample = family.metric.emplace_back();
    family.name = metric.name;
    family.help = metric.help;
    if (metric.kind == Metric::Kind::kCounter) {
      family.type = prometheus::MetricType::Counter;
      sample.counter.value = metric.value;
    } else {
      family.type = prometheus::MetricType::Gauge;
      sample.gauge.value = metric.value;
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

net::awaitable<HttpResponse> OperationsRoutes::Healthz(HttpRequest request) {
  if (request.method != "GET") co_return MethodNotAllowed();
  co_return JsonResponse(200, "{\"status\":\"ok\"}\n");
}

net::awaitable<HttpResponse> OperationsRoutes::Readyz(HttpRequest request) {
  if (request.method != "GET") co_return MethodNotAllowed();
  const Readiness readiness = readiness_();
  if (readiness.ready) co_return JsonResponse(200, "{\"status\":\"ready\"}\n");
  HttpResponse response = dataplane::ErrorResponse(absl::UnavailableError(readiness.reason));
  response.headers.emplace_back("Retry-After", "1");
  co_return response;
}

net::awaitable<HttpResponse> OperationsRoutes::Metrics(HttpRequest request) {
  if (request.method != "GET") co_return MethodNotAllowed();
  co_return Text(200, "text/plain; version=0.0.4; charset=utf-8", MetricsText(metrics_()));
}

net::awaitable<HttpResponse> UnknownPath(HttpRequest request) {
  const bool api = request.path == "/api" || absl::StartsWith(request.path, "/api/");
  const absl::Status unknown = absl::NotFoundError(absl::StrCat(
      "There is nothing at this path.", api ? " The API's paths are below /api/v1/." : ""));
  co_return dataplane::ErrorResponse(unknown);
}

HttpResponse WithSecurityHeaders(HttpResponse response) {
  SetDefault(response, "X-Content-Type-Options", "nosniff");
  SetDefault(response, "Referrer-Policy", "no-referrer");
  SetDefault(response, "X-Frame-Options", "DENY");
  SetDefault(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  SetDefault(response, "Cache-Control", "no-store");
  return response;
}

dataplane::RequestHandler Secured(dataplane::RequestHandler handler) {
  const auto shared = std::make_shared<const dataplane::RequestHandler>(std::move(handler));
  return [shared](HttpRequest request) { return ServeSecured(shared, std::move(request)); };
}

}  // namespace fairlead::gateway
