// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 by raw bytes over real TLS: which answer each request gets, and that a refused request
// leaves the others on its connection unharmed. Fetch is tried against the same server.
#include "dataplane/http_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_server.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestServer;

net::awaitable<HttpResponse> Describe(HttpRequest request) {
  HttpResponse response;
  response.headers.emplace_back("X-Injected", "a\r\nX-Evil: b");
  response.body = absl::StrCat(request.method, " ", request.path, " ", request.query, " [",
                               request.body, "] ", request.peer.host);
  co_return response;
}

net::awaitable<HttpResponse> Fail(HttpRequest /*request*/) {
  co_return ErrorResponse(absl::NotFoundError("no such thing; look elsewhere"));
}

net::awaitable<HttpResponse> Big(HttpRequest /*request*/) {
  HttpResponse response;
  response.body.assign(3 << 20, 'b');
  co_return response;
}

net::awaitable<void> AcceptAndEnd(HttpRequest /*request*/,
                                  std::unique_ptr<PendingUpgrade> pending) {
  auto accepted = co_await pending->Accept("");
  CloseReason reason;
  reason.code = kCloseNormal;
  if (accepted.ok()) co_await (*accepted)->Close(reason);
}

// The statuses of all status lines.
std::vector<int> Statuses(const std::string& answer) {
  std::vector<int> statuses;
  const std::string mark = "HTTP/1.1 ";
  for (std::size_t at = answer.find(mark); at != std::string::npos;
       at = answer.find(mark, at + 1)) {
    int status = 0;
    if (absl::SimpleAtoi(answer.substr(at + mark.size(), 3), &status)) statuses.push_back(status);
  }
  return statuses;
}

constexpr char kHost[] = "Host: a\r\n";
constexpr char kUpgrade[] =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class HttpConnectionTest : public ::testing::Test {
 protected:
  HttpConnectionTest() {
    Route echo = At("/echo");
    echo.on_request = Describe;
    echo.max_body_bytes = 10;
    router_.Add(std::move(echo));
    Route fail = At("/fail");
    fail.on_request = Fail;
    router_.Add(std::move(fail));
    Route big = At("/big");
    big.on_request = Big;
    router_.Add(std::move(big));
    Route websocket = At("/ws");
    websocket.on_upgrade = AcceptAndEnd;
    router_.Add(std::move(websocket));
  }

  static Route At(std::string pattern) {
    Route route;
    route.pattern = std::move(pattern);
    return route;
  }

  TestServer& Server() {
    if (server_ == nullptr) server_ = std::make_unique<TestServer>(router_, limits_);
    return *server_;
  }

  // Sends a request that keeps the connection, then one that ends it.
  std::vector<int> StatusesWithFollower(const std::string& request) {
    return Statuses(Server().Exchange(
        absl::StrCat(request, "GET /echo HTTP/1.1\r\n", kHost, "Connection: close\r\n\r\n")));
  }

  Router router_;
  ListenerLimits limits_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(HttpConnectionTest, AnswersWithAllThatAResponseNeeds) {
  const std::string answer = Server().Exchange(absl::StrCat(
      "POST /echo?q=1 HTTP/1.1\r\n", kHost, "Content-Length: 3\r\nConnection: close\r\n\r\nabc"));

  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 30\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
  EXPECT_THAT(answer, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nServer: Fairlead\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n\r\nPOST /echo q=1 [abc] 127.0.0.1"));
  EXPECT_THAT(answer, Not(HasSubstr("X-Evil")));
}

TEST_F(HttpConnectionTest, RefusedRequestsLeaveTheFollowingUnharmed) {
  const struct {
    std::string request;
    int status;
  } cases[] = {
      {"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 404},
      {"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", 426},
      {absl::StrCat("GET /echo HTTP/1.1\r\nHost: a\r\n", kUpgrade, "\r\n"), 400},
      {absl::StrCat("GET /nowhere HTTP/1.1\r\nHost: a\r\n", kUpgrade, "\r\n"), 404},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890", 413},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n"
       "0\r\n\r\n",
       413},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n"
       "0\r\n\r\n",
       200},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(StatusesWithFollower(c.request), ElementsAre(c.status, 200)) << c.request;
  }
}

TEST_F(HttpConnectionTest, RequestsWithoutACertainEndCloseTheConnection) {
  const struct {
    std::string request;
    int status;
  } cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET /echo HTTP/3.0\r\nHost: a\r\n\r\n", 505},
      {"GET /echo HTTP/1.1\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {absl::StrCat("GET /echo HTTP/1.1\r\nHost: a\r\nA: ", std::string(20000, 'x'), "\r\n\r\n"),
       431},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", 413},
  };
  for (const auto& c : cases) {
    const std::string answer = Server().Exchange(c.request);
    EXPECT_THAT(Statuses(answer), ElementsAre(c.status)) << c.request;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"code\":")) << c.request;
    EXPECT_THAT(answer, HasSubstr(",\"details\":[]}"));
  }
}

TEST_F(HttpConnectionTest, RefusesFaultyWebSocketHandshakes) {
  const struct {
    std::string head;
    int status;
    const char* header;
  } cases[] = {
      {"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
       426, "Sec-WebSocket-Version: 13\r\n"},
      {"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 13\r\n",
       400, ""},
      {absl::StrCat("POST /ws HTTP/1.1\r\nHost: a\r\n", kUpgrade), 400, ""},
  };
  for (const auto& c : cases) {
    const std::string answer = Server().Exchange(
        absl::StrCat(c.head, "\r\nGET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    EXPECT_EQ(Statuses(answer).front(), c.status) << c.head;
    EXPECT_THAT(answer, HasSubstr(c.header));
  }
  // Bytes behind a handshake are neither its body nor frames.
  EXPECT_THAT(Statuses(Server().Exchange(
                  absl::StrCat("GET /ws HTTP/1.1\r\nHost: a\r\n", kUpgrade,
                               "Content-Length: 30\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n"))),
              ElementsAre(400));
}

TEST_F(HttpConnectionTest, UpgradesWithTheAcceptKeyOfTheStandard) {
  const std::string answer = Server().Exchange(absl::StrCat(
      "GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", kUpgrade,
      "\r\n"));
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("permessage-deflate")));
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n\x88\x02\x03\xE8")) << answer;
}

TEST_F(HttpConnectionTest, HeadHasTheLengthButNoBody) {
  const std::string answer =
      Server().Exchange("HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 23\r\n"));
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n")) << answer;
}

TEST_F(HttpConnectionTest, TellsToContinueBeforeTheBody) {
  limits_.body_timeout = absl::Milliseconds(50);
  // This client never sends the body; what counts is the interim answer.
  EXPECT_THAT(Statuses(Server().Exchange("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue"
                                         "\r\nContent-Length: 3\r\n\r\n")),
              ElementsAre(100, 408));
  // A body that is there already needs none.
  EXPECT_THAT(Statuses(Server().Exchange("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue"
                                         "\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")),
              ElementsAre(200));
}

TEST_F(HttpConnectionTest, AnHttp10ConnectionEndsAfterItsAnswer) {
  EXPECT_THAT(Statuses(Server().Exchange("GET /echo HTTP/1.0\r\n\r\nGET /echo HTTP/1.0\r\n\r\n")),
              ElementsAre(200));
}

TEST_F(HttpConnectionTest, ASlowHeadIsAnsweredWith408) {
  limits_.head_timeout = absl::Milliseconds(50);
  const std::string answer = Server().Exchange("GET /echo HT");
  EXPECT_THAT(Statuses(answer), ElementsAre(408));
}

TEST_F(HttpConnectionTest, ASlowBodyIsAnsweredWith408) {
  limits_.body_timeout = absl::Milliseconds(50);
  const std::string answer =
      Server().Exchange("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  EXPECT_THAT(Statuses(answer), ElementsAre(408));
}

TEST_F(HttpConnectionTest, AnIdleConnectionIsClosedWithoutAWord) {
  limits_.head_timeout = absl::Milliseconds(50);
  limits_.idle_timeout = absl::Milliseconds(50);
  EXPECT_EQ(Server().Exchange(""), "");
  EXPECT_THAT(Statuses(Server().Exchange("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")),
              ElementsAre(200));
}

// Answers only when told to; meanwhile its thread serves others.
net::awaitable<HttpResponse> Silence(std::shared_future<void> released) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  while (released.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    co_await net::post(executor, kToken);
  }
  co_return HttpResponse();
}

HttpRequest Request(std::string method, std::string path, std::string body = "") {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  return request;
}

TEST_F(HttpConnectionTest, FetchExchangesARequest) {
  TestServer& server = Server();
  const auto get = [&server](HttpRequest request) {
    return server.Run(
        Fetch(server.At("/echo"), server.Options(), std::move(request), absl::Seconds(20)));
  };

  const auto echo = get(Request("POST", "", "abc"));
  ASSERT_THAT(echo, IsOk());
  EXPECT_EQ(echo->status, 200);
  EXPECT_THAT(echo->body, HasSubstr("POST /echo  [abc]"));

  const auto head = get(Request("HEAD", "/echo"));
  ASSERT_THAT(head, IsOk());
  EXPECT_EQ(head->body, "");

  const auto big = get(Request("GET", "/big"));
  ASSERT_THAT(big, IsOk());
  EXPECT_EQ(big->body.size(), std::size_t{3 << 20});

  const auto fail = get(Request("GET", "/fail"));
  ASSERT_THAT(fail, IsOk());
  EXPECT_THAT(StatusFromResponse(*fail),
              StatusIs(absl::StatusCode::kNotFound, "no such thing; look elsewhere"));
}

TEST_F(HttpConnectionTest, FetchGivesUpInTime) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  Route route = At("/silent");
  route.on_request = [released](HttpRequest) { return Silence(released); };
  router_.Add(std::move(route));
  TestServer& server = Server();
  EXPECT_THAT(server.Run(Fetch(server.At("/silent"), server.Options(), Request("GET", ""),
                               absl::Milliseconds(100))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  release.set_value();
}

}  // namespace
}  // namespace fairlead::dataplane
