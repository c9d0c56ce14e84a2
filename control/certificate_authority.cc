// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See certificate_authority.h.
#include "control/certificate_authority.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/state_file.h"
#include "base/status.h"
#include "base/unit_id.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr absl::string_view kDeviceUriPrefix = "urn:fairlead:device:";
constexpr absl::string_view kIcgUriPrefix = "urn:fairlead:icg:";
constexpr absl::string_view kServerUriPrefix = "urn:fairlead:server:";
constexpr absl::Duration kCaValidity = absl::Hours(24 * 7305);  // 20 years.
constexpr absl::Duration kBackdate = absl::Hours(1);
constexpr absl::Duration kReissueBefore = absl::Hours(24 * 30);
constexpr std::size_t kMaxIdLength = 64;
constexpr std::size_t kMaxDnsNameLength = 253;
constexpr mode_t kPrivateMode = 0600;
constexpr mode_t kPublicMode = 0644;

bool IsDnsName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxDnsNameLength || name.front() == '.' ||
      name.front() == '-') {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '*';
  });
}

constexpr absl::string_view kBadServerName =
    "The server's name must have 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.";

// The bytes of an IP address; empty if `text` is none.
std::string AddressBytes(const std::string& text) {
  char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return std::string(bytes, 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(bytes, 16);
  return std::string();
}

absl::Status AddServerNames(const std::vector<std::string>& names, CertificateTemplate* what) {
  for (const std::string& name : names) {
    std::string address = AddressBytes(name);
    if (!address.empty()) {
      what->addresses.push_back(std::move(address));
    } else if (IsDnsName(name)) {
      what->dns_names.push_back(absl::AsciiStrToLower(name));
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", name, "\" is neither a DNS name nor an IP address; correct this name."));
    }
  }
  for (std::vector<std::string>* list : {&what->dns_names, &what->addresses}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  if (!what->dns_names.empty() || !what->addresses.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("The certificate needs at least one DNS name or IP address.");
}

// A key file's content, made if it is missing.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadOrCreateKey(const std::string& file) {
  const absl::StatusOr<std::string> pem = ReadStateFile(file);
  if (pem.ok()) {
    auto key = PrivateKeyFromPem(*pem);
    if (key.ok()) return key;
    return absl::FailedPreconditionError(
        absl::StrCat(file, " holds no private key; restore it from a backup."));
  }
  if (!absl::IsNotFound(pem.status())) return pem.status();
  FAIRLEAD_ASSIGN_OR_RETURN(bssl::UniquePtr<EVP_PKEY> key, GenerateP256Key());
  FAIRLEAD_RETURN_IF_ERROR(WriteStateFile(file, PrivateKeyToPem(key.get()), kPrivateMode));
  return key;
}

absl::StatusOr<bssl::UniquePtr<X509>> SelfSign(EVP_PKEY* key, const Clock& clock) {
  CertificateTemplate what;
  what.common_name = "Fairlead CA " + absl::BytesToHexString(PublicKeySha256(key)).substr(0, 8);
  what.not_before = clock.Now() - kBackdate;
  what.not_after = clock.Now() + kCaValidity;
  what.is_ca = true;
  return SignCertificate(what, key, nullptr, key);
}

bool Sorted(std::vector<std::string> found, const std::vector<std::string>& wanted) {
  std::sort(found.begin(), found.end());
  return found == wanted;
}

}  // namespace

bool IsIcgId(absl::string_view icg_id) {
  if (icg_id.empty() || icg_id.size() > kMaxIdLength) return false;
  return std::all_of(icg_id.begin(), icg_id.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  });
}

CertificateAuthority::CertificateAuthority(const Clock& clock, bssl::UniquePtr<EVP_PKEY> key,
                                           bssl::UniquePtr<X509> certificate,
                                           std::string certificate_file)
    : clock_(clock),
      key_(std::move(key)),
      certificate_(std::move(certificate)),
      certificate_pem_(CertificateToPem(certificate_.get())),
      certificate_file_(std::move(certificate_file)) {}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::OpenOrCreate(
    const std::string& state_dir, const Clock& clock) {
  FAIRLEAD_RETURN_IF_ERROR(EnsureFolder(state_dir));
  const std::string key_file = absl::StrCat(state_dir, "/ca_key.pem");
  const std::string file = absl::StrCat(state_dir, "/ca.pem");
  const absl::StatusOr<std::string> pem = ReadStateFile(file);
  if (!pem.ok() && !absl::IsNotFound(pem.status())) return pem.status();
  if (pem.ok() && absl::IsNotFound(ReadStateFile(key_file).status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("The key of ", file, " is missing; restore ", key_file,
                     " from a backup. A new CA would mean that every device must enrol again."));
  }
  // The key comes first: a key without a certificate has signed nothing yet.
  FAIRLEAD_ASSIGN_OR_RETURN(bssl::UniquePtr<EVP_PKEY> key, ReadOrCreateKey(key_file));
  if (!pem.ok()) {
    FAIRLEAD_ASSIGN_OR_RETURN(bssl::UniquePtr<X509> made, SelfSign(key.get(), clock));
    FAIRLEAD_RETURN_IF_ERROR(WriteStateFile(file, CertificateToPem(made.get()), kPublicMode));
    return std::unique_ptr<CertificateAuthority>(
        new CertificateAuthority(clock, std::move(key), std::move(made), file));
  }
  absl::StatusOr<bssl::UniquePtr<X509>> certificate = CertificateFromPem(*pem);
  if (!certificate.ok() || X509_check_private_key(certificate->get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(absl::StrCat(
        file, " and ", key_file, " do not belong together; restore both from one backup."));
  }
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(clock, std::move(key), *std::move(certificate), file));
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::CreateInMemory(
    const Clock& clock) {
  FAIRLEAD_ASSIGN_OR_RETURN(bssl::UniquePtr<EVP_PKEY> key, GenerateP256Key());
  FAIRLEAD_ASSIGN_OR_RETURN(bssl::UniquePtr<X509> certificate, SelfSign(key.get(), clock));
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(clock, std::move(key), std::move(certificate), std::string()));
}

std::string CertificateAuthority::Sha256Fingerprint() const {
  return absl::BytesToHexString(Sha256(CertificateToDer(certificate_.get())));
}

absl::StatusOr<IssuedCertificate> CertificateAuthority::IssueDeviceCertificate(
    absl::string_view unit_id, EVP_PKEY* public_key) const {
  if (!IsUnitId(unit_id)) return absl::InvalidArgumentError("This is not a unit ID.");
  CertificateTemplate what;
  what.common_name = std::string(unit_id);
  what.uris = {absl::StrCat(kDeviceUriPrefix, unit_id)};
  what.client_auth = true;
  what.not_before = clock_.Now() - kBackdate;
  what.not_after = clock_.Now() + kLeafValidity;
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<X509> certificate,
                            SignCertificate(what, public_key, certificate_.get(), key_.get()));
  IssuedCertificate issued;
  issued.der = CertificateToDer(certificate.get());
  issued.fingerprint = Sha256(issued.der);
  issued.not_after = NotAfterOf(certificate.get());
  return issued;
}

absl::StatusOr<IssuedIdentity> CertificateAuthority::IssueIdentity(
    const CertificateTemplate& what) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<EVP_PKEY> key, GenerateP256Key());
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<X509> certificate,
                            SignCertificate(what, key.get(), certificate_.get(), key_.get()));
  IssuedIdentity identity;
  identity.certificate.der = CertificateToDer(certificate.get());
  identity.certificate.fingerprint = Sha256(identity.certificate.der);
  identity.certificate.not_after = NotAfterOf(certificate.get());
  identity.public_key_sha256 = PublicKeySha256(key.get());
  identity.certificate_chain_pem = CertificateToPem(certificate.get()) + certificate_pem_;
  identity.private_key_pem = PrivateKeyToPem(key.get());
  return identity;
}

absl::StatusOr<IssuedIdentity> CertificateAuthority::IssueIcgCertificate(
    absl::string_view icg_id, const std::vector<std::string>& names) const {
  if (!IsIcgId(icg_id)) return absl::InvalidArgumentError("This is not an ICG's identifier.");
  CertificateTemplate what;
  what.common_name = std::string(icg_id);
  what.uris = {absl::StrCat(kIcgUriPrefix, icg_id)};
  what.server_auth = what.client_auth = true;
  what.not_before = clock_.Now() - kBackdate;
  what.not_after = clock_.Now() + kLeafValidity;
  FAIRLEAD_RETURN_IF_ERROR(AddServerNames(names, &what));
  return IssueIdentity(what);
}

absl::StatusOr<IssuedIdentity> CertificateAuthority::IssueLinkIdentity(
    absl::string_view server_name) const {
  if (!IsUnitId(server_name)) return absl::InvalidArgumentError(kBadServerName);
  CertificateTemplate what;
  what.common_name = std::string(server_name);
  what.uris = {absl::StrCat(kServerUriPrefix, server_name)};
  what.server_auth = what.client_auth = true;
  what.not_before = clock_.Now() - kBackdate;
  what.not_after = clock_.Now() + kLinkValidity;
  return IssueIdentity(what);
}

bool CertificateAuthority::IsOurs(X509* certificate) const {
  const bool ours = X509_NAME_cmp(X509_get_issuer_name(certificate),
                                  X509_get_subject_name(certificate_.get())) == 0 &&
                    X509_verify(certificate, key_.get()) == 1;
  ERR_clear_error();
  return ours;
}

absl::StatusOr<std::string> CertificateAuthority::CheckDeviceCertificate(
    absl::string_view der) const {
  const absl::StatusOr<bssl::UniquePtr<X509>> certificate = CertificateFromDer(der);
  if (!certificate.ok() || !IsOurs(certificate->get())) {
    return absl::PermissionDeniedError("The certificate was not issued by this server.");
  }
  const absl::Time now = clock_.Now();
  if (now < NotBeforeOf(certificate->get()) || now > NotAfterOf(certificate->get())) {
    return absl::PermissionDeniedError("The certificate is not valid now.");
  }
  for (const std::string& uri : UrisOf(certificate->get())) {
    absl::string_view unit_id = uri;
    if (absl::ConsumePrefix(&unit_id, kDeviceUriPrefix)) return std::string(unit_id);
  }
  return absl::PermissionDeniedError("The certificate is not a device's.");
}

bool CertificateAuthority::ServerCertificateHolds(absl::string_view pem, EVP_PKEY* key,
                                                  const CertificateTemplate& wanted) const {
  const absl::StatusOr<bssl::UniquePtr<X509>> found = CertificateFromPem(pem);
  if (!found.ok()) return false;
  X509* const certificate = found->get();
  const bool right_key = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return right_key && IsOurs(certificate) && absl::EndsWith(pem, certificate_pem_) &&
         NotBeforeOf(certificate) <= clock_.Now() &&
         NotAfterOf(certificate) - clock_.Now() > kReissueBefore &&
         UrisOf(certificate) == wanted.uris && Sorted(DnsNamesOf(certificate), wanted.dns_names) &&
         Sorted(AddressesOf(certificate), wanted.addresses);
}

absl::StatusOr<ServerCertificate> CertificateAuthority::EnsureServerCertificate(
    const std::string& state_dir, const std::string& server_name,
    const std::vector<std::string>& names) const {
  if (!IsUnitId(server_name)) {
    return absl::InvalidArgumentError(kBadServerName);
  }
  CertificateTemplate what;
  what.common_name = server_name;
  what.uris = {absl::StrCat(kServerUriPrefix, server_name)};
  what.server_auth = what.client_auth = true;
  what.not_before = clock_.Now() - kBackdate;
  what.not_after = clock_.Now() + kLeafValidity;
  FAIRLEAD_RETURN_IF_ERROR(AddServerNames(names, &what));

  FAIRLEAD_RETURN_IF_ERROR(EnsureFolder(state_dir));
  ServerCertificate result;
  result.private_key_file = absl::StrCat(state_dir, "/server_key.pem");
  result.certificate_file = absl::StrCat(state_dir, "/server.pem");
  // The key stays the same for ever, so that a crash never leaves key and certificate apart.
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<EVP_PKEY> key,
                            ReadOrCreateKey(result.private_key_file));
  result.private_key_pem = PrivateKeyToPem(key.get());
  absl::StatusOr<std::string> present = ReadStateFile(result.certificate_file);
  if (present.ok() && ServerCertificateHolds(*present, key.get(), what)) {
    result.certificate_chain_pem = *std::move(present);
    return result;
  }
  if (!present.ok() && !absl::IsNotFound(present.status())) return present.status();
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<X509> certificate,
                            SignCertificate(what, key.get(), certificate_.get(), key_.get()));
  result.certificate_chain_pem = CertificateToPem(certificate.get()) + certificate_pem_;
  FAIRLEAD_RETURN_IF_ERROR(
      WriteStateFile(result.certificate_file, result.certificate_chain_pem, kPublicMode));
  return result;
}

absl::StatusOr<std::string> CertificateAuthority::CaBundle() const {
  return BundleCertificates({certificate_.get()});
}

absl::StatusOr<std::string> CertificateAuthority::DeviceBundle(absl::string_view leaf_der) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<X509> leaf, CertificateFromDer(leaf_der));
  return BundleCertificates({leaf.get()});
}

}  // namespace fairlead::control
