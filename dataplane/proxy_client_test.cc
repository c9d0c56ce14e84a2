// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers dialling through an HTTP proxy, over real sockets: TLS, requests and WebSockets, and what
// is said when the proxy does not do as asked.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/connect_proxy.h"
#include "dataplane/testing/test_server.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::AllOf;
using testing::ConnectProxy;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TestServer;

net::awaitable<HttpResponse> Greet(HttpRequest request) {
  HttpResponse response;
  response.body = absl::StrCat("hello ", request.path);
  co_return response;
}

net::awaitable<void> Echo(HttpRequest, std::unique_ptr<PendingUpgrade> upgrade) {
  auto accepted = co_await upgrade->Accept("");
  if (!accepted.ok()) co_return;
  const std::unique_ptr<WebSocket> websocket = *std::move(accepted);
  for (;;) {
    const Message message = co_await websocket->ReadMessage();
    if (!message.open) co_return;
    const absl::Status written = co_await websocket->WriteBinary(message.payload);
    if (!written.ok()) co_return;
  }
}

Router MakeRouter() {
  Router router;
  Route greet;
  greet.pattern = "/greet";
  greet.on_request = &Greet;
  router.Add(std::move(greet));
  Route echo;
  echo.pattern = "/echo";
  echo.on_upgrade = &Echo;
  router.Add(std::move(echo));
  return router;
}

using Dialled = absl::StatusOr<std::unique_ptr<TlsStream>>;

// Gives the stream back to the thread on which it lives.
net::awaitable<absl::Status> DialAndClose(Endpoint endpoint, DialOptions options) {
  const Dialled stream = co_await DialTls(endpoint, options);
  co_return stream.status();
}

net::awaitable<absl::StatusOr<std::string>> EchoOnce(Endpoint endpoint, DialOptions options,
                                                     std::string text) {
  const std::vector<std::string> subprotocols;
  const HttpHeaders headers;
  auto dialled = co_await DialWebSocket(endpoint, options, subprotocols, headers);
  if (!dialled.ok()) co_return dialled.status();
  const std::unique_ptr<WebSocket> websocket = std::move(dialled->websocket);
  const absl::Status written = co_await websocket->WriteBinary(text);
  if (!written.ok()) co_return written;
  Message message = co_await websocket->ReadMessage();
  CloseReason done;
  done.code = kCloseNormal;
  co_await websocket->Close(done);
  co_return std::move(message.payload);
}

class ProxyClientTest : public ::testing::Test {
 protected:
  DialOptions Options() {
    DialOptions options = server_.Options();
    options.proxy = proxy_.url();
    return options;
  }
  std::string Target() { return absl::StrCat("127.0.0.1:", server_.At("/").port); }
  absl::Status Dial(const DialOptions& options) {
    return server_.Run(DialAndClose(server_.At("/"), options));
  }

  const Router router_ = MakeRouter();
  ConnectProxy proxy_;
  TestServer server_{router_};
};

TEST_F(ProxyClientTest, TlsGoesThroughTheProxy) {
  EXPECT_THAT(Dial(Options()), IsOk());

  EXPECT_THAT(proxy_.targets(), ElementsAre(Target()));
  EXPECT_GT(proxy_.bytes(), 0u);
}

TEST_F(ProxyClientTest, WithoutAProxyNoneIsAsked) {
  EXPECT_THAT(Dial(server_.Options()), IsOk());

  EXPECT_EQ(proxy_.tunnels(), 0);
}

TEST_F(ProxyClientTest, RequestsGoThroughTheProxy) {
  HttpRequest request;
  request.method = "GET";
  const auto response =
      server_.Run(Fetch(server_.At("/greet"), Options(), request, absl::Seconds(20)));

  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, "hello /greet");
  EXPECT_EQ(proxy_.tunnels(), 1);
}

TEST_F(ProxyClientTest, WebSocketsGoThroughTheProxy) {
  const std::string text(100'000, 'x');

  const auto echoed = server_.Run(EchoOnce(server_.At("/echo"), Options(), text));

  ASSERT_THAT(echoed, IsOk());
  EXPECT_EQ(*echoed, text);
  EXPECT_EQ(proxy_.tunnels(), 1);
  EXPECT_GT(proxy_.bytes(), 2 * text.size());
}

// The certificate is checked against the name dialled, not the proxy's.
TEST_F(ProxyClientTest, TheServersNameIsChecked) {
  DialOptions options = Options();
  TlsTrust other;
  const testing::TestCa unknown;
  other.ca_pem = unknown.pem();
  options.trust = other;

  EXPECT_THAT(Dial(options), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(Target())));
}

TEST_F(ProxyClientTest, ARefusalNamesProxyAndStatus) {
  proxy_.Refuse(403);

  EXPECT_THAT(Dial(Options()), StatusIs(absl::StatusCode::kUnavailable,
                                        AllOf(HasSubstr(absl::StrCat("127.0.0.1:", proxy_.port())),
                                              HasSubstr(Target()), HasSubstr("403 Refused"))));
}

TEST_F(ProxyClientTest, ALogInIsNotSupported) {
  proxy_.Refuse(407);

  EXPECT_THAT(Dial(Options()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("log-in are not supported")));
}

TEST_F(ProxyClientTest, AServerThatIsDownIsTheProxysRefusal) {
  server_.EndConnections();

  EXPECT_THAT(Dial(Options()), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("502")));
}

TEST_F(ProxyClientTest, WhatIsNoProxyIsToldSo) {
  proxy_.AnswerWith("220 mail.example ESMTP\r\n");

  EXPECT_THAT(Dial(Options()),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("as a proxy should"), HasSubstr("HTTP/1"))));
}

TEST_F(ProxyClientTest, ASilentProxyIsGivenUp) {
  proxy_.FallSilent();
  DialOptions options = Options();
  options.timeout = absl::Milliseconds(50);

  EXPECT_THAT(Dial(options), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in time")));
}

TEST_F(ProxyClientTest, AnAnswerThatNeverEndsIsGivenUp) {
  proxy_.AnswerWith("HTTP/1.1 200 OK\r\nX-Slow: ");
  DialOptions options = Options();
  options.timeout = absl::Milliseconds(50);

  EXPECT_THAT(Dial(options), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in time")));
}

TEST_F(ProxyClientTest, NobodyAnswersAtTheProxy) {
  DialOptions options = Options();
  options.proxy = "http://127.0.0.1:1";

  EXPECT_THAT(Dial(options),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("the proxy 127.0.0.1:1"), HasSubstr("nobody answers"))));
}

TEST_F(ProxyClientTest, ABadProxyIsNamed) {
  DialOptions options = Options();
  options.proxy = "socks5://proxy.example:1080";

  EXPECT_THAT(Dial(options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("socks5")));
}

// What a test starts inherits the proxy's sockets, and must not keep the tunnels open.
class Bystander {
 public:
  Bystander() {
    char name[] = "sleep";
    char time[] = "600";
    char* const argv[] = {name, time, nullptr};
    EXPECT_EQ(posix_spawnp(&pid_, name, nullptr, nullptr, argv, environ), 0);
  }
  ~Bystander() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

TEST_F(ProxyClientTest, ACutIsSeenAtBothEndsAtOnce) {
  using net::ip::tcp;
  net::io_context context;
  tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
  tcp::socket client(context);
  tcp::socket server(context);
  client.connect({net::ip::address_v4::loopback(), proxy_.port()});
  const std::string request =
      absl::StrCat("CONNECT 127.0.0.1:", acceptor.local_endpoint().port(), " HTTP/1.1\r\n\r\n");
  net::write(client, net::buffer(request));
  acceptor.accept(server);
  std::string answer;
  net::read_until(client, net::dynamic_buffer(answer), "\r\n\r\n");
  const Bystander bystander;

  proxy_.CutAll();

  for (tcp::socket* socket : {&client, &server}) {
    pollfd readable = {socket->native_handle(), POLLIN, 0};
    ASSERT_EQ(poll(&readable, 1, 5000), 1);
    char byte = 0;
    error_code error;
    socket->read_some(net::buffer(&byte, 1), error);
    EXPECT_TRUE(error) << "still up";
  }
}

}  // namespace
}  // namespace fairlead::dataplane
