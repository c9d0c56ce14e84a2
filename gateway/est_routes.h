// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment and renewal for devices, EST (RFC 7030): checks the HTTP side of a request, forwards it
// on the link to the server, and answers with what the server says. Registered by the gateway.
#ifndef FAIRLEAD_GATEWAY_EST_ROUTES_H_
#define FAIRLEAD_GATEWAY_EST_ROUTES_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "dataplane/router.h"
#include "gateway/device_hub.h"
#include "gateway/edge_events.h"
#include "gateway/token_bucket.h"

namespace fairlead::gateway {

inline constexpr char kEstPath[] = "/device-connector/device/.well-known/est/";

// The largest certificate request, in bytes.
inline constexpr std::size_t kMaxEstBodyBytes = 64 * 1024;

// User name and password of HTTP Basic (RFC 7617).
struct BasicCredentials {
  std::string user;
  std::string password;
};

// Reads an Authorization field.
// Errors: UNAUTHENTICATED it is no HTTP Basic.
absl::StatusOr<BasicCredentials> ParseBasic(absl::string_view authorization);

// Reads a request to `operation`, checks what the edge can check, and makes the message for the
// server. Sans-I/O.
// Errors: UNAUTHENTICATED no key, or no certificate where one is due; PERMISSION_DENIED not a
// device's certificate; INVALID_ARGUMENT wrong content type, or no body.
absl::StatusOr<v1::EstRequest> ReadEstRequest(v1::EstRequest::Operation operation,
                                              const dataplane::HttpRequest& request);

struct EstRoutesOptions {
  // Requests of one address, each kind for itself. Enrolments that succeed do not count: a thousand
  // devices may stand behind one address (NAT), and only keys that are tried must be slowed down.
  Rate rate{50, absl::Milliseconds(1200)};
  // Of CACERTS, which anybody may ask for and every enrolment begins with.
  Rate ca_certs_rate{2000, absl::Milliseconds(10)};
  std::size_t max_hosts = 10'000;
};

// Thread: any. Lifetime: all given references must outlive it and its handlers.
class EstRoutes {
 public:
  EstRoutes(EstForwarder& forwarder, const DeviceHub& hub, EdgeEventSink& sink, const Clock& clock,
            EstRoutesOptions options)
      : forwarder_(forwarder),
        hub_(hub),
        sink_(sink),
        clock_(clock),
        ca_certs_callers_(options.ca_certs_rate, options.max_hosts),
        enroll_callers_(options.rate, options.max_hosts),
        reenroll_callers_(options.rate, options.max_hosts) {}

  // Serve cacerts, simpleenroll and simplereenroll. Errors of their own: 401, 403, 405, 415, 429
  // (with Retry-After), 503 (no server is linked; with Retry-After), 504.
  dataplane::net::awaitable<dataplane::HttpResponse> CaCerts(dataplane::HttpRequest request);
  dataplane::net::awaitable<dataplane::HttpResponse> SimpleEnroll(dataplane::HttpRequest request);
  dataplane::net::awaitable<dataplane::HttpResponse> SimpleReenroll(dataplane::HttpRequest request);

 private:
  dataplane::net::awaitable<dataplane::HttpResponse> Serve(v1::EstRequest::Operation operation,
                                                           dataplane::HttpRequest request);
  KeyedTokenBuckets& Callers(v1::EstRequest::Operation operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How long this caller has to wait; zero if not at all.
  absl::Duration Wait(v1::EstRequest::Operation operation, const std::string& host);
  // The request counts no more.
  void Forgive(v1::EstRequest::Operation operation, const std::string& host);
  absl::Status CheckRevoked(const dataplane::HttpRequest& request) const;
  dataplane::HttpResponse Refused(const dataplane::HttpRequest& request, const absl::Status& why);

  EstForwarder& forwarder_;
  const DeviceHub& hub_;
  EdgeEventSink& sink_;
  const Clock& clock_;
  absl::Mutex mutex_;
  // By address.
  KeyedTokenBuckets ca_certs_callers_ ABSL_GUARDED_BY(mutex_);
  KeyedTokenBuckets enroll_callers_ ABSL_GUARDED_BY(mutex_);
  KeyedTokenBuckets reenroll_callers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EST_ROUTES_H_
