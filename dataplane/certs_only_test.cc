// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the reading of EST's certs-only answers.
#include "dataplane/certs_only.h"

#include <openssl/bytestring.h>
#include <openssl/mem.h>
#include <openssl/pkcs7.h>
#include <openssl/stack.h>

#include <string>

#include "absl/strings/escaping.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/x509_util.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

TEST(ParseCertsOnly, GivesTheCertificatesAsPem) {
  const testing::TestCa ca;
  const auto certificates = ParseCertificatesPem(ca.pem(), "the CA");
  ASSERT_THAT(certificates, IsOk());
  const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  sk_X509_push(stack.get(), bssl::UpRef(certificates->front().get()).release());
  CBB out;
  std::uint8_t* der = nullptr;
  std::size_t size = 0;
  ASSERT_TRUE(CBB_init(&out, 0) && PKCS7_bundle_certificates(&out, stack.get()) &&
              CBB_finish(&out, &der, &size));
  const bssl::UniquePtr<std::uint8_t> owned(der);
  std::string text =
      absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(der), size));
  EXPECT_EQ(*ParseCertsOnly(text), ca.pem());
  text.insert(64, "\r\n");
  EXPECT_EQ(*ParseCertsOnly(text), ca.pem());
}

TEST(ParseCertsOnly, RefusesOtherThings) {
  for (const char* text : {"", "!", "AAAA", "MAA="}) {
    EXPECT_THAT(ParseCertsOnly(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

}  // namespace
}  // namespace fairlead::dataplane
