// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers dialling: which server is reached, and what is said when none is.
#include "dataplane/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::Await;
using ::fairlead::dataplane::testing::Task;
using ::fairlead::dataplane::testing::TestCa;
using net::ip::tcp;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

using Dialled = absl::StatusOr<std::unique_ptr<TlsStream>>;

class DialTest : public ::testing::Test {
 protected:
  DialTest() : acceptor_(context_, tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
    endpoint_.host = "localhost";
    endpoint_.port = acceptor_.local_endpoint().port();
    options_.tls = TlsClientContext::Create({ca_.pem(), ""}, nullptr, {"http/1.1"}).value();
  }

  // Serves one connection.
  net::awaitable<std::string> Serve(TlsIdentity identity) {
    auto [error, socket] = co_await acceptor_.async_accept(kToken);
    if (error) co_return error.message();
    const auto server = TlsServerContext::Create(identity, "").value();
    TlsStream stream(std::move(socket), server->Acquire(), TlsStream::Role::kServer);
    const absl::Status status = co_await stream.Handshake(absl::Seconds(30), "", nullptr);
    co_return status.ok() ? stream.alpn() : std::string(status.message());
  }

  net::io_context context_;
  tcp::acceptor acceptor_;
  TestCa ca_;
  Endpoint endpoint_;
  DialOptions options_;
};

// The name may stand for ::1 too, where nobody listens.
TEST_F(DialTest, ReachesAServerByName) {
  Task<std::string> server(context_, Serve(ca_.Issue({})));

  const Dialled stream = Await(context_, DialTls(endpoint_, options_));

  ASSERT_THAT(stream, IsOk());
  EXPECT_EQ((*stream)->alpn(), "http/1.1");
  EXPECT_EQ(server.Get(), "http/1.1");
}

TEST_F(DialTest, ReachesAServerByAddress) {
  Task<std::string> server(context_, Serve(ca_.Issue({})));
  endpoint_.host = "127.0.0.1";

  EXPECT_THAT(Await(context_, DialTls(endpoint_, options_)), IsOk());
  EXPECT_EQ(server.Get(), "http/1.1");
}

TEST_F(DialTest, RefusesAServerWithAnotherName) {
  testing::LeafSpec spec;
  spec.dns_names = {"ums.example"};
  spec.ip_addresses = {};
  Task<std::string> server(context_, Serve(ca_.Issue(spec)));

  const Dialled stream = Await(context_, DialTls(endpoint_, options_));

  EXPECT_THAT(stream, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("localhost:"), HasSubstr("ums.example"))));
  EXPECT_EQ(ReasonOf(stream.status()), "TLS_UNTRUSTED");
}

TEST_F(DialTest, SaysThatNobodyAnswers) {
  acceptor_.close();

  EXPECT_THAT(Await(context_, DialTls(endpoint_, options_)),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("nobody answers at localhost:"), HasSubstr("127.0.0.1"))));
}

TEST_F(DialTest, DoesNotWaitForASilentServer) {
  options_.timeout = absl::Milliseconds(50);

  EXPECT_THAT(Await(context_, DialTls(endpoint_, options_)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("TLS handshake within 50ms")));
}

// A machine without a name server can only say that it cannot look the name up.
TEST_F(DialTest, SaysThatANameDoesNotResolve) {
  endpoint_.host = "no-such-host.invalid";
  options_.timeout = absl::Seconds(5);

  const Dialled stream = Await(context_, DialTls(endpoint_, options_));

  EXPECT_THAT(stream,
              AnyOf(StatusIs(absl::StatusCode::kNotFound, HasSubstr("no-such-host.invalid")),
                    StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no-such-host.invalid"))));
}

net::awaitable<std::string> ServeSsh(tcp::acceptor& acceptor) {
  auto [error, socket] = co_await acceptor.async_accept(kToken);
  if (error) co_return error.message();
  const std::string banner = "SSH-2.0-OpenSSH_9.2\r\n";
  auto [write_error, size] = co_await socket.async_send(net::buffer(banner), kToken);
  co_return write_error.message() + std::to_string(size);
}

TEST_F(DialTest, SaysThatTheServerDoesNotSpeakTls) {
  Task<std::string> server(context_, ServeSsh(acceptor_));

  EXPECT_THAT(Await(context_, DialTls(endpoint_, options_)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("does not speak TLS")));
}

}  // namespace
}  // namespace fairlead::dataplane
