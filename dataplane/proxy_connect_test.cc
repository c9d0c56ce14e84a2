// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what a proxy is asked, and how its answer is understood.
#include "dataplane/proxy_connect.h"

#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using State = ProxyAnswer::State;

Endpoint At(std::string host, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.host = std::move(host);
  endpoint.port = port;
  return endpoint;
}

absl::Status StatusFor(absl::string_view bytes) {
  ProxyAnswer answer;
  answer.Feed(bytes);
  return TunnelStatus(At("proxy.example", 3128), At("ums.example", 8443), answer);
}

TEST(ConnectRequest, NamesTheTarget) {
  EXPECT_EQ(ConnectRequest(At("ums.example", 8443)),
            "CONNECT ums.example:8443 HTTP/1.1\r\nHost: ums.example:8443\r\n"
            "User-Agent: Fairlead\r\n\r\n");
  EXPECT_THAT(ConnectRequest(At("::1", 443)), HasSubstr("CONNECT [::1]:443 HTTP/1.1\r\n"));
}

TEST(ProxyAnswer, IsUnderstoodByteByByte) {
  ProxyAnswer answer;
  for (const char c : std::string("HTTP/1.0 200 Connection established\r\nVia: x\r\n\r")) {
    ASSERT_EQ(answer.Feed(absl::string_view(&c, 1)), State::kReading);
  }

  EXPECT_EQ(answer.Feed("\n"), State::kDone);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.phrase(), "Connection established");
  EXPECT_EQ(answer.excess(), 0u);
}

TEST(ProxyAnswer, NeedsNoPhrase) {
  EXPECT_THAT(StatusFor("HTTP/1.1 200\r\n\r\n"), IsOk());
  EXPECT_THAT(StatusFor("HTTP/1.1 204 \r\n\r\n"), IsOk());
}

struct Refused {
  const char* name;
  std::string answer;
  const char* says;
};

class RefusedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, NamesProxyAndReason) {
  EXPECT_THAT(StatusFor(GetParam().answer),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("proxy.example:3128"), HasSubstr(GetParam().says))));
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedTest,
    ::testing::Values(
        Refused{"Forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nbody",
                "ums.example:8443: 403 Forbidden"},
        Refused{"BadGateway", "HTTP/1.1 502 \r\n\r\n", "502"},
        Refused{"LogIn", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                "log-in are not supported"},
        Refused{"Redirect", "HTTP/1.1 302 Found\r\n\r\n", "302 Found"},
        Refused{"Interim", "HTTP/1.1 100 Continue\r\n\r\n", "100"},
        Refused{"HostilePhrase", "HTTP/1.1 500 \x1b[31m\xff\r\n\r\n", "500 ?[31m?"},
        Refused{"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1"},
        Refused{"Http2", "HTTP/2 200\r\n\r\n", "not HTTP/1"},
        Refused{"NoStatus", "HTTP/1.1\r\n\r\n", "status line"},
        Refused{"LongStatus", "HTTP/1.1 2000 OK\r\n\r\n", "status line"},
        Refused{"HighStatus", "HTTP/1.1 600 OK\r\n\r\n", "status line"},
        Refused{"TooLarge", "HTTP/1.1 200 OK\r\nX: " + std::string(9000, 'x') + "\r\n\r\n",
                "larger than 8192"},
        Refused{"Incomplete", "HTTP/1.1 200 OK\r\n", "not complete"},
        Refused{"SpeaksFirst", "HTTP/1.1 200 OK\r\n\r\nhello", "something of its own"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fairlead::dataplane
