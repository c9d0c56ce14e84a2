// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Any enrolment request that strangers may send: read within the limits, or refused. An input is
// "method content-type authorization", a line feed, and the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gateway/est_routes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using fairlead::gateway::ReadEstRequest;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = std::min(input.find('\n'), input.size());
  const std::vector<std::string> head =
      absl::StrSplit(input.substr(0, line_end), absl::MaxSplits(' ', 2));
  fairlead::dataplane::HttpRequest request;
  request.method = head[0];
  if (head.size() > 1) request.headers.emplace_back("Content-Type", head[1]);
  if (head.size() > 2) request.headers.emplace_back("Authorization", head[2]);
  if (line_end < input.size()) request.body = input.substr(line_end + 1);
  for (const auto operation :
       {fairlead::v1::EstRequest::CACERTS, fairlead::v1::EstRequest::SIMPLEENROLL,
        fairlead::v1::EstRequest::SIMPLEREENROLL}) {
    const auto est = ReadEstRequest(operation, request);
    if (!est.ok()) continue;
    // No certificate was shown, so nobody may renew.
    if (operation == fairlead::v1::EstRequest::SIMPLEREENROLL) std::abort();
    if (est->unit_id().size() > 128 || est->key().size() > 512) std::abort();
    if (operation == fairlead::v1::EstRequest::SIMPLEENROLL && est->key().empty()) std::abort();
    if (est->SerializeAsString().empty()) std::abort();
  }
  return 0;
}
