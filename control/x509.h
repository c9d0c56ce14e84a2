// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// BoringSSL's X.509 in the few operations that the certificate authority and enrolment need:
// building and signing a certificate, reading a PKCS #10 request, PEM and PKCS #7.
#ifndef FAIRLEAD_CONTROL_X509_H_
#define FAIRLEAD_CONTROL_X509_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fairlead::control {

// What a certificate of ours says.
struct CertificateTemplate {
  std::string common_name;
  absl::Time not_before;
  absl::Time not_after;
  // A CA certificate; then usages and alternative names are ignored.
  bool is_ca = false;
  bool client_auth = false;
  bool server_auth = false;
  // Subject alternative names. Addresses are 4 or 16 bytes.
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  std::vector<std::string> addresses;
};

// Builds and signs a certificate for `subject_key` with a random 127-bit serial number. A null
// `issuer` means self-signed by `issuer_key`. Errors: INTERNAL; INVALID_ARGUMENT a bad name.
absl::StatusOr<bssl::UniquePtr<X509>> SignCertificate(const CertificateTemplate& what,
                                                      EVP_PKEY* subject_key, X509* issuer,
                                                      EVP_PKEY* issuer_key);

// A request for a certificate.
struct CertificateRequest {
  bssl::UniquePtr<EVP_PKEY> public_key;
  // SHA-256 of the SubjectPublicKeyInfo, 32 bytes.
  std::string public_key_sha256;
  // The subject's common name; empty if it has none.
  std::string common_name;
};

// Reads a PKCS #10 request, DER, whose signature must prove possession of the key: P-256, P-384,
// P-521, or RSA with 2048 to 8192 bits. Errors: INVALID_ARGUMENT.
absl::StatusOr<CertificateRequest> ParseCertificateRequest(absl::string_view der);

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> GenerateP256Key();

// PEM. Errors: INVALID_ARGUMENT it cannot be read.
std::string PrivateKeyToPem(EVP_PKEY* key);
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> PrivateKeyFromPem(absl::string_view pem);
std::string CertificateToPem(X509* certificate);
// The first certificate in `pem`.
absl::StatusOr<bssl::UniquePtr<X509>> CertificateFromPem(absl::string_view pem);

// DER. Errors: INVALID_ARGUMENT it cannot be read, or bytes follow.
std::string CertificateToDer(X509* certificate);
absl::StatusOr<bssl::UniquePtr<X509>> CertificateFromDer(absl::string_view der);

// A PKCS #7 SignedData, DER, that carries `certificates` and no signature.
absl::StatusOr<std::string> BundleCertificates(const std::vector<X509*>& certificates);

// The names of a certificate. Addresses as in CertificateTemplate.
std::vector<std::string> UrisOf(const X509* certificate);
std::vector<std::string> DnsNamesOf(const X509* certificate);
std::vector<std::string> AddressesOf(const X509* certificate);

absl::Time NotBeforeOf(const X509* certificate);
absl::Time NotAfterOf(const X509* certificate);

// SHA-256 of a key's SubjectPublicKeyInfo, 32 bytes; empty if it cannot be encoded.
std::string PublicKeySha256(const EVP_PKEY* key);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_X509_H_
