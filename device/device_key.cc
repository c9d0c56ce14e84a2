// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/device_key.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::device {
namespace {

using Key = bssl::UniquePtr<EVP_PKEY>;

std::string Contents(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (!BIO_mem_contents(bio, &data, &size)) return "";
  return std::string(reinterpret_cast<const char*>(data), size);
}

bssl::UniquePtr<BIO> Reader(absl::string_view text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<Key> ParseKey(absl::string_view pem) {
  Key key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr)
    return absl::InvalidArgumentError("the device's key is not a PEM private key");
  return key;
}

// Days and seconds since the epoch, as X.509 counts them.
absl::Time TimeOf(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!ASN1_TIME_diff(&days, &seconds, epoch.get(), time)) return absl::InfinitePast();
  return absl::UnixEpoch() + absl::Hours(24) * days + absl::Seconds(seconds);
}

std::string CommonNameOf(X509* certificate) {
  char name[128] = {};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name, sizeof name);
  return size > 0 ? std::string(name, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

absl::StatusOr<std::string> MakeKey() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  Key key(EVP_PKEY_new());
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  if (ec == nullptr || !EC_KEY_generate_key(ec.get()) ||
      !EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) ||
      !PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)) {
    return absl::InternalError("the device's key pair could not be made");
  }
  return Contents(out.get());
}

absl::Status CheckKey(absl::string_view key_pem) { return ParseKey(key_pem).status(); }

absl::StatusOr<std::string> MakeCertificateRequest(absl::string_view key_pem,
                                                   absl::string_view unit_id) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Key key, ParseKey(key_pem));
  bssl::UniquePtr<X509_REQ> request(X509_REQ_new());
  const auto* name = reinterpret_cast<const std::uint8_t*>(unit_id.data());
  std::uint8_t* der = nullptr;
  if (unit_id.empty() || !X509_REQ_set_version(request.get(), 0) ||
      !X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName,
                                  MBSTRING_UTF8, const_cast<std::uint8_t*>(name),
                                  static_cast<int>(unit_id.size()), -1, 0) ||
      !X509_REQ_set_pubkey(request.get(), key.get()) ||
      !X509_REQ_sign(request.get(), key.get(), EVP_sha256())) {
    return absl::InvalidArgumentError(
        absl::StrCat("no certificate can be requested for the unit ID \"", unit_id, "\""));
  }
  const int size = i2d_X509_REQ(request.get(), &der);
  const bssl::UniquePtr<std::uint8_t> owned(der);
  if (size <= 0) return absl::InternalError("the certificate request could not be encoded");
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
}

absl::StatusOr<std::string> PutOwnFirst(absl::string_view certificates_pem,
                                        absl::string_view key_pem) {
  constexpr absl::string_view kEnd = "-----END CERTIFICATE-----\n";
  std::string own;
  std::string others;
  while (!certificates_pem.empty()) {
    const std::size_t end = certificates_pem.find(kEnd);
    if (end == absl::string_view::npos) break;
    const absl::string_view one = certificates_pem.substr(0, end + kEnd.size());
    certificates_pem.remove_prefix(one.size());
    const bool is_own = own.empty() && InspectCertificate(one, key_pem).ok();
    absl::StrAppend(is_own ? &own : &others, one);
  }
  if (own.empty()) {
    return absl::InvalidArgumentError("the server's certificates were made for another key");
  }
  return own + others;
}

absl::StatusOr<CertificateFacts> InspectCertificate(absl::string_view chain_pem,
                                                    absl::string_view key_pem) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Key key, ParseKey(key_pem));
  const bssl::UniquePtr<X509> certificate(
      PEM_read_bio_X509(Reader(chain_pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return absl::InvalidArgumentError("the device's certificate is not a PEM certificate");
  }
  const Key certified(X509_get_pubkey(certificate.get()));
  if (certified == nullptr || EVP_PKEY_cmp(certified.get(), key.get()) != 1) {
    return absl::InvalidArgumentError("the device's certificate was made for another key");
  }
  CertificateFacts facts;
  facts.common_name = CommonNameOf(certificate.get());
  facts.not_before = TimeOf(X509_get0_notBefore(certificate.get()));
  facts.not_after = TimeOf(X509_get0_notAfter(certificate.get()));
  return facts;
}

}  // namespace fairlead::device
