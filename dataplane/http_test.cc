// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// HTTP values and the router: header look-up, error bodies there and back, which route wins.
#include "dataplane/http.h"

#include <gtest/gtest.h>

#include "base/status_matchers.h"
#include "dataplane/router.h"

namespace fairlead::dataplane {
namespace {

TEST(Http, FindHeaderIgnoresCaseAndTakesTheFirst) {
  const HttpHeaders headers = {{"A", "1"}, {"b", "2"}, {"B", "3"}};
  EXPECT_EQ(FindHeader(headers, "a"), "1");
  EXPECT_EQ(FindHeader(headers, "B"), "2");
  EXPECT_EQ(FindHeader(headers, "c"), "");
}

TEST(Http, ErrorResponseIsJson) {
  const HttpResponse response = ErrorResponse(
      absl::NotFoundError("no \"x\\y\"\n\t\x01 \xC3\xA4 \xFF \xED\xA0\x80 \xF0\x9F\x98\x80"));

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(FindHeader(response.headers, "content-type"), "application/json");
  EXPECT_EQ(response.body,
            "{\"code\":5,\"message\":\"no \\\"x\\\\y\\\"\\n\\t\\u0001 \xC3\xA4 \xEF\xBF\xBD "
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xF0\x9F\x98\x80\",\"details\":[]}");
}

TEST(Http, StatusFromResponseReadsWhatErrorResponseWrites) {
  const absl::Status sent =
      absl::FailedPreconditionError("a \"quoted\" \\ text\nof \x02 two \xC3\xA4 lines");
  EXPECT_EQ(StatusFromResponse(ErrorResponse(sent)), sent);
}

TEST(Http, StatusFromResponseOfOtherBodies) {
  const struct {
    int http_status;
    const char* body;
    absl::StatusCode code;
    const char* message;
  } cases[] = {
      {200, "{\"message\":\"x\"}", absl::StatusCode::kOk, ""},
      {502, "<html>", absl::StatusCode::kUnavailable, "the server answered with HTTP status 502"},
      {403, "", absl::StatusCode::kPermissionDenied, "the server answered with HTTP status 403"},
      {409, "{ \"code\" : 6 , \"message\" : \"x\" }", absl::StatusCode::kAlreadyExists, "x"},
      {404, "{\"code\":99,\"message\":\"x\"}", absl::StatusCode::kNotFound, "x"},
      {418, "{\"code\":\"a\",\"message\":\"x\"}", absl::StatusCode::kFailedPrecondition, "x"},
      {500, "{\"message\":\"\\u00e4\\u20ac\\ud83d\"}", absl::StatusCode::kInternal,
       "\xC3\xA4\xE2\x82\xAC\xEF\xBF\xBD"},
      {500, "{\"message\":\"\\", absl::StatusCode::kInternal,
       "the server answered with HTTP status 500"},
      {500, "{\"message\":\"\\u12", absl::StatusCode::kInternal,
       "the server answered with HTTP status 500"},
      {500, "{\"message\":7}", absl::StatusCode::kInternal,
       "the server answered with HTTP status 500"},
  };
  for (const auto& c : cases) {
    HttpResponse response;
    response.status = c.http_status;
    response.body = c.body;
    EXPECT_EQ(StatusFromResponse(response), absl::Status(c.code, c.message)) << c.body;
  }
}

Route At(std::string pattern) {
  Route route;
  route.pattern = std::move(pattern);
  return route;
}

TEST(Router, AnExactPatternWinsThenTheLongestPrefix) {
  Router router;
  for (const char* pattern : {"/api/*", "/api/v1/*", "/api/v1/me", "/x"}) router.Add(At(pattern));
  const struct {
    const char* path;
    const char* pattern;
  } cases[] = {
      {"/api/v1/me", "/api/v1/me"},
      {"/api/v1/me/", "/api/v1/*"},
      {"/api/v1/", "/api/v1/*"},
      {"/api/v1", "/api/*"},
      {"/api/", "/api/*"},
      {"/api", ""},
      {"/x", "/x"},
      {"/x/", ""},
      {"", ""},
  };
  for (const auto& c : cases) {
    const Route* route = router.Find(c.path);
    EXPECT_EQ(route == nullptr ? "" : route->pattern, c.pattern) << c.path;
  }
}

}  // namespace
}  // namespace fairlead::dataplane
