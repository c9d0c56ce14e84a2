// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// HTTP requests and responses as the router's handlers see them: plain values, without Beast.
#ifndef FAIRLEAD_DATAPLANE_HTTP_H_
#define FAIRLEAD_DATAPLANE_HTTP_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

// Header fields in the order received; names compare without case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first value of `name`, or an empty view.
absl::string_view FindHeader(const HttpHeaders& headers, absl::string_view name);

// A request. The body is complete when a request handler sees it, empty for an upgrade.
struct HttpRequest {
  // Upper case. Handlers see a HEAD as GET: the connection leaves out the body of the answer.
  std::string method;
  // The path of the target, still percent-encoded, without query.
  std::string path;
  // The query, without '?', still percent-encoded.
  std::string query;
  HttpHeaders headers;
  std::string body;
  PeerInfo peer;
};

// A response. Content-Length, Date, Server and Connection are added by the connection.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

// What an error response means to a client: the gRPC code and the message of a body as
// ErrorResponse makes it, otherwise the code that stands for the HTTP status and a sentence that
// names it. OK for a status below 400.
absl::Status StatusFromResponse(const HttpResponse& response);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_HTTP_H_
