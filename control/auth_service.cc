// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See auth_service.h.
#include "control/auth_service.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/filter.h"
#include "control/proto_time.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr int kLoginThreads = 2;
// At some 20 ms each, the last in the queue waits less than a second.
constexpr std::size_t kMaxQueuedLogins = 64;
constexpr std::size_t kMaxUsernameCharacters = 64;
constexpr std::size_t kMaxPasswordBytes = 1024;

absl::Status CheckRequest(const v1::LoginRequest& request) {
  if (request.username().empty() || CountCharacters(request.username()) > kMaxUsernameCharacters) {
    return absl::InvalidArgumentError("username must have 1 to 64 characters.");
  }
  if (request.password().empty() || request.password().size() > kMaxPasswordBytes) {
    return absl::InvalidArgumentError("password must have 1 to 1024 bytes.");
  }
  return absl::OkStatus();
}

absl::Status WrongPassword() {
  return ErrorWithReason(absl::StatusCode::kUnauthenticated, "LOGIN_REFUSED",
                         "User name or password is wrong; check both and try again.");
}

absl::Status TooManyTries(absl::Duration wait) {
  const auto seconds = static_cast<std::int64_t>(std::ceil(absl::ToDoubleSeconds(wait)));
  return WithRetryDelay(
      ErrorWithReason(
          absl::StatusCode::kResourceExhausted, "LOGIN_THROTTLED",
          absl::StrCat("Too many failed log-ins for this user from this address; wait ", seconds,
                       seconds == 1 ? " second" : " seconds", ", then try again.")),
      absl::Seconds(seconds));
}

}  // namespace

AuthService::AuthService(const CallSupport& support, const TokenAuthenticator& tokens, Store& store,
                         AuditLog& audit, const Clock& clock, PasswordHasher& hasher,
                         ThrottleOptions throttle)
    : support_(support),
      tokens_(tokens),
      store_(store),
      audit_(audit),
      clock_(clock),
      hasher_(hasher),
      throttle_(throttle),
      login_workers_("login", kLoginThreads, kMaxQueuedLogins) {}

grpc::ServerUnaryReactor* AuthService::Login(grpc::CallbackServerContext* context,
                                             const v1::LoginRequest* request,
                                             v1::LoginResponse* response) {
  const CallSupport login_support = {login_workers_, support_.authenticator};
  return AnonymousUnaryCall(
      login_support, context, request, response,
      [this](const Caller& caller, const v1::LoginRequest& login, v1::LoginResponse* reply) {
        return DoLogin(caller, login, reply);
      });
}

grpc::ServerUnaryReactor* AuthService::Logout(grpc::CallbackServerContext* context,
                                              const v1::LogoutRequest* request,
                                              v1::LogoutResponse* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller& caller, const v1::LogoutRequest&, v1::LogoutResponse*) {
                     return DoLogout(caller);
                   });
}

grpc::ServerUnaryReactor* AuthService::GetCaller(grpc::CallbackServerContext* context,
                                                 const v1::GetCallerRequest* request,
                                                 v1::Caller* response) {
  return UnaryCall(support_, context, request, response,
                   [](const Caller& caller, const v1::GetCallerRequest&, v1::Caller* reply) {
                     reply->set_user(caller.user);
                     for (const std::string& role : caller.roles) reply->add_roles(role);
                     *reply->mutable_expire_time() = ToTimestamp(caller.expire_time);
                     return absl::OkStatus();
                   });
}

absl::Status AuthService::DoLogin(const Caller& caller, const v1::LoginRequest& request,
                                  v1::LoginResponse* response) {
  FAIRLEAD_RETURN_IF_ERROR(CheckRequest(request));
  const std::string& name = request.username();
  const LoginThrottle::Verdict verdict =
      throttle_.Begin(name, caller.peer_address, clock_.Monotonic());
  if (verdict.wait > absl::ZeroDuration()) {
    // One record a wait: guessing must not fill the disk.
    if (verdict.first_refusal) AuditRefusal(caller, name, "too many failed log-ins");
    return TooManyTries(verdict.wait);
  }
  absl::StatusOr<UserRecord> user = CheckPassword(request);
  if (absl::IsNotFound(user.status())) {
    throttle_.Failed(name, caller.peer_address, clock_.Monotonic());
    AuditRefusal(caller, name, user.status().message());
    return WrongPassword();
  }
  if (!user.ok()) return user.status();
  FAIRLEAD_RETURN_IF_ERROR(Grant(caller, *std::move(user), response));
  throttle_.Succeeded(name, caller.peer_address);
  return absl::OkStatus();
}

absl::StatusOr<UserRecord> AuthService::CheckPassword(const v1::LoginRequest& request) {
  absl::StatusOr<UserRecord> user = store_.GetUser(request.username());
  if (absl::IsNotFound(user.status())) {
    hasher_.VerifyNobody(request.password());
    return absl::NotFoundError("no such user");
  }
  if (!user.ok()) return user.status();
  if (!hasher_.Verify(request.password(), user->password_hash)) {
    return absl::NotFoundError("wrong password");
  }
  if (user->disabled) return absl::NotFoundError("the user is disabled");
  return user;
}

absl::Status AuthService::Grant(const Caller& caller, UserRecord user,
                                v1::LoginResponse* response) {
  const std::string token = RandomSecret();
  const absl::Time expire_time = tokens_.NextExpiry();
  const auto grant = [&]() -> absl::Status {
    // The record may have changed while the hash was computed.
    FAIRLEAD_ASSIGN_OR_RETURN(UserRecord current, store_.GetUser(user.username));
    if (current.disabled || current.password_hash != user.password_hash) return WrongPassword();
    current.last_login_time = clock_.Now();
    FAIRLEAD_RETURN_IF_ERROR(store_.PutUser(current));
    FAIRLEAD_RETURN_IF_ERROR(store_.DeleteExpiredTokens(clock_.Now()));
    FAIRLEAD_RETURN_IF_ERROR(store_.PutToken({Sha256(token), user.username, expire_time}));
    AuditEntry entry;
    entry.actor = absl::StrCat("users/", user.username);
    entry.action = "auth.login";
    entry.resource = entry.actor;
    entry.peer_address = caller.peer_address;
    return audit_.Append(entry);
  };
  FAIRLEAD_RETURN_IF_ERROR(store_.Transact(grant));
  response->set_access_token(token);
  *response->mutable_expire_time() = ToTimestamp(expire_time);
  return absl::OkStatus();
}

absl::Status AuthService::DoLogout(const Caller& caller) {
  const auto revoke = [&]() -> absl::Status {
    FAIRLEAD_RETURN_IF_ERROR(store_.DeleteToken(caller.token_sha256));
    AuditEntry entry;
    entry.actor = caller.user;
    entry.action = "auth.logout";
    entry.resource = caller.user;
    entry.peer_address = caller.peer_address;
    return audit_.Append(entry);
  };
  return store_.Transact(revoke);
}

void AuthService::AuditRefusal(const Caller& caller, const std::string& username,
                               absl::string_view why) {
  AuditEntry entry;
  entry.actor = "anonymous";
  entry.action = "auth.login";
  entry.outcome = v1::AuditEvent::REFUSED;
  entry.peer_address = caller.peer_address;
  entry.detail = absl::StrCat("Log-in as \"", Printable(username), "\" refused: ", why, ".");
  // Append reports its own failure, and the log-in is refused either way.
  (void)audit_.Append(entry);
}

}  // namespace fairlead::control
