// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The server's own certificate authority: signs devices, ICGs and the server. Its key is made at
// the first start and stays in the state folder. Used by enrolment, the ICG service, the links to
// ICGs and server_main.
#ifndef FAIRLEAD_CONTROL_CERTIFICATE_AUTHORITY_H_
#define FAIRLEAD_CONTROL_CERTIFICATE_AUTHORITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "control/x509.h"

namespace fairlead::control {

// How long a device's, an ICG's and the server's certificate is valid. An issued certificate is
// also valid one hour back, for clocks that are behind.
inline constexpr absl::Duration kLeafValidity = absl::Hours(24 * 365);

// How long an identity for dialling is valid; each dial makes a new one.
inline constexpr absl::Duration kLinkValidity = absl::Hours(24 * 30);

// Whether `icg_id` has 1 to 64 characters of a-z, 0-9 and '-'.
bool IsIcgId(absl::string_view icg_id);

// A certificate that was just signed.
struct IssuedCertificate {
  std::string der;
  // SHA-256 of der, 32 bytes.
  std::string fingerprint;
  absl::Time not_after;
};

// A certificate with its key, which is kept nowhere else.
struct IssuedIdentity {
  IssuedCertificate certificate;
  // SHA-256 of the SubjectPublicKeyInfo, 32 bytes.
  std::string public_key_sha256;
  // PEM: the leaf, then the CA's certificate.
  std::string certificate_chain_pem;
  std::string private_key_pem;
};

// Files with which the server answers TLS.
struct ServerCertificate {
  // PEM: the leaf, then the CA's certificate, so that a client may pin either.
  std::string certificate_chain_pem;
  std::string private_key_pem;
  // Where they lie.
  std::string certificate_file;
  std::string private_key_file;
};

// Thread: any; signing takes below a millisecond. Lifetime: the clock outlives it.
class CertificateAuthority {
 public:
  // Reads "ca_key.pem" (mode 0600) and "ca.pem" from `state_dir`, and makes what is missing.
  // Errors: FAILED_PRECONDITION the files do not belong together, or the key of an existing
  // certificate is gone; INTERNAL a file cannot be read or written.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> OpenOrCreate(
      const std::string& state_dir, const Clock& clock);

  // One that keeps nothing. For tests.
  static absl::StatusOr<std::unique_ptr<CertificateAuthority>> CreateInMemory(const Clock& clock);

  // The CA's own certificate.
  const std::string& certificate_pem() const { return certificate_pem_; }
  // Its SHA-256, 64 lower-case hexadecimal digits.
  std::string Sha256Fingerprint() const;
  // Where OpenOrCreate keeps it.
  const std::string& certificate_file() const { return certificate_file_; }

  // A client certificate with the subject CN=unit_id and the URI urn:fairlead:device:<unit_id>.
  // Errors: INVALID_ARGUMENT not a unit ID; INTERNAL.
  absl::StatusOr<IssuedCertificate> IssueDeviceCertificate(absl::string_view unit_id,
                                                           EVP_PKEY* public_key) const;

  // A P-256 key and a certificate for an ICG's TLS, with the URI urn:fairlead:icg:<icg_id>. `names`
  // are DNS names and IP addresses.
  // Errors: INVALID_ARGUMENT not an ICG's identifier, a bad name, or none; INTERNAL.
  absl::StatusOr<IssuedIdentity> IssueIcgCertificate(absl::string_view icg_id,
                                                     const std::vector<std::string>& names) const;

  // A P-256 key and a certificate with the server role, URI urn:fairlead:server:<server_name>, with
  // which the server dials ICGs and devices; also where its own certificate is of another CA.
  // Errors: INVALID_ARGUMENT a bad server name; INTERNAL.
  absl::StatusOr<IssuedIdentity> IssueLinkIdentity(absl::string_view server_name) const;

  // The unit ID of a device certificate that this CA signed and that is valid now. Does not know of
  // revocations. Errors: PERMISSION_DENIED it is not ours, not a device's, or not valid now.
  absl::StatusOr<std::string> CheckDeviceCertificate(absl::string_view der) const;

  // The server's certificate in `state_dir` ("server.pem", "server_key.pem"), issued anew when it
  // is missing, damaged, not of this CA, expires within 30 days, or bears other names. It has the
  // URI urn:fairlead:server:<server_name>. `names` are DNS names and IP addresses; "localhost",
  // 127.0.0.1 and ::1 are not added by themselves.
  // Errors: INVALID_ARGUMENT a bad name, or none; INTERNAL a file cannot be read or written.
  absl::StatusOr<ServerCertificate> EnsureServerCertificate(
      const std::string& state_dir, const std::string& server_name,
      const std::vector<std::string>& names) const;

  // PKCS #7, DER, with the CA's certificate, or with `leaf_der` alone (RFC 7030 sections 4.1.3 and
  // 4.2.3).
  absl::StatusOr<std::string> CaBundle() const;
  absl::StatusOr<std::string> DeviceBundle(absl::string_view leaf_der) const;

 private:
  CertificateAuthority(const Clock& clock, bssl::UniquePtr<EVP_PKEY> key,
                       bssl::UniquePtr<X509> certificate, std::string certificate_file);

  absl::StatusOr<IssuedIdentity> IssueIdentity(const CertificateTemplate& what) const;
  bool IsOurs(X509* certificate) const;
  bool ServerCertificateHolds(absl::string_view pem, EVP_PKEY* key,
                              const CertificateTemplate& wanted) const;

  const Clock& clock_;
  const bssl::UniquePtr<EVP_PKEY> key_;
  const bssl::UniquePtr<X509> certificate_;
  const std::string certificate_pem_;
  const std::string certificate_file_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_CERTIFICATE_AUTHORITY_H_
