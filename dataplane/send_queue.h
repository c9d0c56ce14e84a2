// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Has the kernel hold little of what is sent to somebody who watches it: the echo of his key and
// the end of what he interrupts wait behind that; and a slow peer slows its sender instead of
// filling the kernel. Used for whatever a server accepts, and for an agent's tunnels of either
// generation.
#ifndef FAIRLEAD_DATAPLANE_SEND_QUEUE_H_
#define FAIRLEAD_DATAPLANE_SEND_QUEUE_H_

namespace fairlead::dataplane {

// How much of what was written to a TCP connection the kernel may hold.
enum class SendQueue {
  // As much as it finds right, which may be megabytes.
  kSystems,
  // Some 64 KiB that were not sent yet, beside what is on its way. No slower for that, however long
  // the way is.
  kShort,
};

// Does nothing for kSystems, nor where the kernel knows no such bound.
void SetSendQueue(int descriptor, SendQueue queue);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_SEND_QUEUE_H_
