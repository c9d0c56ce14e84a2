// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the TLS stream over real sockets: data in bulk both ways, every way to end, deadlines,
// reload, moving between threads, and the rules of Asio's asynchronous operations.
#include "dataplane/tls_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/status_matchers.h"
#include "dataplane/send_queue.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::Await;
using ::fairlead::dataplane::testing::ClientSpec;
using ::fairlead::dataplane::testing::SocketPair;
using ::fairlead::dataplane::testing::Task;
using ::fairlead::dataplane::testing::TestCa;
using ::testing::HasSubstr;
using Role = TlsStream::Role;

constexpr absl::Duration kLong = absl::Seconds(30);

const TestCa& Ca() {
  static const TestCa* const ca = new TestCa();
  return *ca;
}

std::shared_ptr<TlsServerContext> ServerContext() {
  return TlsServerContext::Create(Ca().Issue({}), Ca().pem()).value();
}

std::shared_ptr<TlsClientContext> ClientContext(const TlsIdentity* identity = nullptr) {
  return TlsClientContext::Create({Ca().pem(), ""}, identity, {}).value();
}

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() { Join(ServerContext()->Acquire(), ClientContext()->Acquire()); }

  void Join(std::shared_ptr<SSL_CTX> server_context, std::shared_ptr<SSL_CTX> client_context) {
    SocketPair pair(context_);
    server_ = std::make_unique<TlsStream>(std::move(pair.server), server_context, Role::kServer);
    client_ = std::make_unique<TlsStream>(std::move(pair.client), client_context, Role::kClient);
  }

  void Shake() {
    Task<absl::Status> server(context_, server_->Handshake(kLong, "", nullptr));
    Task<absl::Status> client(context_, client_->Handshake(kLong, "localhost", nullptr));
    ASSERT_THAT(client.Get(), IsOk());
    ASSERT_THAT(server.Get(), IsOk());
  }

  net::io_context context_;
  std::unique_ptr<TlsStream> server_;
  std::unique_ptr<TlsStream> client_;
};

std::string Data(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string data(size, '\0');
  for (char& c : data) c = static_cast<char>(random());
  return data;
}

// Writes all of `data` in gather lists of random cuts.
net::awaitable<error_code> Send(TlsStream& stream, const std::string& data, unsigned seed) {
  std::mt19937 random(seed);
  std::size_t at = 0;
  while (at < data.size()) {
    std::vector<net::const_buffer> buffers;
    std::size_t end = at;
    for (std::size_t i = 0, count = 1 + random() % 20; i < count && end < data.size(); ++i) {
      const std::size_t size = std::min<std::size_t>(random() % 30'000, data.size() - end);
      buffers.push_back(net::buffer(data.data() + end, size));
      end += size;
    }
    auto [error, size] = co_await stream.async_write_some(buffers, kToken);
    if (error) co_return error;
    at += size;
  }
  co_return error_code();
}

struct Received {
  std::string data;
  error_code error;
};

// Reads until `size` bytes are there or the stream ends, with scattered buffers of random sizes.
net::awaitable<Received> Receive(TlsStream& stream, std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Received received;
  std::vector<char> first(1 + random() % 50'000);
  std::vector<char> second(1 + random() % 100'000);
  while (received.data.size() < size) {
    const std::size_t room = 1 + random() % first.size();
    const std::array<net::mutable_buffer, 2> buffers = {net::buffer(first.data(), room),
                                                        net::buffer(second)};
    auto [error, count] = co_await stream.async_read_some(buffers, kToken);
    received.data.append(first.data(), std::min(count, room));
    if (count > room) received.data.append(second.data(), count - room);
    received.error = error;
    if (error) break;
  }
  co_return received;
}

net::awaitable<bool> ShutDown(TlsStream& stream) {
  co_await stream.Shutdown(kLong);
  co_return true;
}

TEST_F(TlsStreamTest, CarriesTenMebibytesBothWaysAtOnce) {
  Shake();
  const std::string up = Data(10 << 20, 1);
  const std::string down = Data(10 << 20, 2);

  Task<error_code> send_up(context_, Send(*client_, up, 3));
  Task<error_code> send_down(context_, Send(*server_, down, 4));
  Task<Received> receive_up(context_, Receive(*server_, up.size(), 5));
  Task<Received> receive_down(context_, Receive(*client_, down.size(), 6));

  EXPECT_TRUE(receive_up.Get().data == up);
  EXPECT_TRUE(receive_down.Get().data == down);
  EXPECT_FALSE(send_up.Get());
  EXPECT_FALSE(send_down.Get());
}

int TcpOption(TlsStream& stream, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(stream.socket().native_handle(), IPPROTO_TCP, name, &value, &size), 0);
  return value;
}

TEST_F(TlsStreamTest, SendsAtOnceAndAServerQueuesLittle) {
  EXPECT_NE(TcpOption(*server_, TCP_NODELAY), 0);
  EXPECT_NE(TcpOption(*client_, TCP_NODELAY), 0);
  SocketPair plain(context_);
  SetSendQueue(plain.server.native_handle(), SendQueue::kShort);
  TlsStream other(std::move(plain.client), ClientContext()->Acquire(), Role::kClient);
  TlsStream shorter(std::move(plain.server), ClientContext()->Acquire(), Role::kClient);
  EXPECT_EQ(TcpOption(*server_, TCP_NOTSENT_LOWAT), TcpOption(shorter, TCP_NOTSENT_LOWAT));
  EXPECT_EQ(TcpOption(*client_, TCP_NOTSENT_LOWAT), TcpOption(other, TCP_NOTSENT_LOWAT));
  EXPECT_NE(TcpOption(*server_, TCP_NOTSENT_LOWAT), TcpOption(other, TCP_NOTSENT_LOWAT));
}

TEST_F(TlsStreamTest, TellsWhatTheHandshakeAgreedOn) {
  const TlsIdentity device = Ca().Issue(ClientSpec("urn:fairlead:device:A"));
  Join(ServerContext()->Acquire(), ClientContext(&device)->Acquire());

  Shake();

  EXPECT_EQ(server_->alpn(), "");
  EXPECT_EQ(server_->version(), "TLSv1.3");
  EXPECT_FALSE(server_->peer_offered_http11());
  ASSERT_TRUE(server_->peer_certificate().has_value());
  EXPECT_THAT(server_->peer_certificate()->uris, ::testing::ElementsAre("urn:fairlead:device:A"));
  EXPECT_GT(server_->peer_certificate()->not_after, absl::Now());
  EXPECT_EQ(server_->peer_certificate()->fingerprint.size(), 32u);
}

TEST_F(TlsStreamTest, GivesTheEndAfterAllData) {
  Shake();
  const std::string data = Data(1 << 20, 1);
  Task<Received> receive(context_, Receive(*client_, data.size() + 1, 2));

  EXPECT_FALSE(Await(context_, Send(*server_, data, 3)));
  Task<bool> shutdown(context_, ShutDown(*server_));

  const Received received = receive.Get();
  EXPECT_TRUE(received.data == data);
  EXPECT_EQ(received.error, net::error::eof);
  client_->Close();
  EXPECT_TRUE(shutdown.Get());
}

// A peer may end its side of TLS and go on reading; the end may come in one piece with data.
TEST_F(TlsStreamTest, GivesTheEndOfAPeerThatDoesNotClose) {
  Shake();
  const std::string data = Data(1000, 1);
  Task<error_code> sent(context_, Send(*server_, data, 2));
  sent.Get();
  server_->SendCloseNotify();
  Task<Received> received(context_, Receive(*client_, data.size() + 1, 3));

  const Received all = received.Get();

  EXPECT_TRUE(all.data == data);
  EXPECT_EQ(all.error, net::error::eof);
  EXPECT_FALSE(client_->input_ended());
}

TEST_F(TlsStreamTest, DoesNotTakeALostConnectionForTheEnd) {
  Shake();
  server_->Close();

  const Received received = Await(context_, Receive(*client_, 1, 1));

  EXPECT_EQ(received.error, net::error::connection_reset);
}

// Closing while the peer's data lies unread must not destroy what was written.
TEST_F(TlsStreamTest, ShutdownDeliversWhatWasWritten) {
  Shake();
  ASSERT_FALSE(Await(context_, Send(*client_, Data(100'000, 1), 1)));
  ASSERT_FALSE(Await(context_, Send(*server_, "bye", 1)));
  Task<bool> shutdown(context_, ShutDown(*server_));

  const Received received = Await(context_, Receive(*client_, 4, 2));

  EXPECT_EQ(received.data, "bye");
  EXPECT_EQ(received.error, net::error::eof);
  client_.reset();
  EXPECT_TRUE(shutdown.Get());
  EXPECT_FALSE(server_->socket().is_open());
}

net::awaitable<bool> ShutDownWithin(TlsStream& stream, absl::Duration timeout) {
  co_await stream.Shutdown(timeout);
  co_return true;
}

TEST_F(TlsStreamTest, ShutdownEndsThoughThePeerDoesNotClose) {
  Shake();

  EXPECT_TRUE(Await(context_, ShutDownWithin(*server_, absl::Milliseconds(20))));

  EXPECT_FALSE(server_->socket().is_open());
}

TEST_F(TlsStreamTest, HandshakeEndsWhenThePeerIsSilent) {
  const absl::Status status =
      Await(context_, server_->Handshake(absl::Milliseconds(20), "", nullptr));

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("20ms")));
  EXPECT_FALSE(server_->socket().is_open());
}

TEST_F(TlsStreamTest, HandshakeEndsWhenThePeerGoes) {
  Task<absl::Status> handshake(context_, server_->Handshake(kLong, "", nullptr));
  client_.reset();

  EXPECT_THAT(handshake.Get(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed the connection")));
}

TEST_F(TlsStreamTest, HandshakeTellsBothSidesWhatIsWrong) {
  const TestCa other("Other CA");
  const TlsTrust trust{other.pem(), ""};
  Task<absl::Status> server(context_, server_->Handshake(kLong, "", nullptr));
  Task<absl::Status> client(context_, client_->Handshake(kLong, "localhost", &trust));

  const absl::Status client_status = client.Get();
  EXPECT_THAT(client_status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReasonOf(client_status), "TLS_UNTRUSTED");
  const absl::Status server_status = server.Get();
  EXPECT_EQ(ReasonOf(server_status), "TLS_REFUSED") << server_status;
  EXPECT_FALSE(client_->socket().is_open());
  EXPECT_FALSE(server_->socket().is_open());
}

TEST_F(TlsStreamTest, ARefusedClientLearnsWhyWhenItReads) {
  const TestCa other("Other CA");
  const TlsIdentity device = other.Issue(ClientSpec("urn:fairlead:device:A"));
  Join(ServerContext()->Acquire(), ClientContext(&device)->Acquire());
  Task<absl::Status> server(context_, server_->Handshake(kLong, "", nullptr));
  ASSERT_THAT(Await(context_, client_->Handshake(kLong, "localhost", nullptr)), IsOk());

  const Received received = Await(context_, Receive(*client_, 1, 1));

  EXPECT_EQ(received.error, boost::system::errc::protocol_error);
  EXPECT_EQ(ReasonOf(client_->failure()), "TLS_REFUSED") << client_->failure();
  client_.reset();
  EXPECT_EQ(ReasonOf(server.Get()), "TLS_UNTRUSTED");
}

TEST_F(TlsStreamTest, AConnectionOutlivesAReload) {
  const auto server_context = ServerContext();
  Join(server_context->Acquire(), ClientContext()->Acquire());
  Shake();
  const TestCa other("Other CA");

  ASSERT_THAT(server_context->Reload(other.Issue({}), other.pem()), IsOk());

  const std::string data = Data(100'000, 1);
  Task<error_code> send(context_, Send(*client_, data, 2));
  EXPECT_TRUE(Await(context_, Receive(*server_, data.size(), 3)).data == data);
  EXPECT_FALSE(send.Get());
  // The next connection sees the new certificate.
  Join(server_context->Acquire(), ClientContext()->Acquire());
  Task<absl::Status> handshake(context_, server_->Handshake(kLong, "", nullptr));
  EXPECT_EQ(ReasonOf(Await(context_, client_->Handshake(kLong, "localhost", nullptr))),
            "TLS_UNTRUSTED");
  EXPECT_FALSE(handshake.Get().ok());
}

TEST_F(TlsStreamTest, CloseEndsPendingOperations) {
  Shake();
  Task<Received> read(context_, Receive(*client_, 1, 1));
  const std::string much = Data(32 << 20, 1);
  Task<error_code> write(context_, Send(*client_, much, 1));
  context_.poll();
  ASSERT_FALSE(read.done());
  ASSERT_FALSE(write.done());

  client_->Close();

  EXPECT_EQ(read.Get().error, net::error::operation_aborted);
  EXPECT_EQ(write.Get(), net::error::operation_aborted);
}

TEST_F(TlsStreamTest, DestructionEndsAPendingRead) {
  Shake();
  error_code result;
  char byte = 0;
  client_->async_read_some(net::buffer(&byte, 1),
                           [&result](const error_code& error, std::size_t) { result = error; });
  context_.restart();
  context_.poll();

  client_.reset();
  context_.restart();
  context_.poll();

  EXPECT_EQ(result, net::error::operation_aborted);
}

TEST_F(TlsStreamTest, NeverCompletesInline) {
  Shake();
  ASSERT_FALSE(Await(context_, Send(*server_, "hello", 1)));
  char buffer[2];
  int completed = 0;
  const auto count = [&completed](const error_code& error, std::size_t size) {
    EXPECT_FALSE(error);
    EXPECT_EQ(size, 2u);
    ++completed;
  };
  for (int i = 0; i < 2; ++i) {
    client_->async_read_some(net::buffer(buffer), count);
    EXPECT_EQ(completed, 2 * i);
    client_->async_write_some(net::buffer("ab", 2), count);
    EXPECT_EQ(completed, 2 * i);
    context_.restart();
    while (completed < 2 * i + 2) context_.run_one();
  }
}

TEST_F(TlsStreamTest, CompletesOnTheHandlersExecutor) {
  Shake();
  net::io_context other;
  bool completed = false;
  client_->async_write_some(net::buffer("ab", 2),
                            net::bind_executor(other, [&completed](const error_code&, std::size_t) {
                              completed = true;
                            }));

  context_.restart();
  context_.poll();
  EXPECT_FALSE(completed);
  other.run();
  EXPECT_TRUE(completed);
}

TEST_F(TlsStreamTest, AnEmptyReadOrWriteCompletesWithNothing) {
  Shake();
  int completed = 0;
  const auto count = [&completed](const error_code& error, std::size_t size) {
    EXPECT_FALSE(error);
    EXPECT_EQ(size, 0u);
    ++completed;
  };
  client_->async_read_some(net::mutable_buffer(), count);
  client_->async_write_some(net::const_buffer(), count);

  context_.restart();
  context_.poll();

  EXPECT_EQ(completed, 2);
}

TEST_F(TlsStreamTest, ASlowReaderStopsTheWriterAndLosesNothing) {
  Shake();
  const std::string data = Data(24 << 20, 1);
  Task<error_code> send(context_, Send(*server_, data, 2));
  context_.restart();
  context_.poll();
  EXPECT_FALSE(send.done());

  EXPECT_TRUE(Await(context_, Receive(*client_, data.size(), 3)).data == data);

  EXPECT_FALSE(send.Get());
}

TEST_F(TlsStreamTest, TeardownEndsBothSidesInOrder) {
  Shake();
  error_code server_result = net::error::would_block;
  async_teardown(boost::beast::role_type::server, *server_,
                 [&server_result](const error_code& error) { server_result = error; });

  const Received received = Await(context_, Receive(*client_, 1, 1));
  EXPECT_EQ(received.error, net::error::eof);
  error_code client_result = net::error::would_block;
  async_teardown(boost::beast::role_type::client, *client_,
                 [&client_result](const error_code& error) { client_result = error; });
  context_.restart();
  while (client_result == net::error::would_block || server_result == net::error::would_block) {
    context_.run_one();
  }

  EXPECT_FALSE(server_result);
  EXPECT_FALSE(client_result);
  EXPECT_FALSE(server_->socket().is_open());
}

// Sends back what comes, moving the stream to the other context after each piece.
net::awaitable<bool> EchoOnce(TlsStream& stream, std::string& buffer, bool& over) {
  auto [error, size] = co_await stream.async_read_some(net::buffer(buffer), kToken);
  over = error == net::error::eof;
  if (error) co_return over;
  auto [write_error, written] =
      co_await net::async_write(stream, net::buffer(buffer.data(), size), kToken);
  co_return !write_error;
}

TEST_F(TlsStreamTest, MovesBetweenContextsUnderTraffic) {
  Shake();
  const std::string data = Data(2 << 20, 1);
  net::io_context other;
  Task<error_code> send(context_, Send(*client_, data, 2));
  Task<Received> receive(context_, Receive(*client_, data.size(), 3));
  std::string buffer(20'000, '\0');
  bool over = false;
  net::io_context* home = &context_;

  for (int moves = 0; !receive.done(); ++moves) {
    home = home == &context_ ? &other : &context_;
    server_->MoveTo(home->get_executor());
    ASSERT_TRUE(server_->get_executor() == net::any_io_executor(home->get_executor()));
    Task<bool> echo(*home, EchoOnce(*server_, buffer, over));
    while (!echo.done() && !receive.done()) {
      context_.restart();
      context_.poll();
      other.restart();
      other.poll();
    }
    if (receive.done() && !echo.done()) {
      server_->Close();
      static_cast<void>(echo.Get());
    }
  }

  EXPECT_TRUE(receive.Get().data == data);
  EXPECT_FALSE(send.Get());
}

TEST_F(TlsStreamTest, IsMovable) {
  Shake();
  TlsStream server = std::move(*server_);
  server_.reset();

  EXPECT_FALSE(Await(context_, Send(server, "hello", 1)));
  EXPECT_EQ(Await(context_, Receive(*client_, 5, 1)).data, "hello");
}

}  // namespace
}  // namespace fairlead::dataplane
