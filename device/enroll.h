// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment and renewal over EST (RFC 7030). A retry uses the same key pair, so that a server that
// had already issued the certificate can answer with it again. Used by UnifiedClient.
#ifndef FAIRLEAD_DEVICE_ENROLL_H_
#define FAIRLEAD_DEVICE_ENROLL_H_

#include <string>

#include "absl/status/status.h"
#include "dataplane/asio.h"
#include "dataplane/client.h"
#include "device/identity.h"
#include "device/state_dir.h"

namespace fairlead::device {

namespace net = dataplane::net;

// What one exchange with the server gives; the way is a parameter so that tests need no network.
class EstTransport {
 public:
  virtual ~EstTransport() = default;
  // Errors: those of dataplane::Fetch.
  virtual net::awaitable<absl::StatusOr<dataplane::HttpResponse>> Send(
      dataplane::HttpRequest request) = 0;
};

// Enrols with the first-authentication key.
// Errors: PERMISSION_DENIED the server refuses the key, UNAVAILABLE it does not answer or asks to
// come back, INVALID_ARGUMENT its answer cannot be used. All may be tried again.
// Lifetime: the references must outlive the returned task.
net::awaitable<absl::Status> Enroll(EstTransport& transport, Identity& identity,
                                    const StateDir& state, std::string first_authentication_key);

// Asks for a fresh certificate; `transport` shows the old one. Errors: as Enroll.
net::awaitable<absl::Status> Renew(EstTransport& transport, Identity& identity);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_ENROLL_H_
