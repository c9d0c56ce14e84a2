// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a TLS engine after its handshake: data in any fragmentation, truncated or altered, key
// updates, and what is not TLS.
#include "dataplane/tls_engine.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/testing/tls_engine_fixture.h"
#include "gmock/gmock.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;

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
