// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A REST client for tests: plain JSON in and out, independent of our protos, as a stranger's script
// would be.
#ifndef FAIRLEAD_TESTS_SUPPORT_API_H_
#define FAIRLEAD_TESTS_SUPPORT_API_H_

#include <memory>
#include <string>

#include "dataplane/client.h"
#include "nlohmann/json.hpp"

namespace fairlead::tests {

// An answer.
struct Reply {
  int status = 0;
  // A string if it is not JSON.
  nlohmann::json body;
  dataplane::HttpHeaders headers;
};

// Thread: one.
class Api {
 public:
  // `url` is "https://localhost:port"; `ca_pem` verifies the server.
  Api(std::string url, const std::string& ca_pem);

  // Sends with the bearer token, if there is one. Status 0 with a body {"error": ...} when the
  // connection fails.
  Reply Call(const std::string& method, const std::string& path,
             const nlohmann::json& body = nlohmann::json());

  // Logs in and keeps the token. True on success.
  bool Login(const std::string& username, const std::string& password);

  void set_token(std::string token) { token_ = std::move(token); }
  const std::string& token() const { return token_; }
  const std::string& url() const { return url_; }
  const std::shared_ptr<dataplane::TlsClientContext>& tls() const { return tls_; }

 private:
  const std::string url_;
  std::shared_ptr<dataplane::TlsClientContext> tls_;
  std::string token_;
};

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_API_H_
