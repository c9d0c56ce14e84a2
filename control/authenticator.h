// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Finds out who calls from the bearer token in the call's metadata, and from where. Used by every
// service through CallSupport.
#ifndef FAIRLEAD_CONTROL_AUTHENTICATOR_H_
#define FAIRLEAD_CONTROL_AUTHENTICATOR_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/call_peer.h"
#include "base/clock.h"
#include "control/call.h"
#include "control/store.h"

namespace fairlead::control {

struct TokenOptions {
  // A token expires when it was not used for this long. Default 30 minutes.
  absl::Duration idle_timeout = absl::Minutes(30);
  // The new expiry is written at most this often, or ten times in idle_timeout if that is more
  // often, so that a token may live this much shorter.
  absl::Duration write_back_interval = absl::Minutes(1);
};

// Keeps nothing in memory: a revoked token is refused from the next call on.
// Thread: any that may block on the store. Lifetime: all parameters outlive it.
class TokenAuthenticator : public Authenticator {
 public:
  // `peers` may be null: then calls that are not in-process have no address.
  TokenAuthenticator(Store& store, const Clock& clock, const CallPeerResolver* peers,
                     TokenOptions options = TokenOptions());

  absl::StatusOr<Caller> Authenticate(const grpc::CallbackServerContext& context) const override;
  Caller Anonymous(const grpc::CallbackServerContext& context) const override;

  // Who holds `token`. Moves its expiry on.
  // Errors: UNAUTHENTICATED (TOKEN_INVALID) it is unknown, expired, revoked, or its user disabled.
  absl::StatusOr<Caller> CheckToken(absl::string_view token) const;

  // The expiry of a token that is used now.
  absl::Time NextExpiry() const { return clock_.Now() + options_.idle_timeout; }

 private:
  std::string PeerAddress(const grpc::CallbackServerContext& context) const;
  // Errors: UNAUTHENTICATED it was revoked meanwhile. A store that takes no write is none: then the
  // token keeps the expiry that it has.
  absl::Status MoveExpiry(TokenRecord* token) const;
  // Logs that an expiry could not be written, at most once a minute.
  void WarnOfStore(const absl::Status& status) const;

  Store& store_;
  const Clock& clock_;
  const CallPeerResolver* const peers_;
  const TokenOptions options_;
  // The minute, by the monotonic clock, of the last warning.
  mutable std::atomic<std::int64_t> warned_minute_{-1};
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_AUTHENTICATOR_H_
