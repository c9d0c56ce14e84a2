// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/socket_liveness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fairlead::dataplane {
namespace {

// The kernel probes a peer that is silent for 15 s every 5 s, and gives it up when a probe or data
// has not been acknowledged for 35 s. The last number decides; the three before it make 30 s where
// it is not known.
constexpr int kProbeAfterSeconds = 15;
constexpr int kProbeEverySeconds = 5;
constexpr int kProbes = 3;
constexpr unsigned kGiveUpMilliseconds = 35'000;

template <class T>
void SetOption(int descriptor, int level, int name, T value) {
  ::setsockopt(descriptor, level, name, &value, sizeof(value));
}

}  // namespace

void SetLiveness(int descriptor) {
  SetOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kProbeEverySeconds);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  SetOption(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, kGiveUpMilliseconds);
}

}  // namespace fairlead::dataplane
