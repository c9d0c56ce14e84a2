// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an ICG starts with: the JSON of RegisterIcgResponse, as `console icgs register` writes it,
// checked so that each mistake gets a sentence. Used by icg_main.cc.
#ifndef FAIRLEAD_GATEWAY_ICG_BUNDLE_H_
#define FAIRLEAD_GATEWAY_ICG_BUNDLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/tls_context.h"

namespace fairlead::gateway {

// Checked: all of it belongs together and is valid now.
struct IcgBundle {
  // "icgs/<id>".
  std::string id;
  dataplane::TlsIdentity identity;
  // The CA that signs devices and servers.
  std::string ca_pem;
  // Where devices and Consoles dial it, "host:port"; may be empty.
  std::string external_address;
  absl::Time not_after;
  // A sentence if others can read the file; empty if not.
  std::string warning;
};

// Errors: INVALID_ARGUMENT it is no bundle, or not an ICG's, or its parts do not belong together;
// FAILED_PRECONDITION its certificate is not valid at `now`.
absl::StatusOr<IcgBundle> ParseIcgBundle(absl::string_view json, absl::Time now);

// The same for a file, which the messages then name. Errors also: NOT_FOUND, INTERNAL the file
// cannot be read.
absl::StatusOr<IcgBundle> ReadIcgBundle(const std::string& file, absl::Time now);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_ICG_BUNDLE_H_
