// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers URLs, proxies and addresses as people type them.
#include "dataplane/endpoint.h"

#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct GoodUrl {
  const char* url;
  const char* host;
  int port;
  const char* target;
};

TEST(ParseUrl, TakesWhatIsUsable) {
  for (const GoodUrl& good : {
           GoodUrl{"https://ums.example", "ums.example", 8443, "/"},
           {"wss://ums.example:443", "ums.example", 443, "/"},
           {"https://ums:8443/", "ums", 8443, "/"},
           {"wss://127.0.0.1:1/console-connector/terminal", "127.0.0.1", 1,
            "/console-connector/terminal"},
           {"https://[::1]:65535/a?b=c&d", "::1", 65535, "/a?b=c&d"},
           {"https://[2001:db8::1]", "2001:db8::1", 8443, "/"},
           {"https://ums.example?a=b", "ums.example", 8443, "/?a=b"},
           {"https://ums.example/a:b@c", "ums.example", 8443, "/a:b@c"},
       }) {
    SCOPED_TRACE(good.url);
    const auto endpoint = ParseUrl(good.url);

    ASSERT_THAT(endpoint, IsOk());
    EXPECT_EQ(endpoint->host, good.host);
    EXPECT_EQ(endpoint->port, good.port);
    EXPECT_EQ(endpoint->target, good.target);
  }
}

TEST(ParseUrl, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> kBad[] = {
      {"", "begin with https://"},
      {"ums.example", "begin with https://"},
      {"http://ums.example", "begin with https://"},
      {"https://", "no host"},
      {"https:///path", "no host"},
      {"https://:8443", "no host"},
      {"https://user:word@ums.example", "user name"},
      {"https://ums.example:0", "port"},
      {"https://ums.example:65536", "port"},
      {"https://ums.example:x", "port"},
      {"https://ums.example:", "port"},
      {"https://ums.example:+1", "port"},
      {"https://ums.example:80:80", "port"},
      {"https://[::1", "]"},
      {"https://[ums]", "IPv6"},
      {"https://[::1]8443", "port"},
      {"https://ums example", "escaped"},
      {"https://ums.example/a\r\nb", "escaped"},
      {"https://ums%41.example", "host name"},
      {"https://ums.example/#x", "fragment"},
  };
  for (const auto& [url, what] : kBad) {
    EXPECT_THAT(ParseUrl(url), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)))
        << url;
  }
}

TEST(ParseProxy, TakesWhatIsUsable) {
  const auto by_name = ParseProxy("http://proxy.example:3128");
  const auto by_address = ParseProxy("http://[::1]:8080/");

  ASSERT_THAT(by_name, IsOk());
  EXPECT_EQ(HostHeader(*by_name), "proxy.example:3128");
  ASSERT_THAT(by_address, IsOk());
  EXPECT_EQ(HostHeader(*by_address), "[::1]:8080");
}

TEST(ParseProxy, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> kBad[] = {
      {"", "begin with http://"},
      {"proxy.example:3128", "begin with http://"},
      {"https://proxy.example:3128", "begin with http://"},
      {"socks5://proxy.example:3128", "begin with http://"},
      {"http://proxy.example", "port"},
      {"http://:3128", "no host"},
      {"http://proxy.example:3128/path", "port"},
      {"http://proxy example:3128", "escaped"},
  };
  for (const auto& [url, what] : kBad) {
    EXPECT_THAT(ParseProxy(url), StatusIs(absl::StatusCode::kInvalidArgument,
                                          AllOf(HasSubstr("proxy"), HasSubstr(what))))
        << url;
  }
}

TEST(ParseProxy, DoesNotRepeatAPassword) {
  EXPECT_THAT(ParseProxy("http://user:secret@proxy.example:3128"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("log-in are not supported"), Not(HasSubstr("secret")))));
}

TEST(ParseAddress, TakesHostAndPort) {
  const auto by_name = ParseAddress("device.example:30022");
  const auto by_address = ParseAddress("[2001:db8::1]:30022");

  ASSERT_THAT(by_name, IsOk());
  EXPECT_EQ(by_name->host, "device.example");
  EXPECT_EQ(by_name->port, 30022);
  ASSERT_THAT(by_address, IsOk());
  EXPECT_EQ(by_address->host, "2001:db8::1");
}

TEST(ParseAddress, NamesWhatIsWrong) {
  for (const char* bad : {"", "device", "device:", ":30022", "device:0", "2001:db8::1:30022",
                          "https://device:30022", "a@b:1", "dev ice:1"}) {
    EXPECT_THAT(ParseAddress(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("host:port")))
        << bad;
  }
}

}  // namespace
}  // namespace fairlead::dataplane
