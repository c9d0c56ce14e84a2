// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A TLS byte stream as a leg of the relay: what an OS 11 device speaks on the connection that was
// dialled to it.
#ifndef FAIRLEAD_DATAPLANE_STREAM_LEG_H_
#define FAIRLEAD_DATAPLANE_STREAM_LEG_H_

#include <memory>

#include "absl/time/time.h"
#include "dataplane/peer.h"
#include "dataplane/tunnel_leg.h"

namespace fairlead::dataplane {

class TlsStream;

// How a stream leg tells that its peer is gone; the defaults are the product's.
struct StreamLegOptions {
  // How often the kernel is asked whether a silent peer is alive.
  absl::Duration check_interval = absl::Seconds(20);
  // After how long of a write without progress, likewise.
  absl::Duration write_timeout = absl::Seconds(40);
  // How long Close waits for the peer's end.
  absl::Duration close_timeout = absl::Seconds(2);
};

// A leg whose framing is Framing::kStream. The peer's end of stream, with or without a
// close_notify, is a close with 1000, a reset or a forged record one with 1006. There being no
// ping, the kernel probes an idle peer, and one that does not acknowledge is lost within 40 s.
//
// `stream` has shaken hands and has no operation pending.
// Thread: the stream's executor.
std::unique_ptr<TunnelLeg> MakeStreamLeg(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                                         StreamLegOptions options = StreamLegOptions());

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_STREAM_LEG_H_
