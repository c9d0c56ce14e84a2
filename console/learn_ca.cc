// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See learn_ca.h.
#include "console/learn_ca.h"

#include <utility>

#include "base/status.h"
#include "console/run.h"
#include "dataplane/certs_only.h"
#include "dataplane/client.h"

namespace fairlead::console {

absl::StatusOr<std::string> LearnCa(const ServerAddress& server) {
  FAIRLEAD_ASSIGN_OR_RETURN(dataplane::Endpoint endpoint, dataplane::ParseUrl(server.url));
  endpoint.target = "/device-connector/device/.well-known/est/cacerts";
  dataplane::DialOptions options;
  options.proxy = server.proxy;
  FAIRLEAD_ASSIGN_OR_RETURN(
      options.tls, dataplane::TlsClientContext::Create(server.trust, nullptr, {"http/1.1"}));
  dataplane::HttpRequest request;
  request.method = "GET";
  FAIRLEAD_ASSIGN_OR_RETURN(
      const dataplane::HttpResponse response,
      Run(dataplane::Fetch(endpoint, options, std::move(request), server.call_timeout)));
  FAIRLEAD_RETURN_IF_ERROR(dataplane::StatusFromResponse(response));
  return dataplane::ParseCertsOnly(response.body);
}

}  // namespace fairlead::console
