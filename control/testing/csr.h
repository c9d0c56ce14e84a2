// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Makes PKCS #10 requests and reads PKCS #7 answers, as a device does. Used by tests only.
#ifndef FAIRLEAD_CONTROL_TESTING_CSR_H_
#define FAIRLEAD_CONTROL_TESTING_CSR_H_

#include <openssl/base.h>
#include <openssl/bytestring.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "control/x509.h"

namespace fairlead::control {

inline bssl::UniquePtr<EVP_PKEY> EcKeyForTest(int curve = NID_X9_62_prime256v1) {
  const bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_new_by_curve_name(curve));
  EC_KEY_generate_key(ec_key.get());
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  EVP_PKEY_set1_EC_KEY(key.get(), ec_key.get());
  return key;
}

inline bssl::UniquePtr<EVP_PKEY> RsaKeyForTest(int bits) {
  const bssl::UniquePtr<RSA> rsa(RSA_new());
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  BN_set_word(exponent.get(), RSA_F4);
  RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr);
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  EVP_PKEY_set1_RSA(key.get(), rsa.get());
  return key;
}

// A request in DER for `key`, signed by `signer`, or by `key` itself.
inline std::string CsrForTest(EVP_PKEY* key, const std::string& common_name,
                              EVP_PKEY* signer = nullptr) {
  const bssl::UniquePtr<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_version(request.get(), 0);
  X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request.get()), NID_commonName,
                             MBSTRING_UTF8,
                             reinterpret_cast<const std::uint8_t*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_REQ_set_pubkey(request.get(), key);
  X509_REQ_sign(request.get(), signer != nullptr ? signer : key, EVP_sha256());
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  const bssl::UniquePtr<std::uint8_t> owner(der);
  return std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
}

// The certificates, DER, in the body of an EST answer; none if it cannot be read.
inline std::vector<std::string> CertificatesInBody(const std::string& body) {
  std::string pkcs7;
  std::vector<std::string> certificates;
  if (!absl::Base64Unescape(body, &pkcs7)) return certificates;
  CBS cbs;
  CBS_init(&cbs, reinterpret_cast<const std::uint8_t*>(pkcs7.data()), pkcs7.size());
  const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  if (!PKCS7_get_certificates(stack.get(), &cbs)) return certificates;
  for (X509* certificate : stack.get()) certificates.push_back(CertificateToDer(certificate));
  return certificates;
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_CSR_H_
