// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the TLS stream over real sockets: data in bulk both ways, every way to end, deadlines and
// reload.
#include "dataplane/tls_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/status_matchers.h"
#include "dataplane/send_queue.h"
#include "dataplane/testing/tls_stream_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::Await;
using testing::Ca;
using testing::ClientContext;
using testing::ClientSpec;
using testing::Data;
using ::testing::HasSubstr;
using testing::kLong;
using testing::Receive;
using testing::Received;
using testing::Send;
using testing::ServerContext;
using testing::SocketPair;
using testing::Task;
using testing::TestCa;
using Role = TlsStream::Role;

class TlsStreamTest : public testing::TlsStreamFixture {};

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

}  // namespace
}  // namespace fairlead::dataplane
