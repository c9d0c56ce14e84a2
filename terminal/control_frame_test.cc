// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The JSON of control frames: every case in the contract's spelling, both ways, and what is
// refused.
#include "terminal/control_frame.h"

#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace fairlead::terminal {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

v1::TerminalControl FromText(const std::string& text) {
  v1::TerminalControl control;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &control)) << text;
  return control;
}

struct Case {
  const char* name;
  const char* json;
  const char* message;
};

class RoundTripTest : public testing::TestWithParam<Case> {};

TEST_P(RoundTripTest, PrintsAndParsesAsInTheContract) {
  const v1::TerminalControl control = FromText(GetParam().message);

  // The order of fields is the library's; their names and forms are the contract's.
  EXPECT_THAT(PrintControlFrame(control), UnorderedElementsAreArray(std::string(GetParam().json)));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      *ParseControlFrame(PrintControlFrame(control)), control));
  const auto parsed = ParseControlFrame(GetParam().json);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*parsed, control));
}

INSTANTIATE_TEST_SUITE_P(
    All, RoundTripTest,
    testing::Values(
        Case{"Attached", R"({"attached":{"resumeToken":"t","resumeWindow":"60s"}})",
             "attached { resume_token: 't' resume_window { seconds: 60 } }"},
        Case{"Peer", R"({"peer":{"state":"ATTACHED"}})", "peer { state: ATTACHED }"},
        Case{"PeerGone", R"({"peer":{"state":"DETACHED"}})", "peer { state: DETACHED }"},
        Case{"Resize", R"({"resize":{"columns":80,"rows":24}})", "resize { columns: 80 rows: 24 }"},
        Case{"Ack", R"({"ack":{"receivedBytes":"4096"}})", "ack { received_bytes: 4096 }"},
        Case{"AckZero", R"({"ack":{"receivedBytes":"0"}})", "ack { }"},
        Case{"Resume", R"({"resume":{"receivedBytes":"4096"}})", "resume { received_bytes: 4096 }"},
        Case{"EndCode", R"({"end":{"exitCode":7,"totalBytes":"123"}})",
             "end { exit_code: 7 total_bytes: 123 }"},
        Case{"EndCodeZero", R"({"end":{"exitCode":0,"totalBytes":"0"}})", "end { exit_code: 0 }"},
        Case{"EndSignal", R"({"end":{"signal":"SIGKILL","totalBytes":"18446744073709551615"}})",
             "end { signal: 'SIGKILL' total_bytes: 18446744073709551615 }"},
        Case{"EndUnknown", R"({"end":{"unknown":{},"totalBytes":"5"}})",
             "end { unknown { } total_bytes: 5 }"},
        Case{"Close", R"({"close":{}})", "close { }"},
        Case{"Notice", R"({"notice":{"text":"bye"}})", "notice { text: 'bye' }"}),
    [](const auto& info) { return info.param.name; });

TEST(ParseControlFrame, IgnoresWhatNewerPeersSend) {
  const auto unknown_case = ParseControlFrame(R"({"later":{"x":[1,{"y":null}]}})");
  ASSERT_THAT(unknown_case, IsOk());
  EXPECT_EQ(unknown_case->control_case(), v1::TerminalControl::CONTROL_NOT_SET);

  const auto unknown_field = ParseControlFrame(R"({"resize":{"columns":5,"rows":6,"dpi":96}})");
  ASSERT_THAT(unknown_field, IsOk());
  EXPECT_EQ(unknown_field->resize().columns(), 5u);

  const auto unknown_value = ParseControlFrame(R"({"peer":{"state":"ASLEEP"}})");
  ASSERT_THAT(unknown_value, IsOk());
  EXPECT_EQ(unknown_value->peer().state(), v1::Peer::STATE_UNSPECIFIED);
}

TEST(ParseControlFrame, RefusesWhatIsMalformed) {
  for (const char* text :
       {"", "x", "[", "[]", "1", "\"close\"", "{", R"({"close":1})", R"({"resize":{"columns":-1}})",
        R"({"resize":{"columns":"wide"}})", R"({"ack":{"receivedBytes":"-1"}})",
        R"({"ack":{"receivedBytes":"18446744073709551616"}})", R"({"close":{},"notice":{}})"}) {
    EXPECT_THAT(ParseControlFrame(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(ParseControlFrame, CapsLengthAndDepth) {
  const std::string long_notice =
      R"({"notice":{"text":")" + std::string(kMaxControlFrameBytes, 'x') + R"("}})";
  EXPECT_THAT(ParseControlFrame(long_notice),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("65536")));

  EXPECT_THAT(ParseControlFrame(std::string(60'000, '[')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ClampWindowSize, KeepsOneToAThousand) {
  const std::uint32_t values[] = {0, 1, 2, 80, 999, 1000, 1001, 0xFFFFFFFF};
  for (const std::uint32_t columns : values) {
    for (const std::uint32_t rows : values) {
      const WindowSize size = ClampWindowSize(columns, rows);
      EXPECT_EQ(size.columns, columns < 1 ? 1 : columns > 1000 ? 1000 : columns);
      EXPECT_EQ(size.rows, rows < 1 ? 1 : rows > 1000 ? 1000 : rows);
    }
  }
}

TEST(Frames, AreWhatTheParserReads) {
  EXPECT_EQ(ParseControlFrame(AckFrame(0xFFFFFFFFFFFFFFFF))->ack().received_bytes(),
            0xFFFFFFFFFFFFFFFF);
  EXPECT_EQ(ParseControlFrame(ResizeFrame(ClampWindowSize(132, 50)))->resize().columns(), 132u);
  EXPECT_TRUE(ParseControlFrame(CloseFrame())->has_close());
}

}  // namespace
}  // namespace fairlead::terminal
