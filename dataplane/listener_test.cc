// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The listener: addresses, caps on unauthenticated connections, the handshake's deadline, h2, and
// a clean end.
#include "dataplane/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_server.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;
using testing::ClientSpec;
using ::testing::HasSubstr;
using testing::LeafSpec;
using testing::TestCa;
using testing::TestServer;

net::awaitable<HttpResponse> Hello(HttpRequest request) {
  if (request.path == "/authenticate") request.peer.MarkAuthenticated();
  HttpResponse response;
  response.body = request.peer.certificate.has_value() ? request.peer.certificate->uris.front()
                                                       : request.peer.address;
  co_return response;
}

// A TCP connection that says nothing, on the test's own thread.
class SilentClient {
 public:
  explicit SilentClient(std::uint16_t port) : socket_(context_) {
    socket_.connect(tcp::endpoint(net::ip::address_v4::loopback(), port));
  }
  // Whether the server ends the connection; waits for it.
  bool IsEnded() {
    char byte = 0;
    error_code error;
    socket_.read_some(net::buffer(&byte, 1), error);
    return static_cast<bool>(error);
  }

 private:
  net::io_context context_;
  tcp::socket socket_;
};

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() {
    Route hello;
    hello.pattern = "/*";
    hello.on_request = Hello;
    router_.Add(std::move(hello));
  }

  absl::Status StartOn(std::string address) {
    TestCa ca;
    auto tls = TlsServerContext::Create(ca.Issue(LeafSpec()), "");
    if (!tls.ok()) return tls.status();
    IoThreads threads(1);
    ListenerOptions options;
    options.addresses = {std::move(address)};
    Listener listener(threads, *std::move(tls), router_, nullptr, options);
    return listener.Start();
  }

  // Keeps a connection open after one request.
  std::unique_ptr<TlsStream> HoldConnection(TestServer& server, std::string path) {
    return server.Run(Hold(server.At(std::move(path)), server.Options()));
  }
  static net::awaitable<std::unique_ptr<TlsStream>> Hold(Endpoint endpoint, DialOptions options) {
    auto dialled = co_await DialTls(endpoint, options);
    if (!dialled.ok()) co_return nullptr;
    std::unique_ptr<TlsStream> stream = *std::move(dialled);
    const std::string request =
        absl::StrCat("GET ", endpoint.target, " HTTP/1.1\r\nHost: a\r\n\r\n");
    const net::const_buffer data = net::buffer(request);
    co_await stream->async_write_some(data, kToken);
    char answer[1000];
    const net::mutable_buffer room = net::buffer(answer);
    auto [error, size] = co_await stream->async_read_some(room, kToken);
    if (error) co_return nullptr;
    co_return stream;
  }
  // A stream goes on its own thread.
  static net::awaitable<void> Destroy(std::unique_ptr<TlsStream> stream) {
    stream.reset();
    co_return;
  }

  Router router_;
};

TEST_F(ListenerTest, ServesIpv4AndIpv6) {
  TestServer server(router_);
  Endpoint endpoint = server.At("/");
  HttpRequest request;
  request.method = "GET";
  const auto v4 = server.Run(Fetch(endpoint, server.Options(), request, absl::Seconds(20)));
  ASSERT_THAT(v4, IsOk());
  EXPECT_THAT(v4->body, HasSubstr("127.0.0.1:"));

  endpoint.host = "::1";
  endpoint.port = server.listener().ports()[1];
  const auto v6 = server.Run(Fetch(endpoint, server.Options(), request, absl::Seconds(20)));
  ASSERT_THAT(v6, IsOk());
  EXPECT_THAT(v6->body, HasSubstr("[::1]:"));
}

TEST_F(ListenerTest, RefusesBadAddresses) {
  for (const char* address : {"", "8443", "localhost:8443", "127.0.0.1", "127.0.0.1:65536",
                              "127.0.0.1:x", "::1:8443", "[127.0.0.1]:0", "[::1]", "[::1:0"}) {
    EXPECT_THAT(StartOn(address),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0.0.0.0:8443")))
        << address;
  }
  EXPECT_THAT(StartOn("192.0.2.1:0"), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("this machine has no such address")));
}

TEST_F(ListenerTest, NamesAPortThatIsInUse) {
  TestServer server(router_);
  const std::string address = absl::StrCat("127.0.0.1:", server.listener().port());
  EXPECT_THAT(StartOn(address), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
}

TEST_F(ListenerTest, AHandshakeThatNeverComesIsEnded) {
  ListenerLimits limits;
  limits.handshake_timeout = absl::Milliseconds(20);
  TestServer server(router_, limits);
  SilentClient client(server.listener().port());
  EXPECT_TRUE(client.IsEnded());
  EXPECT_TRUE(server.listener().AwaitClosed(absl::Seconds(20)));
  EXPECT_EQ(server.listener().counters().handshake_failed, 1u);
}

TEST_F(ListenerTest, TooManySilentConnectionsOfAHostAreRefused) {
  ListenerLimits limits;
  limits.max_unauthenticated_per_host = 2;
  TestServer server(router_, limits);
  SilentClient first(server.listener().port());
  SilentClient second(server.listener().port());
  SilentClient third(server.listener().port());

  EXPECT_TRUE(third.IsEnded());

  const ListenerCounters counters = server.listener().counters();
  EXPECT_EQ(counters.accepted, 3u);
  EXPECT_EQ(counters.refused_too_many, 1u);
}

TEST_F(ListenerTest, AuthenticatedConnectionsDoNotCount) {
  ListenerLimits limits;
  limits.max_unauthenticated = 1;
  TestServer server(router_, limits);

  auto authenticated = HoldConnection(server, "/authenticate");
  ASSERT_NE(authenticated, nullptr);
  auto counted = HoldConnection(server, "/");
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(HoldConnection(server, "/"), nullptr);

  EXPECT_EQ(server.listener().counters().refused_too_many, 1u);
  server.Run(Destroy(std::move(authenticated)));
  server.Run(Destroy(std::move(counted)));
}

TEST_F(ListenerTest, AClientCertificateAuthenticates) {
  ListenerLimits limits;
  limits.max_unauthenticated = 1;
  TestServer server(router_, limits);
  const TlsIdentity identity = server.ca().Issue(ClientSpec("urn:fairlead:device:00E0C514325B"));

  auto first = server.Run(Hold(server.At("/"), server.Options({}, &identity)));
  auto second = server.Run(Hold(server.At("/"), server.Options({}, &identity)));

  EXPECT_NE(first, nullptr);
  EXPECT_NE(second, nullptr);
  server.Run(Destroy(std::move(first)));
  server.Run(Destroy(std::move(second)));
}

net::awaitable<void> AwaitEnd(std::promise<std::string>* seen, std::unique_ptr<TlsStream> stream,
                              PeerInfo peer) {
  seen->set_value(absl::StrCat(stream->alpn(), " of ", peer.host));
  char byte = 0;
  const net::mutable_buffer room = net::buffer(&byte, 1);
  co_await stream->async_read_some(room, kToken);
}

TEST_F(ListenerTest, HandsH2OnAndEndsItWithAllOthers) {
  std::promise<std::string> seen;
  TestServer server(router_, ListenerLimits(),
                    [&seen](std::unique_ptr<TlsStream> stream, PeerInfo peer) {
                      return AwaitEnd(&seen, std::move(stream), std::move(peer));
                    });
  auto dialled = server.Run(DialTls(server.At("/"), server.Options({"h2"})));
  ASSERT_THAT(dialled, IsOk());
  EXPECT_EQ(seen.get_future().get(), "h2 of 127.0.0.1");
  EXPECT_EQ(server.listener().counters().open_now, 1u);

  server.listener().CloseAll();

  EXPECT_TRUE(server.listener().AwaitClosed(absl::Seconds(20)));
  EXPECT_EQ(server.listener().counters().open_now, 0u);
  server.Run(Destroy(*std::move(dialled)));
}

TEST_F(ListenerTest, StopsAcceptingButServesOn) {
  TestServer server(router_);
  auto held = HoldConnection(server, "/");
  ASSERT_NE(held, nullptr);

  server.listener().StopAccepting();

  EXPECT_EQ(HoldConnection(server, "/"), nullptr);
  EXPECT_EQ(server.listener().counters().open_now, 1u);
  server.Run(Destroy(std::move(held)));
}

}  // namespace
}  // namespace fairlead::dataplane
