// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The certificates in an answer of EST (RFC 7030): a certs-only PKCS #7 message. Used by the agent
// when it enrols, and by the console to learn the CA.
#ifndef FAIRLEAD_DATAPLANE_CERTS_ONLY_H_
#define FAIRLEAD_DATAPLANE_CERTS_ONLY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead::dataplane {

// The certificates of a certs-only PKCS #7 message, base64 with or without line breaks, as PEM in
// their order. Errors: INVALID_ARGUMENT not such a message, or it holds no certificate.
absl::StatusOr<std::string> ParseCertsOnly(absl::string_view base64);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_CERTS_ONLY_H_
