// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Addresses as people type them.
#include "control/host_port.h"

#include <string>

#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

TEST(ParseHostPort, TakesNamesAndAddresses) {
  EXPECT_EQ(ParseHostPort("ums.example:8443")->host, "ums.example");
  EXPECT_EQ(ParseHostPort("ums.example:8443")->port, 8443);
  EXPECT_EQ(ParseHostPort("192.0.2.1:1")->host, "192.0.2.1");
  EXPECT_EQ(ParseHostPort("[2001:db8::1]:65535")->host, "2001:db8::1");
  EXPECT_EQ(ParseHostPort("pc_7:30022")->host, "pc_7");
}

TEST(ParseHostPort, RefusesTheRest) {
  for (const char* bad : {"", "host", "host:", ":1", "host:0", "host:65536", "host:+1", "host: 1",
                          "host:1x", "2001:db8::1:80", "[2001:db8::1]", "[host]:1", "[]:1", "a b:1",
                          "user@host:1", "https://host:1", "host:1/path", "-h:1", ".h:1"}) {
    EXPECT_FALSE(ParseHostPort(bad).has_value()) << bad;
  }
  EXPECT_FALSE(ParseHostPort(std::string(254, 'a') + ":1").has_value());
}

}  // namespace
}  // namespace fairlead::control
