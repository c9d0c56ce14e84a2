// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See stream_peer.h.
#include "dataplane/stream_peer.h"

#include "absl/strings/str_cat.h"

namespace fairlead::dataplane {

PeerInfo PeerOf(const net::ip::tcp::socket& socket) {
  error_code error;
  const net::ip::tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (!error) return PeerAt(endpoint);
  PeerInfo peer;
  peer.address = peer.host = "unknown";
  return peer;
}

PeerInfo PeerAt(const net::ip::tcp::endpoint& endpoint) {
  PeerInfo peer;
  peer.host = endpoint.address().to_string();
  peer.address = endpoint.address().is_v6() ? absl::StrCat("[", peer.host, "]:", endpoint.port())
                                            : absl::StrCat(peer.host, ":", endpoint.port());
  return peer;
}

}  // namespace fairlead::dataplane
