// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Reading requests: what is accepted, and above all what is refused, whole and byte by byte.
#include "dataplane/request_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::dataplane {
namespace {

using State = RequestReader::State;

constexpr std::size_t kMaxHead = 1024;

struct Outcome {
  State state;
  int status;
  std::string rest;
};

// Feeds `bytes` in steps; a body may have `max_body` bytes.
Outcome Feed(RequestReader& reader, const std::string& bytes, std::size_t step,
             std::size_t max_body) {
  std::string held;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    held += bytes.substr(i, step);
    held.erase(0, reader.Feed(held));
    if (reader.state() == State::kHeadDone) {
      reader.StartBody(max_body);
      held.erase(0, reader.Feed(held));
    }
  }
  const int status = reader.state() == State::kFailed ? reader.error().status : 0;
  return Outcome{reader.state(), status, held};
}

struct Case {
  std::string text;
  // 0: a whole request.
  int status;
};

TEST(RequestReader, RefusesWhatIsNotStrictlyARequest) {
  const std::string host = "Host: a\r\n";
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n" + host + "\r\n", 0},
      {"\r\n\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 0},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      {"GET https://a/b?c HTTP/1.1\r\n" + host + "\r\n", 0},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nab", 0},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 0},
      {"POST / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: CHUNKED\r\n\r\n2;x=y\r\nab\r\n0\r\nT: v\r\n\r\n",
       0},
      // Malformed.
      {"\x16\x03\x01\x02\x01\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: \x01\r\n\r\n", 400},
      {"GET / HTTP/1.1\n" + host + "\r\n\r\n", 505},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      // The target.
      {"GET * HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET a HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /#a HTTP/1.1\r\n" + host + "\r\n", 400},
      {"CONNECT a:443 HTTP/1.1\r\n" + host + "\r\n", 400},
      // The host.
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "Host: b\r\n\r\n", 400},
      // Two ways to tell where a request ends.
      {"POST / HTTP/1.1\r\n" + host +
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1a\r\n\r\na", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      // Chunks.
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
           std::string(2 * kMaxHead, 'x'),
       431},
      // Limits and expectations.
      {"GET / HTTP/1.1\r\n" + host + "A: " + std::string(kMaxHead, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(2 * kMaxHead, 'x'), 431},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 99\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\n" + host + "Expect: tea\r\nContent-Length: 1\r\n\r\na", 417},
  };
  for (const Case& c : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, c.text.size()}) {
      RequestReader reader(kMaxHead);
      const Outcome outcome = Feed(reader, c.text, step, 10);
      EXPECT_EQ(outcome.state, c.status == 0 ? State::kDone : State::kFailed) << c.text;
      EXPECT_EQ(outcome.status, c.status) << c.text << " in steps of " << step;
      EXPECT_EQ(reader.error().message.empty(), c.status == 0);
    }
  }
}

TEST(RequestReader, FillsTheRequest) {
  RequestReader reader(kMaxHead);
  const Outcome outcome = Feed(
      reader,
      "PATCH /a%2Fb?c=d&e HTTP/1.1\r\nHost: h\r\nX-Y:  z \r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nNEXT",
      1000, 10);
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.rest, "NEXT");
  EXPECT_EQ(reader.request().method, "PATCH");
  EXPECT_EQ(reader.request().path, "/a%2Fb");
  EXPECT_EQ(reader.request().query, "c=d&e");
  EXPECT_EQ(FindHeader(reader.request().headers, "x-y"), "z");
  EXPECT_EQ(reader.request().body, "abcde");
  EXPECT_TRUE(reader.keep_alive());
}

TEST(RequestReader, ABodyThatIsTooLargeIsReadAndDropped) {
  for (const std::string& text :
       {std::string("Content-Length: 11\r\n\r\n01234567890"),
        std::string("Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n")}) {
    RequestReader reader(kMaxHead);
    const Outcome outcome = Feed(reader, "POST / HTTP/1.1\r\nHost: a\r\n" + text + "GET", 4, 10);
    EXPECT_EQ(outcome.state, State::kDone);
    EXPECT_TRUE(reader.body_too_large());
    EXPECT_EQ(reader.request().body, "");
    EXPECT_EQ(outcome.rest, "GET");
  }
}

TEST(RequestReader, ChecksWebSocketHandshakes) {
  const std::pair<std::string, std::string> key = {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="};
  const std::pair<std::string, std::string> version = {"Sec-WebSocket-Version", "13"};
  const struct {
    const char* method;
    HttpHeaders headers;
    int status;
  } cases[] = {
      {"GET", {key, version}, 0},
      {"POST", {key, version}, 400},
      {"GET", {key}, 426},
      {"GET", {key, {"Sec-WebSocket-Version", "8"}}, 426},
      {"GET", {version}, 400},
      {"GET", {version, {"Sec-WebSocket-Key", "c2hvcnQ="}}, 400},
      {"GET", {version, {"Sec-WebSocket-Key", "not base64!"}}, 400},
  };
  for (const auto& c : cases) {
    HttpRequest request;
    request.method = c.method;
    request.headers = c.headers;
    EXPECT_EQ(CheckWebSocketHandshake(request).status, c.status);
  }
}

TEST(RequestReader, SplitsHeaderLists) {
  const HttpHeaders headers = {{"A", " x ,, y"}, {"B", "no"}, {"a", "z"}};
  EXPECT_EQ(HeaderList(headers, "A"), (std::vector<std::string>{"x", "y", "z"}));
}

}  // namespace
}  // namespace fairlead::dataplane
