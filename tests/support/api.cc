// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See api.h.
#include "tests/support/api.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "tests/support/blocking.h"

namespace fairlead::tests {

using dataplane::DialOptions;
using dataplane::HttpRequest;

Api::Api(std::string url, const std::string& ca_pem) : url_(std::move(url)) {
  dataplane::TlsTrust trust;
  trust.ca_pem = ca_pem;
  auto tls = dataplane::TlsClientContext::Create(trust, nullptr, {"http/1.1"});
  if (!tls.ok()) {
    std::fprintf(stderr, "%s\n", tls.status().ToString().c_str());
    std::abort();
  }
  tls_ = *std::move(tls);
}

Reply Api::Call(const std::string& method, const std::string& path, const nlohmann::json& body) {
  const auto endpoint = dataplane::ParseUrl(absl::StrCat(url_, path));
  if (!endpoint.ok()) return {0, {{"error", std::string(endpoint.status().message())}}, {}};
  HttpRequest request;
  request.method = method;
  if (!token_.empty())
    request.headers.emplace_back("Authorization", absl::StrCat("Bearer ", token_));
  if (!body.is_null()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body.dump();
  }
  DialOptions options;
  options.tls = tls_;
  const auto response =
      Block(dataplane::Fetch(*endpoint, options, std::move(request), absl::Seconds(60)));
  if (!response.ok()) return {0, {{"error", std::string(response.status().message())}}, {}};
  Reply reply{response->status, nlohmann::json::parse(response->body, nullptr, false),
              response->headers};
  if (reply.body.is_discarded()) reply.body = response->body;
  return reply;
}

bool Api::Login(const std::string& username, const std::string& password) {
  token_.clear();
  const Reply reply =
      Call("POST", "/api/v1/login", {{"username", username}, {"password", password}});
  if (reply.status != 200) return false;
  token_ = reply.body.value("accessToken", "");
  return !token_.empty();
}

}  // namespace fairlead::tests
