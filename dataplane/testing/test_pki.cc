// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/testing/test_pki.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace fairlead::dataplane::testing {
namespace {

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "test certificates: %s failed\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

bssl::UniquePtr<EVP_PKEY> NewEcKey() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  Check(EC_KEY_generate_key(ec.get()), "making a P-256 key");
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  EVP_PKEY_set1_EC_KEY(key.get(), ec.get());
  return key;
}

// One for the whole program, since making one takes long.
bssl::UniquePtr<EVP_PKEY> TheRsaKey() {
  static EVP_PKEY* const shared = [] {
    bssl::UniquePtr<RSA> rsa(RSA_new());
    bssl::UniquePtr<BIGNUM> exponent(BN_new());
    BN_set_word(exponent.get(), RSA_F4);
    Check(RSA_generate_key_ex(rsa.get(), 2048, exponent.get(), nullptr), "making an RSA key");
    EVP_PKEY* key = EVP_PKEY_new();
    EVP_PKEY_set1_RSA(key, rsa.get());
    return key;
  }();
  EVP_PKEY_up_ref(shared);
  return bssl::UniquePtr<EVP_PKEY>(shared);
}

std::string ContentsOf(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(bio, &data, &size);
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string PemOf(X509* certificate) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return ContentsOf(bio.get());
}

std::string PemOf(EVP_PKEY* key) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return ContentsOf(bio.get());
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  Check(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension.get(), -1);
}

void SetName(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const std::uint8_t*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
}

// Without issuer and signature.
bssl::UniquePtr<X509> NewCertificate(const std::string& common_name, EVP_PKEY* key,
                                     absl::Duration not_before, absl::Duration not_after) {
  bssl::UniquePtr<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  bssl::UniquePtr<BIGNUM> serial(BN_new());
  BN_rand(serial.get(), 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get()));
  const absl::Time now = absl::Now();
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(now + not_before));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(now + not_after));
  SetName(X509_get_subject_name(certificate.get()), common_name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

std::string AlternativeNames(const LeafSpec& spec) {
  std::vector<std::string> names;
  for (const std::string& name : spec.dns_names) names.push_back("DNS:" + name);
  for (const std::string& address : spec.ip_addresses) names.push_back("IP:" + address);
  for (const std::string& uri : spec.uris) names.push_back("URI:" + uri);
  return absl::StrJoin(names, ",");
}

std::string ExtendedKeyUsage(const LeafSpec& spec) {
  if (spec.server_auth && spec.client_auth) return "serverAuth,clientAuth";
  return spec.server_auth ? "serverAuth" : "clientAuth";
}

}  // namespace

struct TestCa::State {
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;
};

LeafSpec ClientSpec(std::string uri) {
  LeafSpec spec;
  spec.common_name = "client";
  spec.dns_names.clear();
  spec.ip_addresses.clear();
  spec.uris = {std::move(uri)};
  spec.server_auth = false;
  spec.client_auth = true;
  return spec;
}

TestCa::TestCa(std::string common_name) : state_(std::make_unique<State>()) {
  state_->key = NewEcKey();
  state_->certificate =
      NewCertificate(common_name, state_->key.get(), -absl::Hours(48), absl::Hours(24 * 30));
  X509* certificate = state_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  AddExtension(certificate, certificate, NID_subject_key_identifier, "hash");
  Check(X509_sign(certificate, state_->key.get(), EVP_sha256()), "signing the CA");
  pem_ = PemOf(certificate);
}

TestCa::~TestCa() = default;

std::string TestCa::fingerprint() const { return FingerprintOfPem(pem_); }

std::string TestCa::key_pem() const { return PemOf(state_->key.get()); }

TlsIdentity TestCa::Issue(const LeafSpec& spec) const {
  const bssl::UniquePtr<EVP_PKEY> key = spec.key == KeyKind::kP256 ? NewEcKey() : TheRsaKey();
  const bssl::UniquePtr<X509> leaf =
      NewCertificate(spec.common_name, key.get(), spec.not_before, spec.not_after);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(state_->certificate.get()));
  X509* ca = state_->certificate.get();
  AddExtension(leaf.get(), ca, NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(leaf.get(), ca, NID_ext_key_usage, ExtendedKeyUsage(spec));
  const std::string names = AlternativeNames(spec);
  if (!names.empty()) AddExtension(leaf.get(), ca, NID_subject_alt_name, names);
  Check(X509_sign(leaf.get(), state_->key.get(), EVP_sha256()), "signing a leaf");
  TlsIdentity identity;
  identity.certificate_chain_pem = PemOf(leaf.get());
  if (spec.chain_with_ca) identity.certificate_chain_pem += pem_;
  identity.private_key_pem = PemOf(key.get());
  return identity;
}

std::string FingerprintOfPem(const std::string& pem) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  Check(certificate != nullptr, "parsing a certificate");
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest, &size);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

}  // namespace fairlead::dataplane::testing
