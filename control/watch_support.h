// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Ends a watch when its caller's token is no longer good. Used by the services that stream.
#ifndef FAIRLEAD_CONTROL_WATCH_SUPPORT_H_
#define FAIRLEAD_CONTROL_WATCH_SUPPORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/executor.h"
#include "control/store.h"

namespace fairlead::control {

// What streaming services share besides CallSupport. Lifetime: all of it outlives every service.
struct WatchSupport {
  Store& store;
  const Clock& clock;
  // How often a watch's token is looked at.
  absl::Duration token_check_interval = absl::Seconds(15);
};

// Whether a token is still good. Looking is not using: it does not move the expiry on.
// Errors: UNAUTHENTICATED it was revoked or has expired. Blocks.
inline absl::Status CheckTokenStillGood(const WatchSupport& support,
                                        const std::string& token_sha256) {
  const absl::StatusOr<TokenRecord> token = support.store.GetToken(token_sha256);
  if (token.ok() && token->expire_time > support.clock.Now()) return absl::OkStatus();
  // A store that fails says nothing about the token.
  if (!token.ok() && token.status().code() != absl::StatusCode::kNotFound) return absl::OkStatus();
  return absl::UnauthenticatedError("the token has expired or was revoked; log in again");
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_WATCH_SUPPORT_H_
