// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The address of a socket's other end in the form that PeerInfo has. Used by the listener and by
// clients.
#ifndef FAIRLEAD_DATAPLANE_STREAM_PEER_H_
#define FAIRLEAD_DATAPLANE_STREAM_PEER_H_

#include <boost/asio/ip/tcp.hpp>

#include "dataplane/asio.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

// Address and host of the other end of `socket`; "unknown" if it is gone.
PeerInfo PeerOf(const net::ip::tcp::socket& socket);
PeerInfo PeerAt(const net::ip::tcp::endpoint& endpoint);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_STREAM_PEER_H_
