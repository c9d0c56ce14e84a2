// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Turns an HTTP request into a method's request message and back, after the method's HTTP rule:
// path variables, query parameters, JSON body. Pure. Used by the gateway's REST and WebSocket
// adapters and by the console's REST client.
#ifndef FAIRLEAD_PROTO_HTTP_TRANSCODE_H_
#define FAIRLEAD_PROTO_HTTP_TRANSCODE_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/http_rule.h"

namespace fairlead::proto {

// A call in HTTP's words.
struct RestRequest {
  // "GET" and so on.
  std::string verb;
  // Percent-encoded, without query.
  std::string path;
  // Percent-encoded, without '?'; may be empty.
  std::string query;
  // JSON; empty if the method takes no body.
  std::string body;
};

// Puts what `message` says into path, query and body.
// Errors: INVALID_ARGUMENT a field that the path needs is empty or has not the path's form, or a
// set field fits neither path, query nor body.
absl::StatusOr<RestRequest> BuildRestRequest(const HttpBinding& binding,
                                             const google::protobuf::Message& message);

// Fills `message`, which must be empty, from a request that HttpRules::Find found.
// Errors: INVALID_ARGUMENT malformed JSON, an unknown field or parameter, a value of the wrong
// type, or a body that contradicts the path: one sentence that names the field.
absl::Status FillFromRest(const HttpBinding& binding, const std::vector<std::string>& path_values,
                          absl::string_view query, absl::string_view body,
                          google::protobuf::Message* message);

// Parses proto3 JSON strictly into `message`.
// Errors: INVALID_ARGUMENT malformed JSON, an unknown field, a value of the wrong type.
absl::Status FromJson(absl::string_view json, google::protobuf::Message* message);

// proto3 JSON with plain fields printed even at their default, camelCase.
// Errors: INTERNAL the message cannot be printed (an Any of an unknown type).
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

}  // namespace fairlead::proto

#endif  // FAIRLEAD_PROTO_HTTP_TRANSCODE_H_
