// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where a ticket is found, and from which origins a browser may connect.
#include "gateway/ticket_request.h"

#include <string>

#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

const std::string kTicket(43, 'T');

TEST(TicketOf, IsInTheHeaderOrAmongTheSubprotocols) {
  EXPECT_EQ(TicketOf({{"Authorization", "Bearer abc"}}, {}), "abc");
  EXPECT_EQ(TicketOf({{"authorization", "bearer  abc "}}, {}), "abc");
  EXPECT_EQ(TicketOf({}, {kTerminalSubprotocol, "fairlead.ticket.abc"}), "abc");
  EXPECT_EQ(TicketOf({}, {"fairlead.ticket.abc", kTerminalSubprotocol}), "abc");
  EXPECT_EQ(TicketOf({{"Authorization", "Bearer abc"}}, {"fairlead.ticket.def"}), "abc");
  EXPECT_EQ(TicketOf({{"Authorization", "Basic abc"}}, {"fairlead.ticket.def"}), "def");
  EXPECT_EQ(TicketOf({}, {kTerminalSubprotocol}), "");
  EXPECT_EQ(TicketOf({}, {}), "");
}

TEST(LooksLikeTicket, ChecksLengthAndAlphabet) {
  EXPECT_TRUE(LooksLikeTicket(kTicket));
  EXPECT_TRUE(LooksLikeTicket("-_0aZ" + kTicket.substr(5)));
  EXPECT_FALSE(LooksLikeTicket(""));
  EXPECT_FALSE(LooksLikeTicket(kTicket.substr(1)));
  EXPECT_FALSE(LooksLikeTicket(kTicket + "T"));
  EXPECT_FALSE(LooksLikeTicket(kTicket.substr(1) + "="));
  EXPECT_FALSE(LooksLikeTicket(kTicket.substr(1) + " "));
}

TEST(OriginAllowed, IsTheHostOrAnAllowedOne) {
  const std::vector<std::string> allowed = {"https://ums.example:8443"};
  EXPECT_TRUE(OriginAllowed("", "icg.example:8443", allowed));
  EXPECT_TRUE(OriginAllowed("https://icg.example:8443", "icg.example:8443", allowed));
  EXPECT_TRUE(OriginAllowed("https://ICG.example:8443", "icg.example:8443", allowed));
  EXPECT_TRUE(OriginAllowed("https://ums.example:8443", "icg.example:8443", allowed));
  EXPECT_FALSE(OriginAllowed("http://icg.example:8443", "icg.example:8443", allowed));
  EXPECT_FALSE(OriginAllowed("https://icg.example", "icg.example:8443", allowed));
  EXPECT_FALSE(OriginAllowed("https://evil.example", "icg.example:8443", allowed));
  EXPECT_FALSE(OriginAllowed("https://ums.example:84430", "icg.example:8443", allowed));
  EXPECT_FALSE(OriginAllowed("null", "icg.example:8443", allowed));
}

}  // namespace
}  // namespace fairlead::gateway
