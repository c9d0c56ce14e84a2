// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// ApiClient over REST: the method's HTTP rule says where its request goes. See api_client.h.
#include <google/protobuf/util/json_util.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "console/api_client.h"
#include "console/run.h"
#include "dataplane/client.h"
#include "proto/error.pb.h"
#include "proto/http_rule.h"
#include "proto/http_transcode.h"
#include "proto/rest_services.h"

namespace fairlead::console {
namespace {

using google::protobuf::Message;

// Reads JSON of a server that may be newer than this console.
absl::Status ParseReply(const std::string& json, Message* message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(json, message, options);
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "the server's answer is not what this console expects: ", std::string(status.message()),
      "; are both of the same version?"));
}

absl::Status ErrorFrom(const dataplane::HttpResponse& response) {
  v1::Status error;
  if (!ParseReply(response.body, &error).ok() || error.code() == 0) {
    return absl::UnavailableError(
        absl::StrCat("the server answered with HTTP status ", response.status,
                     " and no explanation; is there a proxy between that speaks for it?"));
  }
  return absl::Status(static_cast<absl::StatusCode>(error.code()), error.message());
}

class RestClient : public ApiClient {
 public:
  RestClient(dataplane::Endpoint endpoint, dataplane::DialOptions options, absl::Duration timeout,
             proto::HttpRules rules)
      : ApiClient(timeout),
        endpoint_(std::move(endpoint)),
        options_(std::move(options)),
        rules_(std::move(rules)) {}

  absl::Status CallWithin(absl::Duration timeout, absl::string_view method, absl::string_view token,
                          const Message& request, Message* response) override {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(std::string(method));
    const proto::HttpBinding* binding =
        descriptor == nullptr ? nullptr : rules_.FindMethod(descriptor);
    if (binding == nullptr) {
      return absl::UnimplementedError(absl::StrCat(method, " has no REST form; use --grpc"));
    }
    FAIRLEAD_ASSIGN_OR_RETURN(const proto::RestRequest rest,
                              proto::BuildRestRequest(*binding, request));
    FAIRLEAD_ASSIGN_OR_RETURN(const dataplane::HttpResponse answer, Send(rest, token, timeout));
    if (answer.status != 200) return ErrorFrom(answer);
    return ParseReply(answer.body, response);
  }

 private:
  absl::StatusOr<dataplane::HttpResponse> Send(const proto::RestRequest& rest,
                                               absl::string_view token, absl::Duration timeout) {
    dataplane::Endpoint endpoint = endpoint_;
    endpoint.target = rest.query.empty() ? rest.path : absl::StrCat(rest.path, "?", rest.query);
    dataplane::HttpRequest request;
    request.method = rest.verb;
    if (!token.empty()) {
      request.headers.emplace_back("Authorization", absl::StrCat("Bearer ", token));
    }
    if (!rest.body.empty()) {
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = rest.body;
    }
    return Run(dataplane::Fetch(endpoint, options_, std::move(request), timeout));
  }

  const dataplane::Endpoint endpoint_;
  const dataplane::DialOptions options_;
  const proto::HttpRules rules_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ApiClient>> NewRestClient(const ServerAddress& server) {
  FAIRLEAD_ASSIGN_OR_RETURN(dataplane::Endpoint endpoint, dataplane::ParseUrl(server.url));
  dataplane::DialOptions options;
  options.proxy = server.proxy;
  FAIRLEAD_ASSIGN_OR_RETURN(
      options.tls, dataplane::TlsClientContext::Create(server.trust, nullptr, {"http/1.1"}));
  FAIRLEAD_ASSIGN_OR_RETURN(proto::HttpRules rules,
                            proto::HttpRules::Create(proto::RestServices()));
  return std::make_unique<RestClient>(std::move(endpoint), std::move(options), server.call_timeout,
                                      std::move(rules));
}

}  // namespace fairlead::console
