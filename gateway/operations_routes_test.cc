// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Liveness, readiness, metrics, unknown paths and the headers of every response.
#include "gateway/operations_routes.h"

#include <string>

#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::FindHeader;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using ::testing::HasSubstr;

class OperationsRoutesTest : public ::testing::Test {
 protected:
  HttpRequest Get(const std::string& path) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    return request;
  }

  dataplane::net::io_context io_;
  Readiness readiness_;
  OperationsRoutes routes_{[this] { return readiness_; },
                           [] {
                             return std::vector<Metric>{
                                 {"fairlead_a_total", "Things.", Metric::Kind::kCounter, 3},
                                 {"fairlead_b", "Now.", Metric::Kind::kGauge, 4},
                             };
                           }};
};

TEST_F(OperationsRoutesTest, HealthIsAlwaysFine) {
  EXPECT_EQ(Await(io_, routes_.Healthz(Get("/healthz"))).status, 200);
  HttpRequest post = Get("/healthz");
  post.method = "POST";
  EXPECT_EQ(Await(io_, routes_.Healthz(post)).status, 405);
}

TEST_F(OperationsRoutesTest, ReadinessSaysWhyNot) {
  readiness_ = Readiness{false, "No server is linked."};
  const HttpResponse not_ready = Await(io_, routes_.Readyz(Get("/readyz")));
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body, HasSubstr("No server is linked."));
  EXPECT_EQ(FindHeader(not_ready.headers, "Retry-After"), "1");

  readiness_ = Readiness{true, ""};
  EXPECT_EQ(Await(io_, routes_.Readyz(Get("/readyz"))).status, 200);
}

TEST_F(OperationsRoutesTest, MetricsAreInPrometheusFormat) {
  const HttpResponse response = Await(io_, routes_.Metrics(Get("/metrics")));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(std::string(FindHeader(response.headers, "Content-Type")),
              HasSubstr("text/plain; version=0.0.4"));
  EXPECT_EQ(response.body,
            "# HELP fairlead_a_total Things.\n"
            "# TYPE fairlead_a_total counter\n"
            "fairlead_a_total 3\n"
            "# HELP fairlead_b Now.\n"
            "# TYPE fairlead_b gauge\n"
            "fairlead_b 4\n");
}

TEST_F(OperationsRoutesTest, UnknownPathsAreJson) {
  for (const char* path : {"/nothing", "/api/v2/x", "/api"}) {
    const HttpResponse response = Await(io_, UnknownPath(Get(path)));
    EXPECT_EQ(response.status, 404);
    EXPECT_THAT(response.body, HasSubstr("\"message\""));
  }
}

TEST_F(OperationsRoutesTest, EveryResponseHasTheSecurityHeaders) {
  const HttpResponse response = Await(io_, Secured(UnknownPath)(Get("/nothing")));
  for (const char* name : {"X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options",
                           "Content-Security-Policy", "Cache-Control"}) {
    EXPECT_FALSE(FindHeader(response.headers, name).empty()) << name;
  }
  HttpResponse own;
  own.headers = {{"cache-control", "max-age=1"}};
  EXPECT_EQ(FindHeader(WithSecurityHeaders(own).headers, "Cache-Control"), "max-age=1");
}

}  // namespace
}  // namespace fairlead::gateway
