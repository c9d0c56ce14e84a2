// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Has the kernel find out that a peer is gone, where the protocol above has no ping. Used for OS
// 11's streams, at either end.
#ifndef FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_
#define FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_

namespace fairlead::dataplane {

// From now on the kernel probes the idle peer of a TCP connection, and gives up one that does not
// answer after some 35 s.
void SetLiveness(int descriptor);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SOCKET_LIVENESS_H_
