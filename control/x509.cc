// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See x509.h: reading and writing. Signing is in x509_sign.cc.
#include "control/x509.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "control/sha256.h"

namespace fairlead::control {
namespace {

constexpr int kMinRsaBits = 2048;
// Checking a signature of a larger key takes too long to do it for strangers.
constexpr int kMaxRsaBits = 8192;

// Empties BoringSSL's error queue, so that nobody later takes our failure for theirs.
absl::Status Invalid(absl::string_view message) {
  ERR_clear_error();
  return absl::InvalidArgumentError(message);
}

bssl::UniquePtr<BIO> MemoryBio(absl::string_view data) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
}

std::string ContentsOf(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (BIO_mem_contents(bio, &data, &size) != 1) return std::string();
  return std::string(reinterpret_cast<const char*>(data), size);
}

absl::Status CheckKeyKind(const EVP_PKEY* key) {
  const int type = EVP_PKEY_id(key);
  if (type == EVP_PKEY_EC) {
    const EC_KEY* ec_key = EVP_PKEY_get0_EC_KEY(key);
    const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(ec_key));
    if (curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1) {
      return absl::OkStatus();
    }
  } else if (type == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_bits(key);
    if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return absl::OkStatus();
  }
  return Invalid(
      "The request's key is of a kind that is not accepted; use P-256, P-384, P-521, or RSA with "
      "2048 to 8192 bits.");
}

std::string CommonNameOf(X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return std::string();
  std::uint8_t* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  if (size < 0) {
    ERR_clear_error();
    return std::string();
  }
  const bssl::UniquePtr<std::uint8_t> owner(utf8);
  return std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
}

std::vector<std::string> NamesOf(const X509* certificate, int kind) {
  std::vector<std::string> names;
  const bssl::UniquePtr<GENERAL_NAMES> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (all == nullptr) {
    ERR_clear_error();
    return names;
  }
  for (const GENERAL_NAME* name : all.get()) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
    if (type != kind) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                       static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  return names;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr || !ASN1_TIME_diff(&days, &seconds, epoch.get(), time)) {
    ERR_clear_error();
    return absl::InfinitePast();
  }
  return absl::UnixEpoch() + days * absl::Hours(24) + absl::Seconds(seconds);
}

}  // namespace

absl::StatusOr<CertificateRequest> ParseCertificateRequest(absl::string_view der) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(der.data());
  const std::uint8_t* end = data;
  const bssl::UniquePtr<X509_REQ> request(
      d2i_X509_REQ(nullptr, &end, static_cast<long>(der.size())));
  if (request == nullptr || end != data + der.size()) {
    return Invalid("The body is not a PKCS #10 certificate request in DER, encoded in base64.");
  }
  CertificateRequest result;
  result.public_key.reset(X509_REQ_get_pubkey(request.get()));
  if (result.public_key == nullptr) return Invalid("The request's public key cannot be read.");
  FAIRLEAD_RETURN_IF_ERROR(CheckKeyKind(result.public_key.get()));
  if (X509_REQ_verify(request.get(), result.public_key.get()) != 1) {
    return Invalid("The request is not signed by its own key; sign it with the private key.");
  }
  result.public_key_sha256 = PublicKeySha256(result.public_key.get());
  if (result.public_key_sha256.empty()) return Invalid("The request's key cannot be encoded.");
  result.common_name = CommonNameOf(X509_REQ_get_subject_name(request.get()));
  return result;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> GenerateP256Key() {
  const bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (ec_key == nullptr || key == nullptr || !EC_KEY_generate_key(ec_key.get()) ||
      !EVP_PKEY_set1_EC_KEY(key.get(), ec_key.get())) {
    ERR_clear_error();
    return absl::InternalError("BoringSSL cannot make a P-256 key.");
  }
  return key;
}

std::string PrivateKeyToPem(EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)) {
    ERR_clear_error();
    return std::string();
  }
  return ContentsOf(bio.get());
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> PrivateKeyFromPem(absl::string_view pem) {
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Invalid("This is not a private key in PEM.");
  return key;
}

std::string CertificateToPem(X509* certificate) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!PEM_write_bio_X509(bio.get(), certificate)) {
    ERR_clear_error();
    return std::string();
  }
  return ContentsOf(bio.get());
}

absl::StatusOr<bssl::UniquePtr<X509>> CertificateFromPem(absl::string_view pem) {
  bssl::UniquePtr<X509> certificate(
      PEM_read_bio_X509(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Invalid("This is not a certificate in PEM.");
  return certificate;
}

std::string CertificateToDer(X509* certificate) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) {
    ERR_clear_error();
    return std::string();
  }
  const bssl::UniquePtr<std::uint8_t> owner(der);
  return std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
}

absl::StatusOr<bssl::UniquePtr<X509>> CertificateFromDer(absl::string_view der) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(der.data());
  const std::uint8_t* end = data;
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &end, static_cast<long>(der.size())));
  if (certificate == nullptr || end != data + der.size()) {
    return Invalid("This is not a certificate in DER.");
  }
  return certificate;
}

absl::StatusOr<std::string> BundleCertificates(const std::vector<X509*>& certificates) {
  const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (X509* certificate : certificates) {
    if (!bssl::PushToStack(stack.get(), bssl::UpRef(certificate))) {
      return absl::InternalError("BoringSSL has no memory for a list of certificates.");
    }
  }
  bssl::ScopedCBB cbb;
  std::uint8_t* der = nullptr;
  std::size_t size = 0;
  if (!CBB_init(cbb.get(), 2048) || !PKCS7_bundle_certificates(cbb.get(), stack.get()) ||
      !CBB_finish(cbb.get(), &der, &size)) {
    ERR_clear_error();
    return absl::InternalError("BoringSSL cannot write a PKCS #7 message.");
  }
  const bssl::UniquePtr<std::uint8_t> owner(der);
  return std::string(reinterpret_cast<const char*>(der), size);
}

std::vector<std::string> UrisOf(const X509* certificate) { return NamesOf(certificate, GEN_URI); }
std::vector<std::string> DnsNamesOf(const X509* certificate) {
  return NamesOf(certificate, GEN_DNS);
}
std::vector<std::string> AddressesOf(const X509* certificate) {
  return NamesOf(certificate, GEN_IPADD);
}

absl::Time NotBeforeOf(const X509* certificate) { return TimeOf(X509_get0_notBefore(certificate)); }
absl::Time NotAfterOf(const X509* certificate) { return TimeOf(X509_get0_notAfter(certificate)); }

std::string PublicKeySha256(const EVP_PKEY* key) {
  bssl::ScopedCBB cbb;
  std::uint8_t* der = nullptr;
  std::size_t size = 0;
  if (!CBB_init(cbb.get(), 512) || !EVP_marshal_public_key(cbb.get(), key) ||
      !CBB_finish(cbb.get(), &der, &size)) {
    ERR_clear_error();
    return std::string();
  }
  const bssl::UniquePtr<std::uint8_t> owner(der);
  return Sha256(absl::string_view(reinterpret_cast<const char*>(der), size));
}

}  // namespace fairlead::control
