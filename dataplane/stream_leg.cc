// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See stream_leg.h.
#include "dataplane/stream_leg.h"

#include <sys/socket.h>

#include <utility>

#include "dataplane/leg_transport.h"
#include "dataplane/socket_liveness.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

// What is asked of the kernel, which takes twice as much memory, for what a device has sent and is
// not read yet. By itself it would grow to megabytes, and with nothing being acknowledged a key of
// a slow Console would wait behind them. So much on its way still makes up to 2.5 MB/s over a link
// with a round trip of 100 ms. (A leg whose Console acknowledges has little on its way anyway, and
// in bulk a bound would cost a tenth of the relay's CPU.)
constexpr int kReceiveBufferBytes = 128 * 1024;

void BoundReceiveBuffer(int descriptor) {
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes,
               sizeof(kReceiveBufferBytes));
}

}  // namespace

std::unique_ptr<TunnelLeg> MakeStreamLeg(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                         StreamLegOptions options) {
  SetLiveness(stream->socket().native_handle());
  BoundReceiveBuffer(stream->socket().native_handle());
  TunnelLegOptions leg;
  leg.framing = Framing::kStream;
  leg.keep_alive.write_timeout = options.write_timeout;
  leg.keep_alive.close_timeout = options.close_timeout;
  return std::make_unique<TunnelLeg>(MakeTlsTransport(std::move(stream)), std::move(peer), leg);
}

}  // namespace fairlead::dataplane
