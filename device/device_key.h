// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device's key pair and what EST (RFC 7030) makes of it: certificate requests, and what is made
// of the certificates in its answers. Used by Identity and Enroller.
#ifndef FAIRLEAD_DEVICE_DEVICE_KEY_H_
#define FAIRLEAD_DEVICE_DEVICE_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fairlead::device {

// A new P-256 private key, PEM (PKCS #8).
absl::StatusOr<std::string> MakeKey();

// OK if `key_pem` is a private key that can be used.
// Errors: INVALID_ARGUMENT it is not.
absl::Status CheckKey(absl::string_view key_pem);

// A PKCS #10 request for `unit_id` (common name), signed with `key_pem`; DER in base64.
// Errors: INVALID_ARGUMENT the key or the unit ID cannot be used.
absl::StatusOr<std::string> MakeCertificateRequest(absl::string_view key_pem,
                                                   absl::string_view unit_id);

// `certificates_pem` with the one that was made for `key_pem` first: PKCS #7 keeps a set, without
// an order of its own. Errors: INVALID_ARGUMENT none was made for that key.
absl::StatusOr<std::string> PutOwnFirst(absl::string_view certificates_pem,
                                        absl::string_view key_pem);

// What the agent wants to know of its certificate.
struct CertificateFacts {
  std::string common_name;
  absl::Time not_before;
  absl::Time not_after;
};

// Facts of the first certificate of `chain_pem`, which must belong to `key_pem`.
// Errors: INVALID_ARGUMENT no certificate, or it was made for another key.
absl::StatusOr<CertificateFacts> InspectCertificate(absl::string_view chain_pem,
                                                    absl::string_view key_pem);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_DEVICE_KEY_H_
