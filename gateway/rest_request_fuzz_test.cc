// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Fuzzes the pure part of the REST adapter. An input is a method, a path, a query and a body, one a
// line. What is accepted must survive the way back to HTTP: the same path names the same method.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gateway/rest_call.h"
#include "proto/http_transcode.h"
#include "proto/rest_services.h"

namespace {

using fairlead::gateway::RestCall;
using fairlead::proto::HttpRules;

void Require(bool condition) {
  if (!condition) std::abort();
}

const HttpRules& Rules() {
  static const auto* const rules =
      new HttpRules(*HttpRules::Create(fairlead::proto::RestServices()));
  return *rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> parts = absl::StrSplit(input, absl::MaxSplits('\n', 3));
  fairlead::dataplane::HttpRequest request;
  request.method = parts[0];
  if (parts.size() > 1) request.path = parts[1];
  if (parts.size() > 2) request.query = parts[2];
  if (parts.size() > 3) request.body = parts[3];
  request.headers = {{"Content-Type", "application/json"}, {"Authorization", request.query}};

  auto metadata = fairlead::gateway::MetadataFor(request);
  if (metadata.ok() && !metadata->empty()) {
    for (const char c : metadata->front().second) Require(c >= 0x20 && c < 0x7f);
  }
  auto prepared = fairlead::gateway::PrepareRestCall(Rules(), request);
  if (auto* response = absl::get_if<fairlead::dataplane::HttpResponse>(&prepared)) {
    Require(response->status >= 400 && response->status < 500 && !response->body.empty());
    return 0;
  }
  const RestCall& call = absl::get<RestCall>(prepared);
  const auto* binding = Rules().FindMethod(call.method);
  const auto built = fairlead::proto::BuildRestRequest(*binding, *call.request);
  // A segment of dots can be received, but is not sent.
  if (!built.ok()) return 0;
  const auto found = Rules().Find(built->verb, built->path);
  Require(found.binding == binding);
  return 0;
}
