// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The certificate authority: what its certificates say, which requests it reads, and that its files
// survive restarts and are made anew when they must be.
#include "control/certificate_authority.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/state_file.h"
#include "base/status_matchers.h"
#include "base/unit_id.h"
#include "control/link_identity.h"
#include "control/testing/csr.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FreshFolder() {
  std::string path = absl::StrCat(::testing::TempDir(), "/ca-XXXXXX");
  EXPECT_NE(mkdtemp(&path[0]), nullptr);
  return path;
}

mode_t ModeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

// Whether `leaf` chains to `root` for `purpose` at `now`, by BoringSSL's own verification.
bool Verifies(X509* leaf, X509* root, int purpose, absl::Time now) {
  const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root);
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  return X509_verify_cert(context.get()) == 1;
}

class CertificateAuthorityTest : public ::testing::Test {
 protected:
  std::unique_ptr<CertificateAuthority> Open() {
    auto authority = CertificateAuthority::OpenOrCreate(folder_, clock_);
    EXPECT_THAT(authority, IsOk());
    return *std::move(authority);
  }
  bssl::UniquePtr<X509> Root(const CertificateAuthority& authority) {
    return CertificateFromPem(authority.certificate_pem()).value();
  }

  FakeClock clock_;
  const std::string folder_ = FreshFolder();
};

TEST_F(CertificateAuthorityTest, IsMadeOnceWithAPrivateKey) {
  const auto first = Open();
  const auto second = Open();

  EXPECT_EQ(first->certificate_pem(), second->certificate_pem());
  EXPECT_EQ(first->Sha256Fingerprint(), second->Sha256Fingerprint());
  EXPECT_EQ(first->Sha256Fingerprint().size(), 64u);
  EXPECT_EQ(ModeOf(folder_ + "/ca_key.pem"), 0600u);
  EXPECT_EQ(ReadStateFile(first->certificate_file()).value(), first->certificate_pem());
  const auto root = Root(*first);
  EXPECT_EQ(NotBeforeOf(root.get()), clock_.Now() - absl::Hours(1));
  EXPECT_EQ(NotAfterOf(root.get()), clock_.Now() + absl::Hours(24 * 7305));
}

TEST_F(CertificateAuthorityTest, MendsACrashBetweenKeyAndCertificate) {
  Open();
  ASSERT_EQ(unlink((folder_ + "/ca.pem").c_str()), 0);

  const auto again = Open();

  EXPECT_NE(again, nullptr);
}

TEST_F(CertificateAuthorityTest, RefusesToReplaceALostOrForeignKey) {
  Open();
  const std::string other = FreshFolder();
  ASSERT_THAT(CertificateAuthority::OpenOrCreate(other, clock_), IsOk());
  ASSERT_THAT(
      WriteStateFile(folder_ + "/ca_key.pem", ReadStateFile(other + "/ca_key.pem").value(), 0600),
      IsOk());
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("do not belong together")));

  ASSERT_EQ(unlink((folder_ + "/ca_key.pem").c_str()), 0);
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("backup")));

  ASSERT_THAT(WriteStateFile(folder_ + "/ca_key.pem", "nonsense", 0600), IsOk());
  EXPECT_THAT(CertificateAuthority::OpenOrCreate(folder_, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no private key")));
}

TEST_F(CertificateAuthorityTest, DeviceCertificatesSayWhoAndWhatFor) {
  const auto authority = Open();
  const auto key = EcKeyForTest();

  const IssuedCertificate issued =
      authority->IssueDeviceCertificate("00E0C514325B", key.get()).value();

  const auto certificate = CertificateFromDer(issued.der).value();
  const auto root = Root(*authority);
  EXPECT_THAT(UrisOf(certificate.get()), ElementsAre("urn:fairlead:device:00E0C514325B"));
  EXPECT_EQ(NotBeforeOf(certificate.get()), clock_.Now() - absl::Hours(1));
  EXPECT_EQ(issued.not_after, clock_.Now() + absl::Hours(24 * 365));
  EXPECT_TRUE(Verifies(certificate.get(), root.get(), X509_PURPOSE_SSL_CLIENT, clock_.Now()));
  EXPECT_FALSE(Verifies(certificate.get(), root.get(), X509_PURPOSE_SSL_SERVER, clock_.Now()));
  EXPECT_FALSE(X509_check_ca(certificate.get()));
  EXPECT_THAT(authority->CheckDeviceCertificate(issued.der).value(), "00E0C514325B");
  const IssuedCertificate next =
      authority->IssueDeviceCertificate("00E0C514325B", key.get()).value();
  EXPECT_NE(issued.fingerprint, next.fingerprint) << "serial numbers are random";
}

TEST_F(CertificateAuthorityTest, ChecksDeviceCertificates) {
  const auto authority = Open();
  const auto key = EcKeyForTest();
  const std::string der = authority->IssueDeviceCertificate("A", key.get())->der;
  const auto stranger = CertificateAuthority::CreateInMemory(clock_).value();
  const std::string foreign = stranger->IssueDeviceCertificate("A", key.get())->der;
  const auto server = authority->EnsureServerCertificate(folder_, "ums", {"localhost"}).value();
  const std::string server_der =
      CertificateToDer(CertificateFromPem(server.certificate_chain_pem)->get());
  const auto denied = [&](const std::string& text) {
    return StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr(text));
  };

  EXPECT_THAT(authority->CheckDeviceCertificate(foreign), denied("not issued by this server"));
  EXPECT_THAT(authority->CheckDeviceCertificate(server_der), denied("not a device's"));
  EXPECT_THAT(authority->CheckDeviceCertificate(der + "x"), denied("not issued"));
  EXPECT_THAT(authority->CheckDeviceCertificate(""), denied("not issued"));
  clock_.Advance(absl::Hours(24 * 366));
  EXPECT_THAT(authority->CheckDeviceCertificate(der), denied("not valid now"));
}

TEST_F(CertificateAuthorityTest, RefusesWhatIsNoUnitId) {
  const auto authority = Open();
  const auto key = EcKeyForTest();

  for (const std::string& bad :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a/b"),
        std::string("a:b"), std::string("."), std::string(".."), std::string("\xC3\xA4"),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(IsUnitId(bad)) << bad;
    EXPECT_FALSE(authority->IssueDeviceCertificate(bad, key.get()).ok());
  }
  EXPECT_TRUE(IsUnitId(std::string(64, 'a')));
  EXPECT_TRUE(IsUnitId("00-E0_c5.1"));
  EXPECT_THAT(authority->IssueDeviceCertificate(std::string(64, 'a'), key.get()), IsOk());
}

TEST_F(CertificateAuthorityTest, TheServersCertificateIsKeptUntilSomethingChanges) {
  const auto authority = Open();
  const std::vector<std::string> names = {"ums.example", "localhost", "127.0.0.1", "::1"};
  const ServerCertificate first = authority->EnsureServerCertificate(folder_, "ums", names).value();

  EXPECT_EQ(authority->EnsureServerCertificate(folder_, "ums", names)->certificate_chain_pem,
            first.certificate_chain_pem);
  const auto certificate = CertificateFromPem(first.certificate_chain_pem).value();
  const auto root = Root(*authority);
  EXPECT_TRUE(Verifies(certificate.get(), root.get(), X509_PURPOSE_SSL_SERVER, clock_.Now()));
  EXPECT_TRUE(Verifies(certificate.get(), root.get(), X509_PURPOSE_SSL_CLIENT, clock_.Now()));
  EXPECT_EQ(X509_check_host(certificate.get(), "ums.example", 11, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0), 1);
  EXPECT_THAT(UrisOf(certificate.get()), ElementsAre("urn:fairlead:server:ums"));
  EXPECT_EQ(ModeOf(first.private_key_file), 0600u);
  EXPECT_THAT(first.certificate_chain_pem, HasSubstr(authority->certificate_pem()));

  const ServerCertificate other =
      authority->EnsureServerCertificate(folder_, "ums", {"other.example"}).value();
  EXPECT_NE(other.certificate_chain_pem, first.certificate_chain_pem);
  EXPECT_EQ(other.private_key_pem, first.private_key_pem);
  clock_.Advance(absl::Hours(24 * 334));
  EXPECT_EQ(
      authority->EnsureServerCertificate(folder_, "ums", {"other.example"})->certificate_chain_pem,
      other.certificate_chain_pem);
  clock_.Advance(absl::Hours(24 * 2));
  EXPECT_NE(
      authority->EnsureServerCertificate(folder_, "ums", {"other.example"})->certificate_chain_pem,
      other.certificate_chain_pem);
}

TEST_F(CertificateAuthorityTest, TheServersCertificateIsMendedWhenDamaged) {
  const auto authority = Open();
  const ServerCertificate first =
      authority->EnsureServerCertificate(folder_, "ums", {"localhost"}).value();
  ASSERT_THAT(WriteStateFile(first.certificate_file, "damaged", 0644), IsOk());

  const ServerCertificate again =
      authority->EnsureServerCertificate(folder_, "ums", {"localhost"}).value();

  EXPECT_EQ(ReadStateFile(again.certificate_file).value(), again.certificate_chain_pem);
  EXPECT_THAT(CertificateFromPem(again.certificate_chain_pem), IsOk());
}

TEST_F(CertificateAuthorityTest, RefusesBadServerNames) {
  const auto authority = Open();

  for (const char* bad : {"", "a b", "-a", ".a", "a/b", "http://a", "1.2.3.4:5"}) {
    EXPECT_THAT(authority->EnsureServerCertificate(folder_, "ums", {bad}),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
  EXPECT_FALSE(authority->EnsureServerCertificate(folder_, "ums", {}).ok());
  EXPECT_FALSE(authority->EnsureServerCertificate(folder_, "u/ms", {"a"}).ok());
}

TEST_F(CertificateAuthorityTest, IcgCertificatesSayWhoAndWhere) {
  const auto authority = Open();

  const auto identity =
      authority->IssueIcgCertificate("berlin-1", {"icg.example", "10.0.0.1", "ICG.example", "::1"});

  ASSERT_THAT(identity, IsOk());
  const auto leaf = CertificateFromPem(identity->certificate_chain_pem).value();
  const auto root = Root(*authority);
  EXPECT_THAT(UrisOf(leaf.get()), ElementsAre("urn:fairlead:icg:berlin-1"));
  EXPECT_THAT(DnsNamesOf(leaf.get()), ElementsAre("icg.example"));
  EXPECT_EQ(AddressesOf(leaf.get()).size(), 2u);
  EXPECT_TRUE(Verifies(leaf.get(), root.get(), X509_PURPOSE_SSL_SERVER, clock_.Now()));
  EXPECT_TRUE(Verifies(leaf.get(), root.get(), X509_PURPOSE_SSL_CLIENT, clock_.Now()));
  const auto key = PrivateKeyFromPem(identity->private_key_pem).value();
  EXPECT_EQ(X509_check_private_key(leaf.get(), key.get()), 1);
  EXPECT_EQ(identity->public_key_sha256, PublicKeySha256(key.get()));
  EXPECT_EQ(identity->certificate.fingerprint.size(), 32u);
  EXPECT_EQ(identity->certificate.not_after, clock_.Now() + kLeafValidity);
  EXPECT_THAT(identity->certificate_chain_pem, HasSubstr(authority->certificate_pem()));
  EXPECT_THAT(authority->CheckDeviceCertificate(identity->certificate.der),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(CertificateAuthorityTest, RefusesBadNamesOfIcgs) {
  const auto authority = Open();

  for (const char* bad : {"", "Berlin", "a b", "a.b", "a/b"}) {
    EXPECT_THAT(authority->IssueIcgCertificate(bad, {"icg.example"}),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(authority->IssueIcgCertificate("a", {"no spaces"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no spaces")));
  EXPECT_THAT(authority->IssueIcgCertificate("a", {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificateAuthorityTest, LinkIdentitiesAreFreshAndHaveTheServerRole) {
  const auto authority = Open();

  const IssuedIdentity first = authority->IssueLinkIdentity("ums").value();
  const IssuedIdentity second = authority->IssueLinkIdentity("ums").value();

  EXPECT_NE(first.private_key_pem, second.private_key_pem);
  const auto leaf = CertificateFromPem(first.certificate_chain_pem).value();
  const auto root = Root(*authority);
  EXPECT_THAT(UrisOf(leaf.get()), ElementsAre("urn:fairlead:server:ums"));
  EXPECT_TRUE(Verifies(leaf.get(), root.get(), X509_PURPOSE_SSL_CLIENT, clock_.Now()));
  EXPECT_FALSE(Verifies(leaf.get(), root.get(), X509_PURPOSE_SSL_CLIENT,
                        clock_.Now() + kLinkValidity + absl::Minutes(1)));
  EXPECT_THAT(authority->IssueLinkIdentity("no spaces"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CertificateAuthorityTest, TheLinkIdentityIsKeptForADay) {
  const auto authority = Open();
  LinkIdentity identity(*authority, "ums", clock_);
  const std::string first = identity.Get()->private_key_pem;

  clock_.Advance(absl::Hours(23));
  EXPECT_EQ(identity.Get()->private_key_pem, first);
  clock_.Advance(absl::Hours(2));
  EXPECT_NE(identity.Get()->private_key_pem, first);
}

TEST_F(CertificateAuthorityTest, BundlesHoldTheRootOrTheLeafAlone) {
  const auto authority = Open();
  const auto key = EcKeyForTest();
  const std::string der = authority->IssueDeviceCertificate("A", key.get())->der;
  const std::string root = CertificateToDer(Root(*authority).get());

  EXPECT_THAT(CertificatesInBody(absl::Base64Escape(authority->CaBundle().value())),
              ElementsAre(root));
  EXPECT_THAT(CertificatesInBody(absl::Base64Escape(authority->DeviceBundle(der).value())),
              ElementsAre(der));
}

TEST_F(CertificateAuthorityTest, TimesDoNotDependOnTheTimeZone) {
  const auto authority = Open();
  const auto key = EcKeyForTest();
  for (const char* zone : {"Pacific/Kiritimati", "America/St_Johns", "UTC"}) {
    ASSERT_EQ(setenv("TZ", zone, 1), 0);
    tzset();
    const IssuedCertificate issued = authority->IssueDeviceCertificate("A", key.get()).value();
    EXPECT_EQ(issued.not_after, clock_.Now() + kLeafValidity) << zone;
    EXPECT_THAT(authority->CheckDeviceCertificate(issued.der), IsOk()) << zone;
  }
}

TEST(CertificateRequest, ReadsTheKindsOfKeysThatAreAccepted) {
  for (const int curve : {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1}) {
    const auto key = EcKeyForTest(curve);
    const auto request = ParseCertificateRequest(CsrForTest(key.get(), "A"));
    ASSERT_THAT(request, IsOk()) << curve;
    EXPECT_EQ(request->common_name, "A");
    EXPECT_EQ(request->public_key_sha256, PublicKeySha256(key.get()));
  }
  EXPECT_THAT(ParseCertificateRequest(CsrForTest(RsaKeyForTest(2048).get(), "A")), IsOk());
}

TEST(CertificateRequest, RefusesWeakKeysAndStrangersKeys) {
  const auto bad = [](const std::string& text) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
  };
  const auto key = EcKeyForTest();
  const auto other = EcKeyForTest();

  EXPECT_THAT(ParseCertificateRequest(CsrForTest(RsaKeyForTest(1024).get(), "A")),
              bad("not accepted"));
  EXPECT_THAT(ParseCertificateRequest(CsrForTest(EcKeyForTest(NID_secp224r1).get(), "A")),
              bad("not accepted"));
  EXPECT_THAT(ParseCertificateRequest(CsrForTest(key.get(), "A", other.get())),
              bad("not signed by its own key"));
  const std::string good = CsrForTest(key.get(), "A");
  EXPECT_THAT(ParseCertificateRequest(good + "x"), bad("not a PKCS #10"));
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_FALSE(ParseCertificateRequest(good.substr(0, size)).ok()) << size;
  }
}

TEST(StateFile, ReplacesAtomicallyAndKeepsTheMode) {
  const std::string folder = FreshFolder() + "/new";
  ASSERT_THAT(EnsureFolder(folder), IsOk());
  ASSERT_THAT(EnsureFolder(folder), IsOk());
  EXPECT_EQ(ModeOf(folder), 0700u);
  const std::string file = folder + "/file";
  // What a crash in the middle leaves.
  ASSERT_THAT(WriteStateFile(file + ".new", "half", 0644), IsOk());

  ASSERT_THAT(WriteStateFile(file, "one", 0600), IsOk());
  ASSERT_THAT(WriteStateFile(file, "two", 0600), IsOk());

  EXPECT_EQ(ReadStateFile(file).value(), "two");
  EXPECT_EQ(ModeOf(file), 0600u);
  EXPECT_THAT(ReadStateFile(file + ".new"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(WriteStateFile(folder + "/missing/file", "x", 0600),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(EnsureFolder(file), StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace fairlead::control
