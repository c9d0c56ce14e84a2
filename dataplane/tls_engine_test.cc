// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers TLS without I/O: which handshakes succeed and why others fail, ALPN, client certificates,
// and data in any fragmentation, truncated or altered.
#include "dataplane/tls_engine.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include "base/status.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

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
using Bytes = TlsEngine::Bytes;
using ByteView = TlsEngine::ByteView;
using Outcome = TlsEngine::Outcome;

// Two engines joined back to back; bytes travel in pieces of at most `step`.
struct Pair {
  Pair(std::shared_ptr<SSL_CTX> server_context, std::shared_ptr<SSL_CTX> client_context,
       const std::string& name = "localhost")
      : server(server_context.get(), TlsEngine::Role::kServer),
        client(client_context.get(), TlsEngine::Role::kClient) {
    client.SetServerName(name, nullptr);
  }

  // Lets `engine` go on with what came from the other side.
  static Outcome Step(TlsEngine& engine, Bytes& from, Bytes& to, std::size_t step) {
    const std::size_t size = std::min(step, from.size());
    ByteView input(from.data(), size);
    const Outcome outcome = engine.Handshake(input, to);
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size - input.size()));
    return outcome;
  }

  // True if both sides are done. Then what is left in the buffers are bytes after the handshake.
  bool Shake(std::size_t step = 1 << 20) {
    Outcome server_outcome = Outcome::kNeedsInput;
    Outcome client_outcome = Outcome::kNeedsInput;
    for (int idle = 0; idle < 2; ++idle) {
      const std::size_t before = to_server.size() + to_client.size();
      if (client_outcome == Outcome::kNeedsInput) {
        client_outcome = Step(client, to_client, to_server, step);
      }
      if (server_outcome == Outcome::kNeedsInput) {
        server_outcome = Step(server, to_server, to_client, step);
      }
      if (to_server.size() + to_client.size() != before) idle = -1;
    }
    return server_outcome == Outcome::kDone && client_outcome == Outcome::kDone;
  }

  TlsEngine server;
  TlsEngine client;
  Bytes to_server;
  Bytes to_client;
};

std::shared_ptr<TlsServerContext> Server(const TlsIdentity& identity, const std::string& ca = "") {
  auto context = TlsServerContext::Create(identity, ca);
  EXPECT_THAT(context, IsOk());
  return std::move(context).value();
}

std::shared_ptr<TlsClientContext> Client(const TlsTrust& trust,
                                         const TlsIdentity* identity = nullptr,
                                         std::vector<std::string> alpn = {}) {
  auto context = TlsClientContext::Create(trust, identity, std::move(alpn));
  EXPECT_THAT(context, IsOk());
  return std::move(context).value();
}

TlsTrust ByCa(const TestCa& ca) { return {ca.pem(), ""}; }
TlsTrust ByFingerprint(std::string fingerprint) { return {"", std::move(fingerprint)}; }

const TestCa& Ca() {
  static const TestCa* const ca = new TestCa();
  return *ca;
}

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

Bytes RandomBytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// Feeds `wire` to `engine` in pieces of at most `step`, reading `room` bytes at a time.
Outcome Receive(TlsEngine& engine, const Bytes& wire, std::size_t step, std::size_t room,
                Bytes& plain) {
  Bytes output;
  Bytes buffer(room);
  std::size_t fed = 0;
  ByteView input;
  for (;;) {
    std::size_t size = 0;
    const Outcome outcome = engine.Read(input, buffer, size, output);
    plain.insert(plain.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    if (outcome == Outcome::kDone) continue;
    if (outcome != Outcome::kNeedsInput || fed == wire.size()) return outcome;
    EXPECT_TRUE(input.empty());
    const std::size_t piece = std::min(step, wire.size() - fed);
    input = ByteView(wire).subspan(fed, piece);
    fed += piece;
  }
}

struct Established {
  explicit Established(int version, std::size_t step = 1 << 20)
      : pair(Server(Ca().Issue({}))->Acquire(), Client(ByCa(Ca()))->Acquire()) {
    SSL_set_max_proto_version(pair.client.ssl(), static_cast<std::uint16_t>(version));
    EXPECT_TRUE(pair.Shake(step)) << pair.client.failure() << pair.server.failure();
  }
  Pair pair;
};

class DataTransfer : public ::testing::TestWithParam<int> {};

TEST_P(DataTransfer, SurvivesSingleBytesBothWays) {
  Established made(GetParam(), 1);
  const Bytes sent = RandomBytes(100'000, 1);
  for (TlsEngine* from : {&made.pair.client, &made.pair.server}) {
    const bool from_client = from == &made.pair.client;
    Bytes& wire = from_client ? made.pair.to_server : made.pair.to_client;
    ASSERT_EQ(from->Write(sent, wire), Outcome::kDone);

    Bytes received;
    EXPECT_EQ(Receive(from_client ? made.pair.server : made.pair.client, wire, 1, 1, received),
              Outcome::kNeedsInput);

    EXPECT_EQ(received, sent);
  }
}

TEST_P(DataTransfer, SurvivesAnyFragmentation) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Established made(GetParam());
    const Bytes sent = RandomBytes(random() % 70'000, static_cast<unsigned>(round));
    Bytes wire = made.pair.to_server;
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t piece = std::min<std::size_t>(1 + random() % 40'000, sent.size() - at);
      ASSERT_EQ(made.pair.client.Write(ByteView(sent).subspan(at, piece), wire), Outcome::kDone);
      at += piece;
    }
    made.pair.client.CloseNotify(wire);

    Bytes received;
    EXPECT_EQ(
        Receive(made.pair.server, wire, 1 + random() % 20'000, 1 + random() % 30'000, received),
        Outcome::kEnd);

    EXPECT_EQ(received, sent);
  }
}

TEST_P(DataTransfer, PacksFullRecords) {
  Established made(GetParam());
  Bytes wire;

  ASSERT_EQ(made.pair.client.Write(RandomBytes(4 * 16384, 3), wire), Outcome::kDone);

  int records = 0;
  for (std::size_t at = 0; at < wire.size(); ++records) {
    at += 5u + (static_cast<std::size_t>(wire[at + 3]) << 8) + wire[at + 4];
  }
  EXPECT_EQ(records, 4);
}

TEST_P(DataTransfer, GivesNoByteOfAnAlteredRecord) {
  Established made(GetParam());
  Bytes wire;
  ASSERT_EQ(made.pair.client.Write(RandomBytes(1000, 4), wire), Outcome::kDone);
  wire[500] ^= 1;
  Bytes received;

  EXPECT_EQ(Receive(made.pair.server, wire, 1 << 20, 1 << 20, received), Outcome::kFailed);

  EXPECT_TRUE(received.empty());
  EXPECT_FALSE(made.pair.server.failure().ok());
}

TEST_P(DataTransfer, DoesNotTakeTruncationForTheEnd) {
  Established made(GetParam());
  Bytes wire;
  ASSERT_EQ(made.pair.client.Write(RandomBytes(1000, 5), wire), Outcome::kDone);
  wire.pop_back();
  Bytes received;

  EXPECT_EQ(Receive(made.pair.server, wire, 1 << 20, 1 << 20, received), Outcome::kNeedsInput);

  EXPECT_TRUE(received.empty());
}

TEST_P(DataTransfer, GoesOnAfterThePeersEnd) {
  Established made(GetParam());
  Bytes wire;
  made.pair.client.CloseNotify(wire);
  Bytes received;
  ASSERT_EQ(Receive(made.pair.server, wire, 1, 1, received), Outcome::kEnd);

  wire.clear();
  ASSERT_EQ(made.pair.server.Write(RandomBytes(10, 6), wire), Outcome::kDone);
  EXPECT_FALSE(wire.empty());
  EXPECT_EQ(made.pair.client.Write(RandomBytes(10, 6), wire), Outcome::kFailed);
}

INSTANTIATE_TEST_SUITE_P(Versions, DataTransfer, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return std::string(info.param == TLS1_3_VERSION ? "Tls13" : "Tls12");
                         });

// A key update that asks for one in return, in the middle of data both ways.
TEST(KeyUpdate, IsAnsweredWithTheNextWrite) {
  Established made(TLS1_3_VERSION);
  const Bytes data = RandomBytes(50'000, 8);
  Bytes to_server;
  Bytes to_client;
  for (int round = 0; round < 5; ++round) {
    to_server.clear();
    to_client.clear();
    ASSERT_EQ(made.pair.client.Write(data, to_server), Outcome::kDone);
    ASSERT_EQ(SSL_key_update(made.pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(made.pair.client.Write(data, to_server), Outcome::kDone);
    Bytes received;
    ASSERT_EQ(Receive(made.pair.server, to_server, 1000, 1 << 20, received), Outcome::kNeedsInput);
    EXPECT_EQ(received.size(), 2 * data.size());

    ASSERT_EQ(made.pair.server.Write(data, to_client), Outcome::kDone);
    received.clear();
    ASSERT_EQ(Receive(made.pair.client, to_client, 1000, 1 << 20, received), Outcome::kNeedsInput);
    EXPECT_EQ(received, data);
  }
}

TEST(Garbage, IsNamedAsNotTls) {
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  TlsEngine server(Server(Ca().Issue({}))->Acquire().get(), TlsEngine::Role::kServer);
  ByteView input(reinterpret_cast<const std::uint8_t*>(request.data()), request.size());
  Bytes output;

  EXPECT_EQ(server.Handshake(input, output), Outcome::kFailed);

  EXPECT_THAT(server.failure(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("does not speak TLS")));
}

TEST(Garbage, NeverCompletesAHandshake) {
  const auto context = Server(Ca().Issue({}))->Acquire();
  for (unsigned seed = 0; seed < 200; ++seed) {
    TlsEngine server(context.get(), TlsEngine::Role::kServer);
    const Bytes garbage = RandomBytes(2000, seed);
    ByteView input(garbage);
    Bytes output;

    EXPECT_NE(server.Handshake(input, output), Outcome::kDone);
  }
}

}  // namespace
}  // namespace fairlead::dataplane
