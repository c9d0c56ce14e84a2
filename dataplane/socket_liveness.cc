// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/socket_liveness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fairlead::dataplane {
namespace {

// The kernel probes a peer that is silent for 15 s every 5 s, three times. TCP_USER_TIMEOUT would
// watch what is on its way too, but also ends connections whose peer is alive and reads nothing.
constexpr int kProbeAfterSeconds = 15;
constexpr int kProbeEverySeconds = 5;
constexpr int kProbes = 3;

// Sent again so often, it is not just late.
constexpr int kTries = 2;
// An answer to what was sent last may still be on its way for so long.
constexpr absl::Duration kRoundTrip = absl::Seconds(1);

template <class T>
void SetOption(int descriptor, int level, int name, T value) {
  ::setsockopt(descriptor, level, name, &value, sizeof(value));
}

}  // namespace

void ProbeIdlePeer(int descriptor) {
  SetOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kProbeEverySeconds);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

bool PeerAnswers(int descriptor, absl::Duration silence) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  if (info.tcpi_state == TCP_CLOSE) return false;
  const absl::Duration heard = absl::Milliseconds(info.tcpi_last_ack_recv);
  const absl::Duration sent = absl::Milliseconds(info.tcpi_last_data_sent);
  // Whoever has no room answers what is sent again too, without acknowledging it.
  const bool unacknowledged = info.tcpi_retransmits >= kTries && sent >= kRoundTrip && heard > sent;
  return heard < silence || !(unacknowledged || info.tcpi_probes >= kTries);
}

}  // namespace fairlead::dataplane
