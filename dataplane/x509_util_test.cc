// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers parsing and describing certificates; tls_engine_test.cc covers which ones are trusted.
#include "dataplane/x509_util.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_pki.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::ClientSpec;
using ::fairlead::dataplane::testing::FingerprintOfPem;
using ::fairlead::dataplane::testing::KeyKind;
using ::fairlead::dataplane::testing::LeafSpec;
using ::fairlead::dataplane::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ParseCertificatesPem, GivesAllInOrder) {
  const TestCa ca;
  const TlsIdentity identity = ca.Issue({});

  const auto chain = ParseCertificatesPem(identity.certificate_chain_pem, "the chain");

  ASSERT_THAT(chain, IsOk());
  ASSERT_EQ(chain->size(), 2u);
  EXPECT_EQ(absl::BytesToHexString(FingerprintOf(*(*chain)[0])),
            FingerprintOfPem(identity.certificate_chain_pem));
  EXPECT_EQ(absl::BytesToHexString(FingerprintOf(*(*chain)[1])), ca.fingerprint());
}

TEST(ParseCertificatesPem, RefusesWhatIsNone) {
  const TestCa ca;
  const auto kInvalid = absl::StatusCode::kInvalidArgument;

  EXPECT_THAT(ParseCertificatesPem("", "the CA file"),
              StatusIs(kInvalid, HasSubstr("the CA file holds no certificate")));
  EXPECT_THAT(ParseCertificatesPem("hello", "the CA file"), StatusIs(kInvalid));
  EXPECT_THAT(
      ParseCertificatesPem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "it"),
      StatusIs(kInvalid, HasSubstr("certificate 1 of it")));
  EXPECT_THAT(ParseCertificatesPem(ca.pem().substr(0, ca.pem().size() / 2), "it"),
              StatusIs(kInvalid));
  EXPECT_THAT(ParseCertificatesPem(ca.pem() + ca.pem().substr(0, 200), "it"),
              StatusIs(kInvalid, HasSubstr("certificate 2 of it")));
}

TEST(ParsePrivateKeyPem, TakesBothKinds) {
  const TestCa ca;
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kRsa2048}) {
    LeafSpec spec;
    spec.key = kind;

    const auto key = ParsePrivateKeyPem(ca.Issue(spec).private_key_pem);

    ASSERT_THAT(key, IsOk());
    EXPECT_EQ(EVP_PKEY_id(key->get()), kind == KeyKind::kP256 ? EVP_PKEY_EC : EVP_PKEY_RSA);
  }
  EXPECT_THAT(ParsePrivateKeyPem(ca.pem()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseFingerprint, TakesDigitsWithAndWithoutColons) {
  const std::string digits(64, 'a');
  std::string colons = "AA";
  for (int i = 0; i < 31; ++i) colons += ":AA";

  EXPECT_EQ(ParseFingerprint(digits).value(), std::string(32, '\xAA'));
  EXPECT_EQ(ParseFingerprint(" " + colons + "\n").value(), std::string(32, '\xAA'));
  for (const std::string& bad : {std::string(), std::string(63, 'a'), std::string(64, 'g')}) {
    EXPECT_THAT(ParseFingerprint(bad), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(DescribeCertificate, GivesNameUrisAndEnd) {
  const TestCa ca;
  LeafSpec spec = ClientSpec("urn:fairlead:device:00E0C514325B");
  spec.uris.push_back("urn:fairlead:server:ums");
  spec.common_name = "J\xC3\xBCrgen";
  const TlsIdentity identity = ca.Issue(spec);

  const auto chain = ParseCertificatesPem(identity.certificate_chain_pem, "it");
  const PeerCertificate description = DescribeCertificate(*(*chain)[0]);

  EXPECT_EQ(description.common_name, "J\xC3\xBCrgen");
  EXPECT_THAT(description.uris,
              ElementsAre("urn:fairlead:device:00E0C514325B", "urn:fairlead:server:ums"));
  EXPECT_EQ(description.fingerprint.size(), 32u);
  EXPECT_EQ(description.der, DerOf(*(*chain)[0]));
  const absl::Duration left = description.not_after - absl::Now();
  EXPECT_GT(left, absl::Hours(23));
  EXPECT_LE(left, absl::Hours(24));
  EXPECT_THAT(NamesOf(*(*chain)[0]), IsEmpty());
}

TEST(NamesOf, GivesNamesAndAddresses) {
  const TestCa ca;
  const auto chain = ParseCertificatesPem(ca.Issue({}).certificate_chain_pem, "it");

  EXPECT_THAT(NamesOf(*(*chain)[0]), ElementsAre("localhost", "127.0.0.1", "::1"));
  EXPECT_THAT(NamesOf(*(*chain)[1]), IsEmpty());
}

TEST(IsIpAddress, TellsNamesFromAddresses) {
  EXPECT_TRUE(IsIpAddress("127.0.0.1"));
  EXPECT_TRUE(IsIpAddress("2001:db8::1"));
  EXPECT_FALSE(IsIpAddress("localhost"));
  EXPECT_FALSE(IsIpAddress("127.0.0.1.example"));
  EXPECT_FALSE(IsIpAddress(""));
}

}  // namespace
}  // namespace fairlead::dataplane
