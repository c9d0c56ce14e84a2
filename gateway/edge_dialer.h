// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Dials ICGs for control: TLS with the server's certificate, through a proxy if need be, gRPC or a
// WebSocket on top, and whose certificate answers. Composed by the server's main.
#ifndef FAIRLEAD_GATEWAY_EDGE_DIALER_H_
#define FAIRLEAD_GATEWAY_EDGE_DIALER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/edge_dialer.h"
#include "dataplane/endpoint.h"
#include "dataplane/io_threads.h"

namespace fairlead::gateway {

// Where an ICG is dialled, and how the link is spoken there.
struct LinkAddress {
  enum class Form { kGrpc, kWebSocket };
  Form form = Form::kGrpc;
  dataplane::Endpoint endpoint;
};

// Reads "grpcs://host:port" or "wss://host:port".
// Errors: INVALID_ARGUMENT it is neither; says what is wrong with it.
absl::StatusOr<LinkAddress> ParseLinkAddress(absl::string_view address);

// Has a thread of its own, on which the connections live.
// Thread: any. Lifetime: must outlive the channels that it made.
class LinkDialer : public EdgeDialer {
 public:
  LinkDialer() : threads_(1) {}

  void Dial(EdgeDialRequest request, Done done) override;

 private:
  dataplane::IoThreads threads_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_DIALER_H_
