// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers TLS handshakes without I/O: which succeed and why others fail, ALPN, certificates of
// either side, pinning, and the contexts behind them.
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status.h"
#include "dataplane/testing/tls_engine_fixture.h"
#include "gmock/gmock.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::ClientSpec;
using ::fairlead::dataplane::testing::FingerprintOfPem;
using ::fairlead::dataplane::testing::KeyKind;
using ::fairlead::dataplane::testing::LeafSpec;
using ::fairlead::dataplane::testing::TestCa;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Shakes hands with a server that shows a certificate after `spec`, and returns the client's view.
absl::Status Verdict(const LeafSpec& spec, const TlsTrust& trust, const std::string& name,
                     absl::Status* server_view = nullptr) {
  Pair pair(Server(Ca().Issue(spec))->Acquire(), Client(trust)->Acquire(), name);
  const bool done = pair.Shake();
  EXPECT_EQ(done, pair.client.failure().ok());
  if (server_view != nullptr) *server_view = pair.server.failure();
  return pair.client.failure();
}

// Every combination of version, key, client certificate and ALPN.
struct AlpnCase {
  const char* name;
  std::vector<std::string> offered;
  const char* selected;
  bool asks_for_certificate;
};

const AlpnCase kAlpnCases[] = {
    {"None", {}, "", true},
    {"H2", {"h2"}, "h2", true},
    {"Http11", {"http/1.1"}, "http/1.1", false},
    {"Browser", {"h2", "http/1.1"}, "http/1.1", false},
    {"Http10", {"http/1.0"}, "", true},
};

using MatrixCase = std::tuple<int, KeyKind, bool, AlpnCase>;

class HandshakeMatrix : public ::testing::TestWithParam<MatrixCase> {};

TEST_P(HandshakeMatrix, Succeeds) {
  const auto& [version, key, has_certificate, alpn] = GetParam();
  LeafSpec server_spec;
  server_spec.key = key;
  LeafSpec client_spec = ClientSpec("urn:fairlead:device:00E0C514325B");
  client_spec.key = key;
  const TlsIdentity identity = Ca().Issue(client_spec);
  const auto server = Server(Ca().Issue(server_spec), Ca().pem());
  const auto client = Client(ByCa(Ca()), has_certificate ? &identity : nullptr, alpn.offered);
  Pair pair(server->Acquire(), client->Acquire());
  SSL_set_max_proto_version(pair.client.ssl(), static_cast<std::uint16_t>(version));

  ASSERT_TRUE(pair.Shake()) << pair.client.failure() << pair.server.failure();

  EXPECT_EQ(pair.client.version(), version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
  EXPECT_EQ(pair.server.alpn(), alpn.selected);
  EXPECT_EQ(pair.client.alpn(), alpn.selected);
  const bool shown = has_certificate && alpn.asks_for_certificate;
  ASSERT_EQ(pair.server.facts().peer.has_value(), shown);
  if (shown) {
    EXPECT_THAT(pair.server.facts().peer->uris, ElementsAre("urn:fairlead:device:00E0C514325B"));
  }
  ASSERT_TRUE(pair.client.facts().peer.has_value());
  EXPECT_EQ(pair.client.facts().peer->common_name, "leaf");
}

std::string MatrixName(const ::testing::TestParamInfo<MatrixCase>& info) {
  const auto& [version, key, has_certificate, alpn] = info.param;
  return std::string(version == TLS1_3_VERSION ? "Tls13" : "Tls12") +
         (key == KeyKind::kP256 ? "P256" : "Rsa") + (has_certificate ? "Certificate" : "Bare") +
         alpn.name;
}

INSTANTIATE_TEST_SUITE_P(All, HandshakeMatrix,
                         ::testing::Combine(::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                                            ::testing::Values(KeyKind::kP256, KeyKind::kRsa2048),
                                            ::testing::Bool(), ::testing::ValuesIn(kAlpnCases)),
                         MatrixName);

TEST(TlsServer, TellsWhetherHttp11WasOffered) {
  const auto server = Server(Ca().Issue({}));
  Pair browser(server->Acquire(), Client(ByCa(Ca()), nullptr, {"h2", "http/1.1"})->Acquire());
  Pair grpc(server->Acquire(), Client(ByCa(Ca()), nullptr, {"h2"})->Acquire());

  ASSERT_TRUE(browser.Shake());
  ASSERT_TRUE(grpc.Shake());

  EXPECT_TRUE(browser.server.facts().peer_offered_http11);
  EXPECT_FALSE(grpc.server.facts().peer_offered_http11);
}

TEST(TlsServer, RefusesAnUnknownProtocol) {
  Pair pair(Server(Ca().Issue({}))->Acquire(), Client(ByCa(Ca()), nullptr, {"imap"})->Acquire());

  EXPECT_FALSE(pair.Shake());

  EXPECT_THAT(pair.client.failure(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(TlsServer, RefusesTls11) {
  Pair pair(Server(Ca().Issue({}))->Acquire(), Client(ByCa(Ca()))->Acquire());
  SSL_set_min_proto_version(pair.client.ssl(), TLS1_1_VERSION);
  SSL_set_max_proto_version(pair.client.ssl(), TLS1_1_VERSION);
  SSL_set_strict_cipher_list(pair.client.ssl(), "ECDHE-ECDSA-AES128-SHA");

  EXPECT_FALSE(pair.Shake());

  EXPECT_THAT(pair.server.failure(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("TLS 1.2")));
}

TEST(TlsServer, PrefersAes128Gcm) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair pair(Server(Ca().Issue({}))->Acquire(), Client(ByCa(Ca()))->Acquire());
    SSL_set_max_proto_version(pair.client.ssl(), static_cast<std::uint16_t>(version));
    ASSERT_TRUE(pair.Shake());

    if (!EVP_has_aes_hardware()) GTEST_SKIP() << "no AES instructions here";
    EXPECT_THAT(SSL_CIPHER_standard_name(SSL_get_current_cipher(pair.server.ssl())),
                HasSubstr("AES_128_GCM"));
  }
}

// Handshakes of a server with a client whose certificate is `identity`; returns the server's view,
// and the client's after reading the server's answer.
std::pair<absl::Status, absl::Status> ClientVerdict(const TlsIdentity& identity) {
  const auto server = Server(Ca().Issue({}), Ca().pem());
  Pair pair(server->Acquire(), Client(ByCa(Ca()), &identity)->Acquire());
  EXPECT_FALSE(pair.Shake());
  std::uint8_t byte = 0;
  std::size_t size = 0;
  ByteView input(pair.to_client);
  pair.client.Read(input, {&byte, 1}, size, pair.to_server);
  return {pair.server.failure(), pair.client.failure()};
}

TEST(ClientCertificate, OfAnotherCaIsRefused) {
  const TestCa other("Other CA");

  const auto [server, client] = ClientVerdict(other.Issue(ClientSpec("urn:fairlead:device:A")));

  EXPECT_THAT(server, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not trusted")));
  EXPECT_EQ(ReasonOf(server), "TLS_UNTRUSTED");
  EXPECT_EQ(ReasonOf(client), "TLS_REFUSED");
}

TEST(ClientCertificate, ThatExpiredIsRefused) {
  LeafSpec spec = ClientSpec("urn:fairlead:device:A");
  spec.not_before = -absl::Hours(2);
  spec.not_after = -absl::Hours(1);

  const auto [server, client] = ClientVerdict(Ca().Issue(spec));

  EXPECT_THAT(server, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired on")));
  EXPECT_THAT(client, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired")));
}

TEST(ClientCertificate, OfAServerIsRefused) {
  const auto [server, client] = ClientVerdict(Ca().Issue({}));

  EXPECT_THAT(server,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("extendedKeyUsage")));
}

TEST(ServerCertificate, IsTrustedByCaForItsNames) {
  EXPECT_THAT(Verdict({}, ByCa(Ca()), "localhost"), IsOk());
  EXPECT_THAT(Verdict({}, ByCa(Ca()), "LocalHost."), IsOk());
  EXPECT_THAT(Verdict({}, ByCa(Ca()), "127.0.0.1"), IsOk());
  EXPECT_THAT(Verdict({}, ByCa(Ca()), "::1"), IsOk());
}

TEST(ServerCertificate, ForAnotherNameIsRefusedWithItsNames) {
  for (const char* name : {"ums.example", "192.0.2.1"}) {
    const absl::Status status = Verdict({}, ByCa(Ca()), name);

    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 AllOf(HasSubstr("localhost, 127.0.0.1, ::1"), HasSubstr(name))));
    EXPECT_EQ(ReasonOf(status), "TLS_UNTRUSTED");
  }
}

TEST(ServerCertificate, IsNotForItsCommonName) {
  LeafSpec spec;
  spec.common_name = "ums.example";
  spec.dns_names = {};
  spec.ip_addresses = {};

  EXPECT_THAT(Verdict(spec, ByCa(Ca()), "ums.example"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no name")));
}

TEST(ServerCertificate, ThatExpiredIsRefusedWithTheClock) {
  LeafSpec spec;
  spec.not_before = -absl::Hours(2);
  spec.not_after = -absl::Hours(1);
  absl::Status server;

  EXPECT_THAT(Verdict(spec, ByCa(Ca()), "localhost", &server),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("expired on"), HasSubstr("clock"))));
  EXPECT_THAT(server, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired")));
}

TEST(ServerCertificate, ThatIsNotYetValidIsRefusedWithTheClock) {
  LeafSpec spec;
  spec.not_before = absl::Hours(1);

  EXPECT_THAT(Verdict(spec, ByCa(Ca()), "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("is not valid before"), HasSubstr("clock"))));
}

TEST(ServerCertificate, OfAnotherCaIsRefusedWithWhatToDo) {
  const TestCa other("Other CA");

  const absl::Status status = Verdict({}, ByCa(other), "localhost");

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("not trusted"), HasSubstr("give the CA file"))));
  EXPECT_EQ(ReasonOf(status), "TLS_UNTRUSTED");
}

TEST(ServerCertificate, OfAClientIsRefused) {
  LeafSpec spec;
  spec.server_auth = false;
  spec.client_auth = true;

  EXPECT_THAT(Verdict(spec, ByCa(Ca()), "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("extendedKeyUsage")));
}

TlsTrust ByUri(const std::string& uri) {
  TlsTrust trust = ByCa(Ca());
  trust.uri = uri;
  return trust;
}

// A device is told by its certificate's URI, wherever it is dialled.
TEST(RoleCertificate, IsTrustedByItsUriAtAnyAddress) {
  EXPECT_THAT(Verdict(ClientSpec("urn:x:a"), ByUri("urn:x:a"), "192.0.2.1"), IsOk());
}

TEST(RoleCertificate, OfAnotherIsRefusedWithItsUri) {
  for (const char* other : {"urn:x:ab", "urn:x:", "URN:X:A", "urn:x:b"}) {
    const absl::Status status = Verdict(ClientSpec(other), ByUri("urn:x:a"), "localhost");

    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 AllOf(HasSubstr(other), HasSubstr("not for urn:x:a"))));
    EXPECT_EQ(ReasonOf(status), "TLS_UNTRUSTED");
  }
}

TEST(RoleCertificate, IsNotReplacedByAName) {
  LeafSpec spec;
  spec.client_auth = true;

  EXPECT_THAT(Verdict(spec, ByUri("urn:x:a"), "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("for no URI")));
}

TEST(RoleCertificate, OfAnotherCaIsRefused) {
  const TestCa other("Other CA");
  TlsTrust trust = ByCa(other);
  trust.uri = "urn:x:a";

  EXPECT_THAT(Verdict(ClientSpec("urn:x:a"), trust, "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not trusted here")));
}

TEST(Pinning, OfTheCaInTheChainStillChecksNames) {
  EXPECT_THAT(Verdict({}, ByFingerprint(Ca().fingerprint()), "localhost"), IsOk());
  EXPECT_THAT(Verdict({}, ByFingerprint(Ca().fingerprint()), "ums.example"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not for ums.example")));
}

TEST(Pinning, OfTheLeafNeedsNoName) {
  const TlsIdentity identity = Ca().Issue({});
  const TlsTrust trust = ByFingerprint(FingerprintOfPem(identity.certificate_chain_pem));
  Pair pair(Server(identity)->Acquire(), Client(trust)->Acquire(), "ums.example");

  EXPECT_TRUE(pair.Shake()) << pair.client.failure();
}

TEST(Pinning, OfALeafThatExpiredIsRefused) {
  LeafSpec spec;
  spec.not_before = -absl::Hours(2);
  spec.not_after = -absl::Hours(1);
  const TlsIdentity identity = Ca().Issue(spec);
  const TlsTrust trust = ByFingerprint(FingerprintOfPem(identity.certificate_chain_pem));
  Pair pair(Server(identity)->Acquire(), Client(trust)->Acquire());

  EXPECT_FALSE(pair.Shake());
  EXPECT_THAT(pair.client.failure(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expired")));
}

TEST(Pinning, OfAnotherCertificateIsRefusedWithBothFingerprints) {
  const TestCa other("Other CA");

  EXPECT_THAT(Verdict({}, ByFingerprint(other.fingerprint()), "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(other.fingerprint())));
}

// A CA with the right fingerprint in the chain proves nothing if it did not sign the leaf.
TEST(Pinning, IsNotFooledByAForeignChain) {
  const TestCa attacker("Test CA");
  LeafSpec spec;
  spec.chain_with_ca = false;
  TlsIdentity identity = attacker.Issue(spec);
  identity.certificate_chain_pem += Ca().pem();
  Pair pair(Server(identity)->Acquire(), Client(ByFingerprint(Ca().fingerprint()))->Acquire());

  EXPECT_FALSE(pair.Shake());
  EXPECT_EQ(ReasonOf(pair.client.failure()), "TLS_UNTRUSTED");
}

TEST(Pinning, FindsThePinnedCaInTheCaFile) {
  LeafSpec spec;
  spec.chain_with_ca = false;

  EXPECT_THAT(Verdict(spec, {Ca().pem(), Ca().fingerprint()}, "localhost"), IsOk());
  EXPECT_THAT(Verdict(spec, ByFingerprint(Ca().fingerprint()), "localhost"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(Contexts, NameWhatIsWrongWithTheirInput) {
  const TlsIdentity one = Ca().Issue({});
  const TlsIdentity two = Ca().Issue({});
  const auto kInvalid = absl::StatusCode::kInvalidArgument;

  EXPECT_THAT(TlsServerContext::Create({"", ""}, ""),
              StatusIs(kInvalid, HasSubstr("holds no certificate")));
  EXPECT_THAT(TlsServerContext::Create({one.certificate_chain_pem, "x"}, ""),
              StatusIs(kInvalid, HasSubstr("private key")));
  EXPECT_THAT(TlsServerContext::Create({one.certificate_chain_pem, two.private_key_pem}, ""),
              StatusIs(kInvalid, HasSubstr("together")));
  EXPECT_THAT(TlsServerContext::Create(one, "x"), StatusIs(kInvalid, HasSubstr("CA of clients")));
  EXPECT_THAT(TlsClientContext::Create({"", ""}, nullptr, {}),
              StatusIs(kInvalid, HasSubstr("fingerprint")));
  EXPECT_THAT(TlsClientContext::Create({"x", ""}, nullptr, {}),
              StatusIs(kInvalid, HasSubstr("the CA file")));
  EXPECT_THAT(TlsClientContext::Create({"", "12:34"}, nullptr, {}),
              StatusIs(kInvalid, HasSubstr("64 hexadecimal")));
  EXPECT_THAT(TlsClientContext::Create({"", Ca().fingerprint(), "urn:x:a"}, nullptr, {}),
              StatusIs(kInvalid, HasSubstr("a given CA")));
}

TEST(Contexts, ReloadLeavesTheOldConfigurationInForceWhenItFails) {
  const TlsIdentity identity = Ca().Issue({});
  const auto server = Server(identity);
  const auto before = server->Acquire();

  EXPECT_THAT(server->Reload({"", ""}, ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(server->Acquire(), before);
  EXPECT_THAT(server->Reload(identity, ""), IsOk());
  EXPECT_NE(server->Acquire(), before);
}

// A handshake that began before a reload ends with what it began with.
TEST(Contexts, ReloadLeavesARunningHandshakeAlone) {
  const TestCa other("Other CA");
  const auto server = Server(Ca().Issue({}), Ca().pem());
  const TlsIdentity device = Ca().Issue(ClientSpec("urn:fairlead:device:A"));
  Pair pair(server->Acquire(), Client(ByCa(Ca()), &device)->Acquire());

  ASSERT_THAT(server->Reload(other.Issue({}), other.pem()), IsOk());

  EXPECT_TRUE(pair.Shake()) << pair.client.failure() << pair.server.failure();
}

}  // namespace
}  // namespace fairlead::dataplane
