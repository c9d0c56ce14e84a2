// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the kernel knows of a TCP connection's peer: whether it is alive. Asked where the protocol
// above has no ping (OS 11's streams), and where a ping would tell nothing, since the peer reads
// nothing for now.
#ifndef FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_
#define FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_

#include "absl/time/time.h"

namespace fairlead::dataplane {

// How long a peer may leave what it was sent unacknowledged.
inline constexpr absl::Duration kPeerSilence = absl::Seconds(30);

// From now on the kernel probes the idle peer of a TCP connection, and gives up one that does not
// answer after some 30 s. It does not look at one to which something is on its way: ask
// PeerAnswers.
void ProbeIdlePeer(int descriptor);

// Whether the peer acknowledges what it is sent; a probe of its closed window is answered too, so
// that one who is alive and reads nothing is told from one who is gone. False if it was sent
// something more than once and nothing came from it for `silence`. A peer that went after its
// window had been closed for long is probed rarely, and noticed within minutes.
bool PeerAnswers(int descriptor, absl::Duration silence = kPeerSilence);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_
