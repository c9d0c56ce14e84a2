// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See certs_only.h.
#include "dataplane/certs_only.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"

namespace fairlead::dataplane {
namespace {

struct FreeCertificates {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};

std::string Contents(BIO* bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (!BIO_mem_contents(bio, &data, &size)) return "";
  return std::string(reinterpret_cast<const char*>(data), size);
}

}  // namespace

absl::StatusOr<std::string> ParseCertsOnly(absl::string_view base64) {
  std::string der;
  const std::string one_line = absl::StrReplaceAll(base64, {{"\r", ""}, {"\n", ""}, {" ", ""}});
  if (!absl::Base64Unescape(one_line, &der)) {
    return absl::InvalidArgumentError("the server's certificates are not in base64");
  }
  const std::unique_ptr<STACK_OF(X509), FreeCertificates> certificates(sk_X509_new_null());
  CBS input;
  CBS_init(&input, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  if (!PKCS7_get_certificates(certificates.get(), &input) || sk_X509_num(certificates.get()) == 0) {
    return absl::InvalidArgumentError("the server's answer is not a PKCS #7 list of certificates");
  }
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  for (std::size_t i = 0; i < sk_X509_num(certificates.get()); ++i) {
    if (!PEM_write_bio_X509(out.get(), sk_X509_value(certificates.get(), i))) {
      return absl::InternalError("a certificate could not be encoded");
    }
  }
  return Contents(out.get());
}

}  // namespace fairlead::dataplane
