// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// REST to gRPC: each request below /api/v1 becomes a unary call of the method whose HTTP rule it
// fits. Generic over descriptors; knows no message by name. Used by the server's main.
#ifndef FAIRLEAD_GATEWAY_REST_ADAPTER_H_
#define FAIRLEAD_GATEWAY_REST_ADAPTER_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/http.h"
#include "gateway/async_call.h"
#include "gateway/rest_call.h"
#include "proto/http_rule.h"

namespace fairlead::gateway {

struct RestOptions {
  // Each call ends with 504 after this.
  absl::Duration call_timeout = absl::Seconds(30);
  // Further ones are answered with 429.
  std::size_t max_calls = 4096;
};

// Thread: any. Lifetime: `rules` must outlive it; the executors of Handle's callers too. Stop it
// before the gRPC server goes.
class RestAdapter {
 public:
  RestAdapter(const proto::HttpRules& rules, std::shared_ptr<grpc::Channel> channel,
              RestOptions options = {});

  // Answers one request.
  net::awaitable<dataplane::HttpResponse> Handle(dataplane::HttpRequest request);

  // Cancels what is in flight and waits for it. Idempotent.
  void Stop() { calls_.Stop(); }

 private:
  const proto::HttpRules& rules_;
  const RestOptions options_;
  AsyncCalls calls_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_REST_ADAPTER_H_
