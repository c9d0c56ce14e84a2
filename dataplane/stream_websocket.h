// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TLS byte stream in the guise of a WebSocket: what an OS 11 device's terminal speaks on a
// connection that was dialled to it. Used by the agent.
#ifndef FAIRLEAD_DATAPLANE_STREAM_WEBSOCKET_H_
#define FAIRLEAD_DATAPLANE_STREAM_WEBSOCKET_H_

#include <memory>

#include "absl/time/time.h"
#include "dataplane/peer.h"
#include "dataplane/websocket.h"

namespace fairlead::dataplane {

class TlsStream;

// How such a WebSocket tells that its peer is gone; the defaults are the product's.
struct StreamWebSocketOptions {
  // How often the kernel is asked whether the peer is alive.
  absl::Duration check_interval = absl::Seconds(20);
  // How long Close waits for the peer's end.
  absl::Duration close_timeout = absl::Seconds(2);
};

// Reads give binary chunks; the peer's end of stream, with or without a close_notify, is a close
// with 1000, a reset or a forged record one with 1006. Binary frames go out as their bytes, text
// frames nowhere. Close sends close_notify. There being no ping, the kernel
// probes an idle peer, and one that does not acknowledge what it is sent is lost within some 50 s.
//
// `stream` has shaken hands and has no operation pending.
// Thread: the stream's executor. Lifetime: as WebSocket.
std::unique_ptr<WebSocket> MakeStreamWebSocket(
    std::unique_ptr<TlsStream> stream, PeerInfo peer,
    StreamWebSocketOptions options = StreamWebSocketOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_STREAM_WEBSOCKET_H_
