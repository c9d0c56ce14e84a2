// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Serves one HTTP/1.1 connection: reads requests, routes them, writes responses, and hands
// WebSocket handshakes to the routes that take them. Used by the listener.
#ifndef FAIRLEAD_DATAPLANE_HTTP_CONNECTION_H_
#define FAIRLEAD_DATAPLANE_HTTP_CONNECTION_H_

#include <memory>

#include "dataplane/asio.h"
#include "dataplane/listener_limits.h"
#include "dataplane/peer.h"
#include "dataplane/router.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {

// Serves until either side ends the connection, or an upgrade handler has returned.
//
// A request that cannot be served is answered with a JSON error; the connection is kept wherever
// the end of the request is certain. Pipelined requests are answered in order.
//
// Thread: the stream's executor's. Lifetime: `router` must outlive it.
net::awaitable<void> ServeHttp(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                               const Router& router, ListenerLimits limits);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_HTTP_CONNECTION_H_
