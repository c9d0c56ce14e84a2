// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the TLS channel: two of them, joined by descriptors between which the test carries bytes
// in whatever pieces it likes, while the kernel takes little at a time.
#include "dataplane/tls_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/testing/tls_engine_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane::internal {
namespace {

std::string RandomText(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// One end of the connection: a channel, and what its program has to say and has heard.
struct End {
  End(const std::shared_ptr<SSL_CTX>& context, TlsEngine::Role role) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    // The least that Linux has.
    const int least = 1;
    for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
    channel =
        std::make_unique<TlsChannel>(ends[0], std::make_unique<TlsEngine>(context.get(), role));
  }
  End(const End&) = delete;
  ~End() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  // Takes whatever step can be taken.
  void Step(std::mt19937& random) {
    error_code error;
    if (!shaken) {
      bool wants_write = false;
      channel->Handshake(wants_write, error);
      shaken = !error;
      EXPECT_TRUE(shaken || error == net::error::would_block) << error.message();
      return;
    }
    if (channel->unsent() > 0) channel->Flush(error);
    if (channel->unsent() == 0 && said < to_say.size()) SaySome(random);
    const bool all_said = !to_say.empty() && said == to_say.size();
    if (channel->unsent() == 0 && all_said) channel->CloseNotify(error);
    Hear(random);
  }

  void SaySome(std::mt19937& random) {
    // Gather lists, as Beast has them: a small header and some payload.
    const std::size_t first = std::min<std::size_t>(random() % 10, to_say.size() - said);
    const std::size_t second =
        std::min<std::size_t>(random() % 40'000, to_say.size() - said - first);
    const std::array<net::const_buffer, 2> buffers = {
        net::buffer(to_say.data() + said, first),
        net::buffer(to_say.data() + said + first, second)};
    error_code error;
    said += channel->Write(buffers, error);
    EXPECT_TRUE(!error || error == net::error::would_block) << error.message();
    if (random() % 4 == 0) SSL_key_update(channel->engine().ssl(), SSL_KEY_UPDATE_REQUESTED);
  }

  void Hear(std::mt19937& random) {
    std::string room(1 + random() % 30'000, '\0');
    const net::mutable_buffer buffer = net::buffer(room);
    error_code error;
    const std::size_t size = channel->Read({&buffer, 1}, error);
    heard.append(room, 0, size);
    ended = ended || error == net::error::eof;
    EXPECT_TRUE(!error || ended || error == net::error::would_block) << error.message();
  }

  // The channel's descriptor, and the wire's.
  int ends[2];
  std::unique_ptr<TlsChannel> channel;
  std::string to_say;
  std::size_t said = 0;
  std::string heard;
  bool shaken = false;
  bool ended = false;
};

// Both ends, and the wire.
struct Link {
  Link() { client.channel->engine().SetServerName("localhost", nullptr); }

  // Carries at most `step` bytes. What the other end does not take now stays on the way.
  static void Carry(const End& from, const End& to, std::string& on_the_way, std::size_t step) {
    char buffer[4096];
    if (on_the_way.empty()) {
      const ssize_t size = ::recv(from.ends[1], buffer, std::min(step, sizeof(buffer)), 0);
      if (size > 0) on_the_way.assign(buffer, static_cast<std::size_t>(size));
    }
    const ssize_t sent = ::send(to.ends[1], on_the_way.data(), on_the_way.size(), MSG_NOSIGNAL);
    if (sent > 0) on_the_way.erase(0, static_cast<std::size_t>(sent));
  }

  template <class Predicate>
  void RunUntil(std::size_t step, Predicate done) {
    std::mt19937 random(static_cast<unsigned>(step));
    std::string to_server;
    std::string to_client;
    for (int i = 0; i < 2'000'000 && !done(); ++i) {
      client.Step(random);
      server.Step(random);
      Carry(client, server, to_server, step);
      Carry(server, client, to_client, step);
    }
    ASSERT_TRUE(done());
  }

  End client{Client(ByCa(Ca()))->Acquire(), TlsEngine::Role::kClient};
  End server{Server(Ca().Issue({}))->Acquire(), TlsEngine::Role::kServer};
};

// All that `end` has written and the kernel does not hold yet too.
std::string Wire(End& end) {
  std::string wire;
  char room[4096];
  for (;;) {
    const ssize_t size = ::recv(end.ends[1], room, sizeof(room), 0);
    if (size > 0) wire.append(room, static_cast<std::size_t>(size));
    if (size <= 0 && end.channel->unsent() == 0) return wire;
    error_code error;
    end.channel->Flush(error);
  }
}

// Byte by byte, in small pieces, and as large as they come; with key updates both ways.
TEST(TlsChannel, CarriesAllHoweverItIsCut) {
  for (const std::size_t step : {1u, 7u, 1000u, 4096u}) {
    SCOPED_TRACE(step);
    Link link;
    link.client.to_say = RandomText(step == 1 ? 20'000 : 300'000, 1);
    link.server.to_say = RandomText(step == 1 ? 20'000 : 300'000, 2);

    link.RunUntil(step, [&] { return link.client.ended && link.server.ended; });

    EXPECT_TRUE(link.server.heard == link.client.to_say);
    EXPECT_TRUE(link.client.heard == link.server.to_say);
  }
}

// Four messages of 16 KiB, each behind a header of its own.
TEST(TlsChannel, PacksGatherListsIntoFullRecords) {
  Link link;
  link.RunUntil(4096, [&] { return link.client.shaken && link.server.shaken; });
  Wire(link.client);
  const std::string header(4, 'h');
  const std::string payload(15 * 1024, 'p');
  std::vector<net::const_buffer> buffers;
  for (int i = 0; i < 4; ++i) {
    buffers.push_back(net::buffer(header));
    buffers.push_back(net::buffer(payload));
  }
  error_code error;
  ASSERT_EQ(link.client.channel->Write(buffers, error), 4 * (header.size() + payload.size()));

  const std::string wire = Wire(link.client);
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at < wire.size(); at += 5 + sizes.back()) {
    sizes.push_back(static_cast<std::uint8_t>(wire[at + 3]) * 256u +
                    static_cast<std::uint8_t>(wire[at + 4]));
  }
  // The content's type and the cipher's tag make 17 bytes more.
  const std::size_t full = 16 * 1024 + 17;
  const std::size_t rest = 4 * (header.size() + payload.size()) - 3 * 16 * 1024 + 17;
  EXPECT_THAT(sizes, ::testing::ElementsAre(full, full, full, rest));
}

// A peer that still sends much is not cut off: its write would fail, and it might never look at
// what was sent to it last.
TEST(TlsChannel, DrainsUntilThePeerEnds) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  TlsChannel channel(ends[0], std::make_unique<TlsEngine>(Server(Ca().Issue({}))->Acquire().get(),
                                                          TlsEngine::Role::kServer));
  const std::string data(16 << 10, 'x');
  std::size_t sent = 0;
  for (ssize_t size = 0; size >= 0; sent += static_cast<std::size_t>(std::max<ssize_t>(size, 0))) {
    size = ::send(ends[1], data.data(), data.size(), MSG_DONTWAIT);
  }
  // More than is dropped at once.
  ASSERT_GT(sent, 128u << 10);
  error_code error;

  channel.Drain(error);
  EXPECT_EQ(error, net::error::would_block);
  channel.Drain(error);
  EXPECT_EQ(error, net::error::would_block);
  ::close(ends[1]);
  channel.Drain(error);

  EXPECT_FALSE(error) << error.message();
  ::close(ends[0]);
}

}  // namespace
}  // namespace fairlead::dataplane::internal
