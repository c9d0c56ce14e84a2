// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Who is behind a gRPC call: what control needs of the gateway, and nothing more. gRPC runs on a
// socketpair behind our TLS, so that ServerContext::peer() is "fd:N", or in-process; the gateway,
// which made the socketpair, resolves it.
#ifndef FAIRLEAD_BASE_CALL_PEER_H_
#define FAIRLEAD_BASE_CALL_PEER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace fairlead {

// Metadata with which the in-process adapters name the network address that they act for. It is
// believed on in-process calls alone.
inline constexpr char kPeerAddressMetadata[] = "x-fairlead-peer-address";

// The TLS client behind a call.
struct CallPeer {
  // "192.0.2.1:4711".
  std::string address;
  // URIs of the verified client certificate, for example "urn:fairlead:server:ums"; empty if none.
  std::vector<std::string> certificate_uris;
};

// Thread: any.
class CallPeerResolver {
 public:
  virtual ~CallPeerResolver() = default;

  // The connection behind `grpc_peer` ("fd:N"); nothing if there is none (any more).
  virtual absl::optional<CallPeer> Resolve(absl::string_view grpc_peer) const = 0;
};

// Whether `grpc_peer` is a call from this very process. gRPC 1.51 names the peer of an in-process
// channel "unknown", later versions "inproc"; a connection behind our TLS is always "fd:N", set
// before its first handler runs, and our servers listen on nothing else.
inline bool IsInProcess(absl::string_view grpc_peer) {
  return grpc_peer == "unknown" || grpc_peer.substr(0, 6) == "inproc";
}

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_CALL_PEER_H_
