// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/send_queue.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fairlead::dataplane {
namespace {

// As much as one write seals, so that the network never waits for us. A bound for all that is not
// acknowledged (SO_SNDBUF) would spare a slow reader little more, and slow a long way down.
constexpr int kNotSentBytes = 64 * 1024;

}  // namespace

void SetSendQueue(int descriptor, SendQueue queue) {
  if (queue == SendQueue::kSystems) return;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentBytes, sizeof(kNotSentBytes));
}

}  // namespace fairlead::dataplane
