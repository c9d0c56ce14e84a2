// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// X.509 certificates over BoringSSL: parsing, describing, and deciding whether a chain is trusted,
// with sentences that a person can act on. Used by the TLS contexts.
#ifndef FAIRLEAD_DATAPLANE_X509_UTIL_H_
#define FAIRLEAD_DATAPLANE_X509_UTIL_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

using Certificates = std::vector<bssl::UniquePtr<X509>>;

// All certificates of a PEM text, in order. `what` names the text in errors ("the CA file").
// Errors: INVALID_ARGUMENT there is none, or one cannot be parsed.
absl::StatusOr<Certificates> ParseCertificatesPem(absl::string_view pem, absl::string_view what);

// The private key of a PEM text: PKCS#8, SEC1 or PKCS#1, not encrypted.
// Errors: INVALID_ARGUMENT.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKeyPem(absl::string_view pem);

// The 32 bytes that 64 hexadecimal digits, with or without colons, stand for.
// Errors: INVALID_ARGUMENT.
absl::StatusOr<std::string> ParseFingerprint(absl::string_view text);

std::string DerOf(const X509& certificate);

// SHA-256 of the certificate's DER, 32 bytes.
std::string FingerprintOf(const X509& certificate);

// What the rest of the data plane wants to know of a peer's certificate.
PeerCertificate DescribeCertificate(const X509& certificate);

// From when until when a certificate is good.
struct Validity {
  absl::Time not_before = absl::InfinitePast();
  absl::Time not_after = absl::InfinitePast();
};
Validity ValidityOf(const X509& certificate);

// The DNS names and IP addresses that a certificate is for.
std::vector<std::string> NamesOf(const X509& certificate);

// Whether `name` is an IP address rather than a host name.
bool IsIpAddress(absl::string_view name);

// The alert that tells the peer why its certificate is refused (RFC 8446 section 6.2).
enum class CertificateAlert : std::uint8_t {
  kBadCertificate = 42,
  kUnsupported = 43,
  kExpired = 45,
  kUnknown = 46,
  kUnknownCa = 48,
};

// Decides whether a client's `chain` (leaf first) leads to one of `anchors`; if not, sets `alert`.
// Errors: FAILED_PRECONDITION (TLS_UNTRUSTED) with the reason.
absl::Status VerifyClientChain(const Certificates& chain, const Certificates& anchors,
                               CertificateAlert& alert);

// How a client tells the right server; parsed from TlsTrust.
class ServerTrust {
 public:
  // Errors: INVALID_ARGUMENT.
  static absl::StatusOr<std::shared_ptr<const ServerTrust>> Parse(absl::string_view ca_pem,
                                                                  absl::string_view fingerprint,
                                                                  absl::string_view uri = "");

  // Decides whether a server's `chain` (leaf first) is trusted and bears `name`, or the URI that is
  // demanded; if not, sets `alert`.
  // Errors: FAILED_PRECONDITION (TLS_UNTRUSTED) with the reason.
  absl::Status Verify(const Certificates& chain, const std::string& name,
                      CertificateAlert& alert) const;

 private:
  absl::Status VerifyPinned(const Certificates& chain, const std::string& name,
                            CertificateAlert& alert) const;

  Certificates anchors_;
  // 32 bytes or empty. If set it decides alone, and anchors_ only lend what the chain lacks.
  std::string fingerprint_;
  // If set, demanded in place of the name.
  std::string uri_;
};

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_X509_UTIL_H_
