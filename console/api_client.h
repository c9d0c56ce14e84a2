// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How the console's commands call the server: by method and message, over REST or over gRPC. One
// implementation each; both are driven by the services' descriptors and know no message by name.
#ifndef FAIRLEAD_CONSOLE_API_CLIENT_H_
#define FAIRLEAD_CONSOLE_API_CLIENT_H_

#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/tls_context.h"

namespace fairlead::console {

// A call waits at most this long, unless it is told otherwise.
inline constexpr absl::Duration kCallTimeout = absl::Seconds(30);

// Where the server is, how it is reached and how it is trusted.
struct ServerAddress {
  // "https://host:port".
  std::string url;
  // With a fingerprint, the CA beside it is for what else the server names: tunnels at ICGs.
  dataplane::TlsTrust trust;
  // "http://host:port" of a proxy for every connection; empty for none.
  std::string proxy = {};
  absl::Duration call_timeout = kCallTimeout;
};

// Thread: one.
class ApiClient {
 public:
  virtual ~ApiClient() = default;

  // CallWithin the time that the client was made with.
  absl::Status Call(absl::string_view method, absl::string_view token,
                    const google::protobuf::Message& request, google::protobuf::Message* response) {
    return CallWithin(call_timeout_, method, token, request, response);
  }

  // Calls a unary method, for example "fairlead.v1.DeviceService.ListDevices". `token` may be
  // empty. Errors: what the server answered; FAILED_PRECONDITION (TLS_UNTRUSTED) the server's
  // certificate is not trusted; UNAVAILABLE or NOT_FOUND it cannot be reached.
  virtual absl::Status CallWithin(absl::Duration timeout, absl::string_view method,
                                  absl::string_view token, const google::protobuf::Message& request,
                                  google::protobuf::Message* response) = 0;

 protected:
  explicit ApiClient(absl::Duration call_timeout) : call_timeout_(call_timeout) {}

 private:
  const absl::Duration call_timeout_;
};

// Over REST, as a browser or curl would.
absl::StatusOr<std::unique_ptr<ApiClient>> NewRestClient(const ServerAddress& server);

// Over the typed gRPC services.
absl::StatusOr<std::unique_ptr<ApiClient>> NewGrpcClient(const ServerAddress& server);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_API_CLIENT_H_
