// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the texts of the relay: those that it sends, and what it reads of a Console's.
#include "gateway/relay_notices.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::Optional;

TEST(RelayNotices, AreThoseOfTheContract) {
  EXPECT_EQ(AttachedText(), R"({"attached":{"resumeToken":"","resumeWindow":"0s"}})");
  EXPECT_EQ(PeerAttachedText(), R"({"peer":{"state":"ATTACHED"}})");
}

TEST(RelayNotices, AnAcknowledgementIsReadHoweverItIsWritten) {
  EXPECT_THAT(AcknowledgedBytes(R"({"ack":{"receivedBytes":"4096"}})"), Optional(4096u));
  EXPECT_THAT(AcknowledgedBytes(R"( { "ack" : { "received_bytes" : 4096 } } )"), Optional(4096u));
  EXPECT_THAT(AcknowledgedBytes(R"({"ack":{"receivedBytes":"18446744073709551615"}})"),
              Optional(18446744073709551615u));
  EXPECT_THAT(AcknowledgedBytes(R"({"ack":{}})"), Optional(0u));
  EXPECT_THAT(AcknowledgedBytes(R"({"ack":{"receivedBytes":"1","later":true}})"), Optional(1u));
}

TEST(RelayNotices, AnotherTextIsNone) {
  for (const char* text :
       {"", "{}", "ack", "[]", R"({"resize":{"columns":80,"rows":24}})", R"({"ack":4096})",
        R"({"ack":{"receivedBytes":"-1"}})", R"({"ack":{"receivedBytes":"x"}})",
        R"({"ack":{"receivedBytes":"18446744073709551616"}})", R"({"ack":{"receivedBytes":"1"})"}) {
    EXPECT_EQ(AcknowledgedBytes(text), absl::nullopt) << text;
  }
}

}  // namespace
}  // namespace fairlead::gateway
