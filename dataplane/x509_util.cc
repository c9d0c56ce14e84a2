// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Parsing and describing certificates; x509_verify.cc decides about trust.
#include "dataplane/x509_util.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace fairlead::dataplane {
namespace {

bssl::UniquePtr<BIO> BioOver(absl::string_view text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
}

std::string AddressText(const ASN1_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "";
  inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text));
  return text;
}

bssl::UniquePtr<GENERAL_NAMES> AlternativeNamesOf(const X509& certificate) {
  return bssl::UniquePtr<GENERAL_NAMES>(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string CommonNameOf(const X509& certificate) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return "";
  ASN1_STRING* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  std::uint8_t* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, data);
  if (size < 0) return "";
  bssl::UniquePtr<std::uint8_t> owner(utf8);
  return std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!ASN1_TIME_diff(&days, &seconds, epoch.get(), time)) {
    return absl::InfinitePast();
  }
  return absl::UnixEpoch() + absl::Hours(24) * days + absl::Seconds(seconds);
}

}  // namespace

absl::StatusOr<Certificates> ParseCertificatesPem(absl::string_view pem, absl::string_view what) {
  bssl::UniquePtr<BIO> bio = BioOver(pem);
  Certificates result;
  for (;;) {
    bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    result.push_back(std::move(certificate));
  }
  const std::uint32_t error = ERR_peek_last_error();
  ERR_clear_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) {
    return absl::InvalidArgumentError(absl::StrCat("cannot parse certificate ", result.size() + 1,
                                                   " of ", what,
                                                   ": it is not an X.509 certificate in PEM form"));
  }
  if (result.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----"));
  }
  return result;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKeyPem(absl::string_view pem) {
  bssl::UniquePtr<BIO> bio = BioOver(pem);
  // An empty pass phrase keeps the library from asking for one on the terminal.
  char no_pass_phrase[] = "";
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_pass_phrase));
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        "cannot parse the private key: it must be PEM, PKCS#8, SEC1 or PKCS#1, without a pass "
        "phrase");
  }
  return key;
}

absl::StatusOr<std::string> ParseFingerprint(absl::string_view text) {
  std::string digits = absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{":", ""}});
  bool valid = digits.size() == 64;
  for (const char digit : digits) valid = valid && absl::ascii_isxdigit(digit);
  if (!valid) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is not a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed"));
  }
  return absl::HexStringToBytes(digits);
}

std::string DerOf(const X509& certificate) {
  std::uint8_t* bytes = nullptr;
  // i2d functions take a mutable pointer for historical reasons and do not change the object.
  const int size = i2d_X509(const_cast<X509*>(&certificate), &bytes);
  if (size < 0) return "";
  bssl::UniquePtr<std::uint8_t> owner(bytes);
  return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::string FingerprintOf(const X509& certificate) {
  const std::string der = DerOf(certificate);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

Validity ValidityOf(const X509& certificate) {
  Validity validity;
  validity.not_before = TimeOf(X509_get0_notBefore(&certificate));
  validity.not_after = TimeOf(X509_get0_notAfter(&certificate));
  return validity;
}

PeerCertificate DescribeCertificate(const X509& certificate) {
  PeerCertificate result;
  result.der = DerOf(certificate);
  result.fingerprint = FingerprintOf(certificate);
  result.common_name = CommonNameOf(certificate);
  result.not_after = ValidityOf(certificate).not_after;
  const bssl::UniquePtr<GENERAL_NAMES> names = AlternativeNamesOf(certificate);
  for (std::size_t i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) result.uris.push_back(TextOf(name->d.uniformResourceIdentifier));
  }
  return result;
}

std::vector<std::string> NamesOf(const X509& certificate) {
  std::vector<std::string> result;
  const bssl::UniquePtr<GENERAL_NAMES> names = AlternativeNamesOf(certificate);
  for (std::size_t i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) result.push_back(TextOf(name->d.dNSName));
    if (name->type == GEN_IPADD) result.push_back(AddressText(name->d.iPAddress));
  }
  return result;
}

bool IsIpAddress(absl::string_view name) {
  const std::string text(name);
  std::uint8_t bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace fairlead::dataplane
