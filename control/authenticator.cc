// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See authenticator.h.
#include "control/authenticator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr std::size_t kMaxTokenBytes = 256;

absl::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

absl::Status TokenMissing() {
  return ErrorWithReason(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                         "This call needs a token: log in, and send it as 'authorization: Bearer "
                         "<access token>'.");
}

absl::Status TokenInvalid() {
  return ErrorWithReason(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID",
                         "The access token is unknown, expired or revoked; log in again.");
}

// The token in the call's only authorization entry.
absl::StatusOr<absl::string_view> BearerToken(const grpc::CallbackServerContext& context) {
  const auto range = context.client_metadata().equal_range(kAuthorization);
  if (range.first == range.second) return TokenMissing();
  if (std::next(range.first) != range.second) {
    return absl::UnauthenticatedError("The call has more than one 'authorization'; send one.");
  }
  absl::string_view value = View(range.first->second);
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(value, kScheme)) return TokenMissing();
  value = absl::StripAsciiWhitespace(value.substr(kScheme.size()));
  if (value.empty() || value.size() > kMaxTokenBytes) return TokenInvalid();
  return value;
}

}  // namespace

TokenAuthenticator::TokenAuthenticator(Store& store, const Clock& clock,
                                       const CallPeerResolver* peers, TokenOptions options)
    : store_(store), clock_(clock), peers_(peers), options_(options) {}

absl::StatusOr<Caller> TokenAuthenticator::Authenticate(
    const grpc::CallbackServerContext& context) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const absl::string_view token, BearerToken(context));
  FAIRLEAD_ASSIGN_OR_RETURN(Caller caller, CheckToken(token));
  caller.peer_address = PeerAddress(context);
  return caller;
}

Caller TokenAuthenticator::Anonymous(const grpc::CallbackServerContext& context) const {
  Caller caller;
  caller.user = "anonymous";
  caller.peer_address = PeerAddress(context);
  return caller;
}

absl::StatusOr<Caller> TokenAuthenticator::CheckToken(absl::string_view token) const {
  const std::string hash = Sha256(token);
  absl::StatusOr<TokenRecord> record = store_.GetToken(hash);
  if (absl::IsNotFound(record.status())) return TokenInvalid();
  if (!record.ok()) return record.status();
  if (clock_.Now() >= record->expire_time) return TokenInvalid();
  absl::StatusOr<UserRecord> user = store_.GetUser(record->username);
  if (absl::IsNotFound(user.status())) return TokenInvalid();
  if (!user.ok()) return user.status();
  if (user->disabled) return TokenInvalid();
  FAIRLEAD_RETURN_IF_ERROR(MoveExpiry(&*record));
  Caller caller;
  caller.user = absl::StrCat("users/", user->username);
  caller.roles = std::move(user->roles);
  caller.token_sha256 = hash;
  caller.expire_time = record->expire_time;
  return caller;
}

absl::Status TokenAuthenticator::MoveExpiry(TokenRecord* token) const {
  const absl::Time next = NextExpiry();
  // A token of a minute must slide too.
  const absl::Duration interval =
      std::min(options_.write_back_interval, options_.idle_timeout / 10);
  if (next - token->expire_time < interval) return absl::OkStatus();
  TokenRecord moved = *token;
  moved.expire_time = next;
  // A token that was revoked meanwhile must not come back.
  const auto move = [&]() -> absl::Status {
    const absl::Status present = store_.GetToken(token->sha256).status();
    if (absl::IsNotFound(present)) return TokenInvalid();
    FAIRLEAD_RETURN_IF_ERROR(present);
    return store_.PutToken(moved);
  };
  const absl::Status status = store_.Transact(move);
  if (status.ok()) *token = moved;
  if (status.ok() || absl::IsUnauthenticated(status)) return status;
  // Who can still read must not be locked out by a disk that is full.
  WarnOfStore(status);
  return absl::OkStatus();
}

void TokenAuthenticator::WarnOfStore(const absl::Status& status) const {
  const std::int64_t minute = absl::ToInt64Minutes(clock_.Monotonic());
  if (warned_minute_.exchange(minute) == minute) return;
  spdlog::error("tokens: their expiry cannot be moved on: {}", Printable(status.message()));
}

std::string TokenAuthenticator::PeerAddress(const grpc::CallbackServerContext& context) const {
  const std::string peer = context.peer();
  if (IsInProcess(peer)) {
    const auto found = context.client_metadata().find(kPeerAddressMetadata);
    return found == context.client_metadata().end() ? std::string()
                                                    : std::string(View(found->second));
  }
  if (peers_ == nullptr) return std::string();
  const absl::optional<CallPeer> resolved = peers_->Resolve(peer);
  return resolved.has_value() ? resolved->address : std::string();
}

}  // namespace fairlead::control
