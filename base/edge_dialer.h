// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How control gets a connection to an edge on another host. Control may not know the data plane, so
// the gateway implements this, and server_main.cc brings the two together.
#ifndef FAIRLEAD_BASE_EDGE_DIALER_H_
#define FAIRLEAD_BASE_EDGE_DIALER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace fairlead {

// One connection that is wanted.
struct EdgeDialRequest {
  // The identifier that the edge's certificate must bear: urn:fairlead:icg:<icg_id>.
  std::string icg_id;
  // "grpcs://host:port" (gRPC over HTTP/2) or "wss://host:port" (a WebSocket).
  std::string address;
  // "http://host:port" of a proxy that is asked to CONNECT; empty for none.
  std::string proxy;
  // What we show, PEM: a certificate with the server role, and its key.
  std::string certificate_chain_pem;
  std::string private_key_pem;
  // The CA that signed the edge's certificate, PEM.
  std::string ca_pem;
  // SHA-256 fingerprints of certificates that the edge must not show, 32 bytes each.
  std::vector<std::string> revoked_fingerprints;
};

// Thread: any. Lifetime: must outlive the channels that it made.
class EdgeDialer {
 public:
  // Called once, on a thread of the dialer's. The channel is one connection and serves EdgeService:
  // calls after its loss fail with UNAVAILABLE; dial again. Dropping it ends the connection; the
  // last reference must not be dropped on a gRPC callback thread.
  // Errors: those of dataplane::DialTls; PERMISSION_DENIED the peer is not that ICG.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<grpc::Channel>>)>;

  virtual ~EdgeDialer() = default;

  // Takes 15 s at most.
  virtual void Dial(EdgeDialRequest request, Done done) = 0;
};

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_EDGE_DIALER_H_
