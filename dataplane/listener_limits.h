// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The limits within which a listener and its connections work.
#ifndef FAIRLEAD_DATAPLANE_LISTENER_LIMITS_H_
#define FAIRLEAD_DATAPLANE_LISTENER_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace fairlead::dataplane {

// Limits of a listener; the defaults are the product's.
struct ListenerLimits {
  absl::Duration handshake_timeout = absl::Seconds(10);
  absl::Duration head_timeout = absl::Seconds(10);
  // From the head's end to the body's. A response may pause for so long.
  absl::Duration body_timeout = absl::Seconds(30);
  // Between requests of a kept-alive connection.
  absl::Duration idle_timeout = absl::Seconds(60);
  std::size_t max_head_bytes = 16 * 1024;
  // Connections that have not shown a certificate, a ticket or a token yet: in all, per address.
  std::size_t max_unauthenticated = 4096;
  std::size_t max_unauthenticated_per_host = 256;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_LISTENER_LIMITS_H_
