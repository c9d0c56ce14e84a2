// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A small CA in memory that answers requests as an EST server does, and does as it is told:
// refuses, loses answers, issues for another key. Used by the tests of enrolment.
#ifndef FAIRLEAD_DEVICE_TESTING_FAKE_CA_H_
#define FAIRLEAD_DEVICE_TESTING_FAKE_CA_H_

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "device/device_key.h"
#include "device/enroll.h"
#include "gtest/gtest.h"

namespace fairlead::device {

// Issues certificates for requests, as an EST server does.
class FakeCa : public EstTransport {
 public:
  // One that nobody knows.
  FakeCa() : FakeCa(*MakeKey(), "") {}
  // Issues in the name of the CA that has this key and this certificate, both PEM.
  FakeCa(const std::string& key_pem, const std::string& certificate_pem) {
    key_.reset(PEM_read_bio_PrivateKey(MemoryBio(key_pem).get(), nullptr, nullptr, nullptr));
    if (certificate_pem.empty()) return;
    certificate_.reset(
        PEM_read_bio_X509(MemoryBio(certificate_pem).get(), nullptr, nullptr, nullptr));
  }

  net::awaitable<absl::StatusOr<dataplane::HttpResponse>> Send(
      dataplane::HttpRequest request) override {
    requests_.push_back(request);
    dataplane::HttpResponse response;
    if (absl::EndsWith(request.path, "/cacerts")) {
      response.body = CertsOnly(key_.get());
    } else if (status_ != 200) {
      response.status = status_;
      response.body = "no\nway";
    } else {
      response.body = Answer(request.body);
    }
    if (lose_replies_ > 0 && !absl::EndsWith(request.path, "/cacerts")) {
      --lose_replies_;
      co_return absl::UnavailableError("lost half-way");
    }
    co_return response;
  }

  void RefuseWith(int status) { status_ = status; }
  void LoseReplies(int count) { lose_replies_ = count; }
  void IssueForAnotherKey() { wrong_key_ = true; }
  void Lifetime(absl::Duration before, absl::Duration after) {
    before_ = before;
    after_ = after;
  }
  const std::vector<dataplane::HttpRequest>& requests() const { return requests_; }

 private:
  static bssl::UniquePtr<BIO> MemoryBio(const std::string& text) {
    return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  }

  std::string Answer(const std::string& body) {
    std::string der;
    EXPECT_TRUE(absl::Base64Unescape(body, &der));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(der.data());
    const bssl::UniquePtr<X509_REQ> csr(d2i_X509_REQ(nullptr, &bytes, der.size()));
    EXPECT_NE(csr, nullptr);
    const bssl::UniquePtr<EVP_PKEY> key(X509_REQ_get_pubkey(csr.get()));
    EXPECT_EQ(X509_REQ_verify(csr.get(), key.get()), 1);
    return CertsOnly(wrong_key_ ? key_.get() : key.get());
  }

  bssl::UniquePtr<X509> Issue(EVP_PKEY* subject_key) {
    bssl::UniquePtr<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    const auto now = static_cast<time_t>(absl::ToUnixSeconds(absl::Now()));
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now - absl::ToInt64Seconds(before_));
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now + absl::ToInt64Seconds(after_));
    X509_set_pubkey(certificate.get(), subject_key);
    if (certificate_ != nullptr) {
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    }
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    return certificate;
  }

  // The certificate and two of the CA, in whatever order the encoding gives.
  std::string CertsOnly(EVP_PKEY* subject_key) {
    const bssl::UniquePtr<STACK_OF(X509)> list(sk_X509_new_null());
    sk_X509_push(list.get(), Issue(key_.get()).release());
    sk_X509_push(list.get(), Issue(subject_key).release());
    sk_X509_push(list.get(), Issue(key_.get()).release());
    bssl::ScopedCBB out;
    std::uint8_t* der = nullptr;
    std::size_t size = 0;
    EXPECT_TRUE(CBB_init(out.get(), 1024) && PKCS7_bundle_certificates(out.get(), list.get()) &&
                CBB_finish(out.get(), &der, &size));
    const bssl::UniquePtr<std::uint8_t> owned(der);
    const std::string base64 =
        absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(der), size));
    // As servers send it: lines of 64.
    std::string lines;
    for (std::size_t i = 0; i < base64.size(); i += 64) {
      absl::StrAppend(&lines, base64.substr(i, 64), "\r\n");
    }
    return lines;
  }

  bssl::UniquePtr<EVP_PKEY> key_;
  // Null for one that nobody knows.
  bssl::UniquePtr<X509> certificate_;
  int serial_ = 0;
  int status_ = 200;
  int lose_replies_ = 0;
  bool wrong_key_ = false;
  absl::Duration before_ = absl::Hours(1);
  absl::Duration after_ = absl::Hours(24 * 30);
  std::vector<dataplane::HttpRequest> requests_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TESTING_FAKE_CA_H_
