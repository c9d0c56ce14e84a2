// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See stream_leg.h.
#include "dataplane/stream_leg.h"

#include <utility>

#include "dataplane/leg_transport.h"
#include "dataplane/socket_liveness.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {

std::unique_ptr<TunnelLeg> MakeStreamLeg(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                         StreamLegOptions options) {
  ProbeIdlePeer(stream->socket().native_handle());
  TunnelLegOptions leg;
  leg.framing = Framing::kStream;
  leg.keep_alive.write_timeout = options.write_timeout;
  leg.keep_alive.ping_interval = options.check_interval;
  leg.keep_alive.close_timeout = options.close_timeout;
  return std::make_unique<TunnelLeg>(MakeTlsTransport(std::move(stream)), std::move(peer), leg);
}

}  // namespace fairlead::dataplane
