// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device's side of Telnet: what it offers, how it takes lines, keys and window sizes, and that
// nothing a peer sends makes it loop, grow or misread. Each case is fed in one piece and byte by
// byte.
#include "terminal/telnet_server.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::terminal {
namespace {

using std::string_literals::operator""s;

// WILL ECHO, WILL SGA, DO NAWS; DO TTYPE, WILL BINARY, DO BINARY.
const std::string kOffers =
    "\xFF\xFB\x01\xFF\xFB\x03\xFF\xFD\x1F\xFF\xFD\x18\xFF\xFB\x00\xFF\xFD\x00"s;
const std::string kWillBinary = "\xFF\xFB\x00"s;
const std::string kDoBinary = "\xFF\xFD\x00"s;
const std::string kDontBinary = "\xFF\xFE\x00"s;

struct Outcome {
  std::string input;
  std::string network;
  WindowSize size{80, 24};
  std::string terminal_type;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome Collect(TelnetServer& server) {
  Outcome outcome;
  outcome.input = server.TakeInput();
  outcome.network = server.TakeNetwork();
  outcome.size = server.TakeWindowSize().value_or(WindowSize());
  outcome.terminal_type = server.terminal_type();
  return outcome;
}

// What comes of `bytes` after the offers.
Outcome Receive(const std::string& bytes) {
  TelnetServer whole;
  EXPECT_EQ(whole.TakeNetwork(), kOffers);
  whole.Receive(bytes);
  const Outcome at_once = Collect(whole);
  TelnetServer pieces;
  (void)pieces.TakeNetwork();
  for (const char c : bytes) pieces.Receive(std::string(1, c));
  EXPECT_EQ(Collect(pieces), at_once) << "byte by byte differs";
  return at_once;
}

TEST(TelnetServerTest, OffersBeforeAnythingElse) {
  TelnetServer server;
  server.Send("hello");
  EXPECT_EQ(server.TakeNetwork(), kOffers + "hello");
}

struct InputCase {
  std::string name;
  std::string bytes;
  std::string input;
};

class TelnetInputTest : public testing::TestWithParam<InputCase> {};

TEST_P(TelnetInputTest, IsTaken) { EXPECT_EQ(Receive(GetParam().bytes).input, GetParam().input); }

INSTANTIATE_TEST_SUITE_P(
    All, TelnetInputTest,
    testing::Values(
        InputCase{"CrLf", "a\r\nb", "a\rb"}, InputCase{"CrNul", "a\r\0b"s, "a\rb"},
        InputCase{"CrAlone", "a\rb", "a\rb"}, InputCase{"LfAlone", "a\nb", "a\nb"},
        InputCase{"CrAtTheEnd", "ls\r", "ls\r"}, InputCase{"TwoEmptyLines", "\r\n\r\n", "\r\r"},
        InputCase{"CrCr", "\r\r\n", "\r\r"}, InputCase{"CrLfLf", "\r\n\n", "\r\n"},
        InputCase{"NulAlone", "a\0b"s, "a\0b"s},
        InputCase{"CommandBetween", "\r\xFF\xF1\nx", "\rx"},
        InputCase{"IacDoubled",
                  "a\xFF\xFF"
                  "b",
                  "a\xFF"
                  "b"},
        InputCase{"Utf8", "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
        InputCase{"BinaryTouchesNothing", kWillBinary + "\r\n\r\0\n\r\xFF\xFF"s,
                  "\r\n\r\0\n\r\xFF"s},
        InputCase{"BinaryForgetsTheCr", "\r" + kWillBinary + "\n", "\r\n"},
        InputCase{"BinaryOffAgain", kWillBinary + "\r\n\xFF\xFC\x00\r\n"s, "\r\n\r"},
        InputCase{"Interrupt", "a\xFF\xF4z", "a\x03z"}, InputCase{"Break", "\xFF\xF3", "\x1C"},
        InputCase{"Abort", "\xFF\xEE", "\x1C"}, InputCase{"Suspend", "\xFF\xED", "\x1A"},
        InputCase{"EndOfFile", "\xFF\xEC", "\x04"}, InputCase{"EraseCharacter", "\xFF\xF7", "\x7F"},
        InputCase{"EraseLine", "\xFF\xF8", "\x15"},
        InputCase{"SilentCommands", "\xFF\xF1\xFF\xF2\xFF\xF5\xFF\xF9\xFF\xEFx", "x"},
        InputCase{"UnknownSubnegotiation", "a\xFF\xFA\x27\x01\xFF\xFFxyz\xFF\xF0z", "az"},
        // libtelnet would start to inflate what follows.
        InputCase{"CompressionUnasked", "\xFF\xFA\x56\xFF\xF0not compressed", "not compressed"},
        InputCase{"SubnegotiationCutByACommand", "\xFF\xFA\x1F\x00\xFF\xF4x"s, "\x03x"},
        InputCase{"EndlessSubnegotiation", "\xFF\xFA\x1F" + std::string(100'000, 'x'), ""},
        InputCase{"OversizeSubnegotiation",
                  "\xFF\xFA\x18" + std::string(100'000, 'x') + "\xFF\xF0typed", "typed"},
        InputCase{"LoneEnd", "\xFF\xF0x", "x"}),
    [](const auto& info) { return info.param.name; });

struct ReplyCase {
  std::string name;
  std::string bytes;
  std::string network;
};

class TelnetReplyTest : public testing::TestWithParam<ReplyCase> {};

TEST_P(TelnetReplyTest, IsSent) {
  EXPECT_EQ(Receive(GetParam().bytes).network, GetParam().network);
}

INSTANTIATE_TEST_SUITE_P(
    All, TelnetReplyTest,
    testing::Values(
        // Answers to our offers need none of ours.
        ReplyCase{"AllAccepted", "\xFF\xFD\x01\xFF\xFD\x03\xFF\xFB\x1F\xFF\xFD\x00\xFF\xFB\x00"s,
                  ""},
        ReplyCase{"AllRefused",
                  "\xFF\xFE\x01\xFF\xFE\x03\xFF\xFC\x1F\xFF\xFC\x18\xFF\xFE\x00\xFF\xFC\x00"s, ""},
        ReplyCase{"ClientSuppressesGoAhead", "\xFF\xFB\x03", "\xFF\xFD\x03"},
        ReplyCase{"TypeIsAskedForOnce", "\xFF\xFB\x18\xFF\xFC\x18\xFF\xFB\x18",
                  "\xFF\xFA\x18\x01\xFF\xF0"
                  "\xFF\xFE\x18\xFF\xFD\x18"},
        ReplyCase{"EchoOfTheClientIsRefused", "\xFF\xFB\x01", "\xFF\xFE\x01"},
        ReplyCase{"LinemodeIsRefused", "\xFF\xFB\x22\xFF\xFD\x22", "\xFF\xFE\x22\xFF\xFC\x22"},
        ReplyCase{"CompressionIsRefused", "\xFF\xFD\x56", "\xFF\xFC\x56"},
        ReplyCase{"AreYouThere", "\xFF\xF6", "\r\n[Yes]\r\n"}),
    [](const auto& info) { return info.param.name; });

struct SizeCase {
  std::string name;
  std::string payload;
  WindowSize size;
};

class TelnetSizeTest : public testing::TestWithParam<SizeCase> {};

TEST_P(TelnetSizeTest, IsTold) {
  const Outcome outcome = Receive("\xFF\xFB\x1F\xFF\xFA\x1F" + GetParam().payload +
                                  "\xFF\xF0"
                                  "x");
  EXPECT_EQ(outcome.size, GetParam().size);
  EXPECT_EQ(outcome.input, "x");
}

INSTANTIATE_TEST_SUITE_P(All, TelnetSizeTest,
                         testing::Values(SizeCase{"Plain", "\0\x84\0\x2B"s, {132, 43}},
                                         SizeCase{"Columns255", "\0\xFF\xFF\0\x18"s, {255, 24}},
                                         SizeCase{"Rows255", "\0\x50\0\xFF\xFF"s, {80, 255}},
                                         SizeCase{
                                             "TooLarge", "\xFF\xFF\xFF\xFF\x7F\x00"s, {1000, 1000}},
                                         SizeCase{"ColumnsUnknown", "\0\0\0\x30"s, {80, 48}},
                                         SizeCase{"RowsUnknown", "\0\x64\0\0"s, {100, 24}},
                                         SizeCase{"BothUnknown", "\0\0\0\0"s, {80, 24}},
                                         SizeCase{"TooShort", "\0\x64\0"s, {80, 24}},
                                         SizeCase{"TooLong", "\0\x64\0\x30\0"s, {80, 24}},
                                         SizeCase{"Empty", "", {80, 24}}),
                         [](const auto& info) { return info.param.name; });

TEST(TelnetServerTest, TheSameSizeIsNoNews) {
  TelnetServer server(WindowSize{100, 30});
  server.Receive("\xFF\xFA\x1F\0\x64\0\x1E\xFF\xF0"s);
  EXPECT_FALSE(server.TakeWindowSize().has_value());
  server.Receive("\xFF\xFA\x1F\0\x65\0\x1E\xFF\xF0"s);
  EXPECT_EQ(server.TakeWindowSize(), (WindowSize{101, 30}));
  EXPECT_FALSE(server.TakeWindowSize().has_value());
}

TEST(TelnetServerTest, LearnsTheTerminalType) {
  EXPECT_EQ(Receive("\xFF\xFA\x18\0XTERM-256COLOR\xFF\xF0"s).terminal_type, "XTERM-256COLOR");
  EXPECT_EQ(Receive("\xFF\xFA\x18\0a b\x1B\xFF\xF0"s).terminal_type, "a?b?");
  EXPECT_EQ(Receive("\xFF\xFA\x18\0"s + std::string(5000, 'x') + "\xFF\xF0").terminal_type,
            std::string(40, 'x'));
  EXPECT_EQ(Receive("\xFF\xFA\x18\xFF\xF0x").input, "x");
}

struct OutputCase {
  std::string name;
  std::string received;
  std::vector<std::string> output;
  std::string network;
};

class TelnetOutputTest : public testing::TestWithParam<OutputCase> {};

TEST_P(TelnetOutputTest, IsSent) {
  TelnetServer server;
  server.Receive(GetParam().received);
  (void)server.TakeNetwork();
  std::string network;
  for (const std::string& chunk : GetParam().output) {
    const bool as_it_is = server.SendsAsItIs(chunk);
    server.Send(chunk);
    const std::string sent = server.TakeNetwork();
    EXPECT_TRUE(!as_it_is || sent == chunk) << sent;
    network += sent;
  }
  EXPECT_EQ(network, GetParam().network);
}

TEST(TelnetServerTest, PlainBytesGoAsTheyAreBetweenTwoThatAgreedToBinary) {
  TelnetServer server;
  EXPECT_FALSE(server.SendsAsItIs("x")) << "the offers come first";
  (void)server.TakeNetwork();
  EXPECT_TRUE(server.SendsAsItIs("x\r\0\r\n"s));
  EXPECT_FALSE(server.SendsAsItIs("x\xFFy"));
  server.Receive(kDontBinary);
  EXPECT_FALSE(server.SendsAsItIs("x"));
}

INSTANTIATE_TEST_SUITE_P(
    All, TelnetOutputTest,
    testing::Values(OutputCase{"Lines", kDontBinary, {"a\r\nb\r\n"}, "a\r\nb\r\n"},
                    OutputCase{"CrAlone", kDontBinary, {"10%\r20%"}, "10%\r\0"s + "20%"},
                    OutputCase{"CrLfInTwoPieces", kDontBinary, {"a\r", "\nb"}, "a\r\nb"},
                    OutputCase{"CrAloneInTwoPieces", kDontBinary, {"a\r", "b"}, "a\r\0b"s},
                    OutputCase{"CrAtTheEnd", kDontBinary, {"a\r"}, "a\r"},
                    OutputCase{"CrCrLf", kDontBinary, {"\r\r\n"}, "\r\0\r\n"s},
                    OutputCase{"CrNul", kDontBinary, {"\r\0x"s}, "\r\0\0x"s},
                    OutputCase{"Iac", kDontBinary, {"\xFF\xFE"}, "\xFF\xFF\xFE"},
                    // A client that agrees takes all that follows the offer for binary.
                    OutputCase{"NotAnsweredYet", "", {"\r\0\rx\r\n\xFF"s}, "\r\0\rx\r\n\xFF\xFF"s},
                    OutputCase{"Binary", kDoBinary, {"\r\0\rx\r\n\xFF"s}, "\r\0\rx\r\n\xFF\xFF"s},
                    OutputCase{"BinaryOffAgain", kDoBinary + kDontBinary, {"\rx"}, "\r\0x"s},
                    OutputCase{"BinaryOnAfterAll", kDontBinary + kDoBinary, {"\rx"}, "\rx"}),
    [](const auto& info) { return info.param.name; });

// Undoes what Send does in binary mode.
std::string Undouble(const std::string& bytes) {
  std::string plain;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    plain.push_back(bytes[i]);
    if (bytes[i] == '\xFF') ++i;
  }
  return plain;
}

TEST(TelnetServerTest, IsEightBitClean) {
  std::string all;
  for (int i = 0; i < 100'000; ++i) all.push_back(static_cast<char>(i * 31 + i / 256));
  TelnetServer server;
  server.Receive(kDoBinary + kWillBinary);
  (void)server.TakeNetwork();
  server.Send(all);
  const std::string sent = server.TakeNetwork();
  EXPECT_TRUE(Undouble(sent) == all);
  server.Receive(sent);
  EXPECT_TRUE(server.TakeInput() == all);
}

TEST(TelnetServerTest, AStormOfOptionsIsAnsweredAndNoMore) {
  TelnetServer server;
  (void)server.TakeNetwork();
  std::string storm;
  for (int round = 0; round < 20; ++round) {
    for (int option = 0; option < 256; ++option) {
      for (const char command : {'\xFB', '\xFC', '\xFD', '\xFE'}) {
        storm += {'\xFF', command, static_cast<char>(option)};
      }
    }
  }
  server.Receive(storm);
  EXPECT_LE(server.waiting_for_network(), storm.size() + 6);
  EXPECT_EQ(server.TakeInput(), "");
  // Two that disagree about what is on, and only ever answer, come to rest.
  TelnetServer other;
  for (int round = 0; round < 50; ++round) {
    const std::string here = server.TakeNetwork();
    const std::string there = other.TakeNetwork();
    other.Receive(here);
    server.Receive(there);
  }
  EXPECT_EQ(server.waiting_for_network() + other.waiting_for_network(), 0u);
}

}  // namespace
}  // namespace fairlead::terminal
