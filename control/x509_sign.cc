// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See x509.h: building and signing a certificate.
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "control/x509.h"

namespace fairlead::control {
namespace {

constexpr long kVersion3 = 2;
constexpr std::size_t kSerialBytes = 16;

// Adds the extension `nid` with BoringSSL's textual `value`.
bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool AddName(GENERAL_NAMES* names, int kind, int string_type, const std::string& value) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  bssl::UniquePtr<ASN1_STRING> text(ASN1_STRING_type_new(string_type));
  if (name == nullptr || text == nullptr ||
      !ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size()))) {
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), kind, text.release());
  return bssl::PushToStack(names, std::move(name));
}

bool AddNames(X509* certificate, const CertificateTemplate& what) {
  const bssl::UniquePtr<GENERAL_NAMES> names(GENERAL_NAMES_new());
  bool ok = names != nullptr;
  for (const std::string& uri : what.uris) {
    ok = ok && AddName(names.get(), GEN_URI, V_ASN1_IA5STRING, uri);
  }
  for (const std::string& dns : what.dns_names) {
    ok = ok && AddName(names.get(), GEN_DNS, V_ASN1_IA5STRING, dns);
  }
  for (const std::string& address : what.addresses) {
    ok = ok && AddName(names.get(), GEN_IPADD, V_ASN1_OCTET_STRING, address);
  }
  return ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

bool AddCaExtensions(X509* certificate) {
  return AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         AddExtension(certificate, certificate, NID_subject_key_identifier, "hash");
}

bool AddLeafExtensions(X509* certificate, X509* issuer, const CertificateTemplate& what) {
  const char* usage = what.server_auth && what.client_auth ? "serverAuth,clientAuth"
                      : what.server_auth                   ? "serverAuth"
                                                           : "clientAuth";
  return AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         AddExtension(certificate, issuer, NID_ext_key_usage, usage) &&
         AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         AddNames(certificate, what);
}

bool SetSerial(X509* certificate) {
  std::string bytes = RandomBytes(kSerialBytes);
  // Positive, and never shorter than the others.
  bytes[0] = static_cast<char>((bytes[0] & 0x3F) | 0x40);
  const bssl::UniquePtr<BIGNUM> number(
      BN_bin2bn(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetSubject(X509* certificate, const std::string& common_name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const std::uint8_t*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool SetValidity(X509* certificate, const CertificateTemplate& what) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(what.not_before)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(what.not_after)) != nullptr;
}

bool Fill(X509* certificate, const CertificateTemplate& what, EVP_PKEY* subject_key, X509* issuer) {
  if (!X509_set_version(certificate, kVersion3) || !SetSerial(certificate) ||
      !SetSubject(certificate, what.common_name) || !SetValidity(certificate, what) ||
      !X509_set_pubkey(certificate, subject_key)) {
    return false;
  }
  X509* const signer = issuer != nullptr ? issuer : certificate;
  if (!X509_set_issuer_name(certificate, X509_get_subject_name(signer))) return false;
  return what.is_ca ? AddCaExtensions(certificate) : AddLeafExtensions(certificate, signer, what);
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<X509>> SignCertificate(const CertificateTemplate& what,
                                                      EVP_PKEY* subject_key, X509* issuer,
                                                      EVP_PKEY* issuer_key) {
  bssl::UniquePtr<X509> certificate(X509_new());
  if (certificate == nullptr || !Fill(certificate.get(), what, subject_key, issuer) ||
      X509_sign(certificate.get(), issuer_key, EVP_sha256()) == 0) {
    ERR_clear_error();
    return absl::InternalError("BoringSSL cannot build a certificate for " + what.common_name +
                               ".");
  }
  return certificate;
}

}  // namespace fairlead::control
