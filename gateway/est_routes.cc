// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/est_routes.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "gateway/refusal.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::HttpRequest;
using dataplane::HttpResponse;

constexpr char kRequestType[] = "application/pkcs10";
// Of unit ID and key, in bytes.
constexpr std::size_t kMaxUserBytes = 128;
constexpr std::size_t kMaxKeyBytes = 512;
// How soon to try again when the server is not linked, in seconds.
constexpr int kRetryAfterSeconds = 5;

bool IsPkcs10(absl::string_view content_type) {
  const absl::string_view type = content_type.substr(0, content_type.find(';'));
  return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(type), kRequestType);
}

absl::Status ReadCredentials(const HttpRequest& request, v1::EstRequest& est) {
  FAIRLEAD_ASSIGN_OR_RETURN(BasicCredentials credentials,
                            ParseBasic(dataplane::FindHeader(request.headers, "Authorization")));
  est.set_unit_id(std::move(credentials.user));
  est.set_key(std::move(credentials.password));
  return absl::OkStatus();
}

HttpResponse WithRetryAfter(HttpResponse response, std::int64_t seconds) {
  response.headers.emplace_back("Retry-After", absl::StrCat(std::max<std::int64_t>(1, seconds)));
  return response;
}

HttpResponse ErrorWithStatus(int http_status, const absl::Status& status) {
  HttpResponse response = dataplane::ErrorResponse(status);
  response.status = http_status;
  return response;
}

HttpResponse ToHttp(v1::EstResponse est) {
  HttpResponse response;
  const bool sensible = est.http_status() >= 200 && est.http_status() <= 599;
  response.status = sensible ? static_cast<int>(est.http_status()) : 500;
  if (!est.content_type().empty() && absl::c_none_of(est.content_type(), absl::ascii_iscntrl)) {
    response.headers.emplace_back("Content-Type", est.content_type());
  }
  if (absl::StartsWith(est.content_type(), "application/pkcs")) {
    response.headers.emplace_back("Content-Transfer-Encoding", "base64");
  }
  if (est.retry_after_seconds() > 0) {
    response = WithRetryAfter(std::move(response), est.retry_after_seconds());
  }
  if (response.status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"fairlead\"");
  }
  response.body = std::move(*est.mutable_body());
  return response;
}

}  // namespace

absl::StatusOr<BasicCredentials> ParseBasic(absl::string_view authorization) {
  const absl::Status malformed = absl::UnauthenticatedError(
      "Enrolment needs HTTP Basic: the unit ID as user name, a first-authentication key as "
      "password.");
  if (!absl::StartsWithIgnoreCase(authorization, "Basic ")) return malformed;
  std::string decoded;
  const absl::string_view encoded = absl::StripAsciiWhitespace(authorization.substr(6));
  if (!absl::Base64Unescape(encoded, &decoded)) return malformed;
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos) return malformed;
  BasicCredentials credentials;
  credentials.user = decoded.substr(0, colon);
  credentials.password = decoded.substr(colon + 1);
  if (credentials.user.empty() || credentials.user.size() > kMaxUserBytes ||
      credentials.password.empty() || credentials.password.size() > kMaxKeyBytes ||
      !absl::c_all_of(decoded, absl::ascii_isprint)) {
    return malformed;
  }
  return credentials;
}

absl::StatusOr<v1::EstRequest> ReadEstRequest(v1::EstRequest::Operation operation,
                                              const HttpRequest& request) {
  v1::EstRequest est;
  est.set_operation(operation);
  est.set_peer_address(request.peer.address);
  if (operation == v1::EstRequest::CACERTS) return est;
  if (!IsPkcs10(dataplane::FindHeader(request.headers, "Content-Type"))) {
    return absl::InvalidArgumentError(absl::StrCat("The Content-Type must be ", kRequestType, "."));
  }
  if (request.body.empty() || request.body.size() > kMaxEstBodyBytes) {
    return absl::InvalidArgumentError(
        "The body must be a certificate request, base64 of PKCS #10, of at most 64 KiB.");
  }
  est.set_body(request.body);
  if (request.peer.certificate.has_value()) {
    est.set_client_certificate_der(request.peer.certificate->der);
  }
  if (operation == v1::EstRequest::SIMPLEENROLL) {
    FAIRLEAD_RETURN_IF_ERROR(ReadCredentials(request, est));
    return est;
  }
  FAIRLEAD_ASSIGN_OR_RETURN(DeviceIdentity device, IdentifyDevice(request.peer));
  est.set_unit_id(std::move(device.unit_id));
  return est;
}

net::awaitable<HttpResponse> EstRoutes::CaCerts(HttpRequest request) {
  return Serve(v1::EstRequest::CACERTS, std::move(request));
}

net::awaitable<HttpResponse> EstRoutes::SimpleEnroll(HttpRequest request) {
  return Serve(v1::EstRequest::SIMPLEENROLL, std::move(request));
}

net::awaitable<HttpResponse> EstRoutes::SimpleReenroll(HttpRequest request) {
  return Serve(v1::EstRequest::SIMPLEREENROLL, std::move(request));
}

KeyedTokenBuckets& EstRoutes::Callers(v1::EstRequest::Operation operation) {
  if (operation == v1::EstRequest::CACERTS) return ca_certs_callers_;
  return operation == v1::EstRequest::SIMPLEENROLL ? enroll_callers_ : reenroll_callers_;
}

absl::Duration EstRoutes::Wait(v1::EstRequest::Operation operation, const std::string& host) {
  absl::MutexLock lock(&mutex_);
  return Callers(operation).Take(host, clock_.Monotonic());
}

void EstRoutes::Forgive(v1::EstRequest::Operation operation, const std::string& host) {
  absl::MutexLock lock(&mutex_);
  Callers(operation).Return(host);
}

absl::Status EstRoutes::CheckRevoked(const HttpRequest& request) const {
  if (!request.peer.certificate.has_value() ||
      !hub_.IsRevoked(request.peer.certificate->fingerprint)) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      "The certificate is revoked. Enrol the device anew with a first-authentication key.");
}

HttpResponse EstRoutes::Refused(const HttpRequest& request, const absl::Status& why) {
  sink_.PublishRefusal(
      MakeRefusal("device.enroll", ActorOf(request.peer), "", why, request.peer.address));
  HttpResponse response = dataplane::ErrorResponse(why);
  if (absl::IsUnauthenticated(why)) {
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"fairlead\"");
  }
  return response;
}

net::awaitable<HttpResponse> EstRoutes::Serve(v1::EstRequest::Operation operation,
                                              HttpRequest request) {
  const bool reads = operation == v1::EstRequest::CACERTS;
  const absl::string_view method = reads ? "GET" : "POST";
  if (request.method != method) {
    const absl::Status wrong =
        absl::InvalidArgumentError(absl::StrCat("This path takes ", method, " only."));
    HttpResponse response = ErrorWithStatus(405, wrong);
    response.headers.emplace_back("Allow", std::string(method));
    co_return response;
  }
  const absl::Duration wait = Wait(operation, request.peer.host);
  if (wait > absl::ZeroDuration()) {
    const absl::Status too_many =
        absl::ResourceExhaustedError("Too many enrolments from this address. Try again later.");
    co_return WithRetryAfter(dataplane::ErrorResponse(too_many),
                             absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))));
  }
  if (operation == v1::EstRequest::SIMPLEREENROLL) {
    const absl::Status revoked = CheckRevoked(request);
    if (!revoked.ok()) co_return Refused(request, revoked);
  }
  absl::StatusOr<v1::EstRequest> est = ReadEstRequest(operation, request);
  if (absl::IsInvalidArgument(est.status())) {
    const bool typed = IsPkcs10(dataplane::FindHeader(request.headers, "Content-Type"));
    co_return ErrorWithStatus(typed ? 400 : 415, est.status());
  }
  if (!est.ok()) co_return Refused(request, est.status());
  absl::StatusOr<v1::EstResponse> answer = co_await forwarder_.Forward(std::move(*est));
  if (!answer.ok()) {
    co_return WithRetryAfter(dataplane::ErrorResponse(answer.status()), kRetryAfterSeconds);
  }
  if (answer->http_status() == 200 && !reads) request.peer.MarkAuthenticated();
  if (answer->http_status() == 200 && operation == v1::EstRequest::SIMPLEENROLL) {
    Forgive(operation, request.peer.host);
  }
  co_return ToHttp(std::move(*answer));
}

}  // namespace fairlead::gateway
