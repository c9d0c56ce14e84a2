// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the frame codec: every header form in both roles, every split, each broken rule with its
// verdict, masks at every alignment, UTF-8, and what the writer makes. See frame_codec_fuzz_test.cc
// for what Beast makes of the same bytes.
#include "dataplane/frame_codec.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Event = FrameReader::Event;

constexpr char kMask[] = {0x11, '\xA2', 0x53, '\xF4'};

std::string Header(int first, std::size_t size, bool masked, int length_bytes) {
  const int mask_bit = masked ? 0x80 : 0;
  std::string header(1, static_cast<char>(first));
  if (length_bytes == 0) {
    header.push_back(static_cast<char>(mask_bit | static_cast<int>(size)));
  } else {
    header.push_back(static_cast<char>(mask_bit | (length_bytes == 2 ? 126 : 127)));
    for (int i = length_bytes; i-- > 0;) header.push_back(static_cast<char>(size >> (8 * i)));
  }
  return header;
}

int LengthBytes(std::size_t size) { return size < 126 ? 0 : size < 65536 ? 2 : 8; }

// A client's frame; `first` is its first byte.
std::string Masked(int first, std::string payload) {
  std::string frame = Header(first, payload.size(), true, LengthBytes(payload.size()));
  frame.append(kMask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= kMask[i % 4];
  return frame + payload;
}

std::string Plain(int first, const std::string& payload) {
  return Header(first, payload.size(), false, LengthBytes(payload.size())) + payload;
}

// What a reader gave, a line each: "binary:abc|", "text:a", "ping:x", "close:1000:why".
struct Seen {
  std::vector<std::string> events;
  CloseReason close;
};

void Drain(FrameReader& reader, std::string piece, Seen& seen) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(piece.data());
  std::span<const std::uint8_t> input(bytes, piece.size());
  for (;;) {
    switch (reader.Next(input)) {
      case Event::kNeedsInput:
        EXPECT_TRUE(input.empty());
        return;
      case Event::kPing:
        seen.events.push_back(absl::StrCat("ping:", reader.control()));
        continue;
      case Event::kPong:
        seen.events.push_back(absl::StrCat("pong:", reader.control()));
        continue;
      case Event::kData: {
        std::string chunk(reader.size(), '\0');
        if (reader.Take(reinterpret_cast<std::uint8_t*>(chunk.data()))) {
          const char* kind = reader.kind() == FrameKind::kText ? "text:" : "binary:";
          const bool continues = !seen.events.empty() &&
                                 absl::StartsWith(seen.events.back(), kind) &&
                                 seen.events.back().back() != '|';
          if (!continues) seen.events.push_back(kind);
          seen.events.back() += chunk;
          if (reader.fin() == Fin::kLast) seen.events.back() += '|';
          continue;
        }
        [[fallthrough]];
      }
      case Event::kClose:
      case Event::kFailed:
        seen.close = reader.close();
        seen.events.push_back(absl::StrCat("end:", seen.close.code));
        return;
    }
  }
}

Seen Read(const std::string& bytes, FrameRole role = FrameRole::kServer,
          std::size_t step = std::string::npos, std::size_t max = 1000) {
  FrameReader reader(role, max);
  Seen seen;
  for (std::size_t at = 0; at < bytes.size(); at += std::min(step, bytes.size())) {
    Drain(reader, bytes.substr(at, step), seen);
  }
  return seen;
}

TEST(FrameReaderTest, TakesMessagesApartAtEverySplit) {
  const std::string long_payload(300, 'l');
  const std::string bytes = Masked(0x82, "one") + Masked(0x89, "p") + Masked(0x01, "te") +
                            Masked(0x8A, "") + Masked(0x80, "xt") + Masked(0x82, "") +
                            Masked(0x82, long_payload) + Masked(0x02, "") + Masked(0x00, "") +
                            Masked(0x80, "z") + Masked(0x88, std::string("\x03\xE8why", 5)) +
                            "what follows is not looked at";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Seen seen = Read(bytes, FrameRole::kServer, step);
    std::vector<std::string> events = seen.events;
    // After the end every piece gives the end again.
    while (events.size() > 2 && events[events.size() - 2] == events.back()) events.pop_back();
    ASSERT_GE(events.size(), 9u) << step;
    // The pong came within the text.
    EXPECT_THAT(events,
                ElementsAre("binary:one|", "ping:p", "text:te", "pong:", "text:xt|", "binary:|",
                            absl::StrCat("binary:", long_payload, "|"), "binary:z|", "end:1000"))
        << step;
    EXPECT_EQ(seen.close.text, "why");
  }
}

TEST(FrameReaderTest, ReadsEveryLengthInBothRoles) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 70000u}) {
    const std::string payload(size, 'x');
    const std::string expected = absl::StrCat("binary:", payload, "|");
    EXPECT_THAT(Read(Masked(0x82, payload), FrameRole::kServer, 1000, 1 << 20).events,
                ElementsAre(expected));
    EXPECT_THAT(Read(Plain(0x82, payload), FrameRole::kClient, 999, 1 << 20).events,
                ElementsAre(expected));
  }
}

struct Broken {
  const char* name;
  std::string bytes;
  std::uint16_t code;
  const char* why;
};

TEST(FrameReaderTest, EachBrokenRuleHasItsVerdict) {
  const std::string mask(kMask, 4);
  const Broken kBroken[] = {
      {"extension", Masked(0xC2, "x"), 1002, "extension"},
      {"extension 2", Masked(0xA2, "x"), 1002, "extension"},
      {"extension 3 on a ping", Masked(0x99, "x"), 1002, "extension"},
      {"data opcode", Masked(0x83, "x"), 1002, "unknown kind"},
      {"control opcode", Masked(0x8B, "x"), 1002, "unknown kind"},
      {"not masked", Plain(0x82, "x"), 1002, "not masked"},
      {"ping in fragments", Masked(0x09, "x"), 1002, "fragmented"},
      {"long ping", Masked(0x89, std::string(126, 'x')), 1002, "too long"},
      {"long close", Masked(0x88, std::string(126, 'x')), 1002, "too long"},
      {"lonely continuation", Masked(0x80, "x"), 1002, "continued no message"},
      {"message in message", Masked(0x02, "x") + Masked(0x82, "y"), 1002, "within another"},
      {"16-bit length of 125", Header(0x82, 125, true, 2) + mask, 1002, "shortest"},
      {"64-bit length of 65535", Header(0x82, 65535, true, 8) + mask, 1002, "shortest"},
      {"too big", Masked(0x82, std::string(1001, 'x')), 1009, "larger"},
      {"too big in all", Masked(0x02, std::string(600, 'x')) + Masked(0x80, std::string(401, 'x')),
       1009, "larger"},
      {"2^63", Header(0x82, std::size_t{1} << 63, true, 8) + mask, 1009, "larger"},
      {"2^64-1 more", Masked(0x02, "x") + Header(0x80, ~std::size_t{0}, true, 8) + mask, 1009,
       "larger"},
      {"half a code", Masked(0x88, "\x03"), 1002, "half a code"},
      {"code 999", Masked(0x88, "\x03\xE7"), 1002, "no one may send"},
      {"code 1004", Masked(0x88, "\x03\xEC"), 1002, "no one may send"},
      {"code 1005", Masked(0x88, "\x03\xED"), 1002, "no one may send"},
      {"code 1006", Masked(0x88, "\x03\xEE"), 1002, "no one may send"},
      {"code 1015", Masked(0x88, "\x03\xF7"), 1002, "no one may send"},
      {"code 2999", Masked(0x88, "\x0B\xB7"), 1002, "no one may send"},
      {"code 5000", Masked(0x88, "\x13\x88"), 1002, "no one may send"},
      {"close text", Masked(0x88, "\x03\xE8\xFF"), 1002, "not UTF-8"},
      {"close text cut", Masked(0x88, "\x03\xE8\xC3"), 1002, "not UTF-8"},
      {"text", Masked(0x81, "a\xFFz"), 1007, "not UTF-8"},
      {"text cut", Masked(0x81, "a\xE2\x82"), 1007, "not UTF-8"},
      {"text over fragments", Masked(0x01, "\xE2") + Masked(0x80, "x"), 1007, "not UTF-8"},
  };
  for (const Broken& broken : kBroken) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
      const Seen seen = Read(broken.bytes, FrameRole::kServer, step);
      EXPECT_EQ(seen.close.code, broken.code) << broken.name;
      EXPECT_THAT(seen.close.text, HasSubstr(broken.why)) << broken.name;
    }
  }
  EXPECT_EQ(Read(Masked(0x82, "x"), FrameRole::kClient).close.code, 1002);
  // What a server's client takes.
  EXPECT_EQ(Read(Plain(0x88, ""), FrameRole::kClient).close.code, kCloseNoCode);
}

TEST(FrameReaderTest, EveryOtherCodeAndTextPasses) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4410, 4999}) {
    CloseReason reason;
    reason.code = static_cast<std::uint16_t>(code);
    reason.text = "grüße €";
    const std::string frame = CloseFrame(reason);
    const Seen seen = Read(Masked(0x88, frame.substr(2)));
    EXPECT_EQ(seen.close.code, code);
    EXPECT_EQ(seen.close.text, reason.text);
  }
}

TEST(FrameReaderTest, ALimitIsForAMessageAndNotForAll) {
  std::string bytes;
  for (int i = 0; i < 5; ++i) bytes += Masked(0x82, std::string(1000, 'x'));
  EXPECT_EQ(Read(bytes).events.size(), 5u);
}

TEST(FrameReaderTest, AControlFrameBetweenFragmentsChangesNothing) {
  const std::string bytes = Masked(0x01, "\xE2\x82") + Masked(0x89, "\xFF\xFE") +
                            Masked(0x00, "\xAC") + Masked(0x89, "") + Masked(0x80, "!");
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Seen seen = Read(bytes, FrameRole::kServer, step);
    ASSERT_FALSE(seen.events.empty());
    EXPECT_EQ(seen.events.back(), "text:!|") << step;
  }
}

TEST(ApplyMaskTest, EverySizeAndOverlap) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    for (const std::size_t back : {0, 1, 4, 7, 16, 63, 64, 200}) {
      std::string bytes(size + back, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      std::string expected = bytes.substr(back);
      for (std::size_t i = 0; i < size; ++i) expected[i] ^= kMask[i % 4];
      std::uint32_t mask = 0;
      std::memcpy(&mask, kMask, sizeof(mask));
      auto* data = reinterpret_cast<std::uint8_t*>(bytes.data());
      ApplyMask(data + back, data, size, mask);
      ASSERT_EQ(bytes.substr(0, size), expected) << size << " " << back;
    }
  }
}

TEST(FrameWriterTest, MakesWhatAReaderReads) {
  FrameWriter writer;
  std::string bytes;
  const auto put = [&](FrameKind kind, Fin fin, const std::string& payload) {
    std::uint8_t header[kMaxPlainHeaderBytes];
    const std::size_t size = writer.Put(header, kind, fin, payload.size());
    EXPECT_EQ(size, FrameWriter::HeaderSize(payload.size()));
    bytes.append(reinterpret_cast<const char*>(header), size);
    bytes += payload;
  };
  put(FrameKind::kText, Fin::kMore, "te");
  put(FrameKind::kText, Fin::kLast, "xt");
  bytes += PingFrame("p") + PongFrame(std::string(125, 'q'));
  put(FrameKind::kBinary, Fin::kLast, "");
  for (const std::size_t size : {125u, 126u, 65535u, 65536u}) {
    put(FrameKind::kBinary, Fin::kLast, std::string(size, 'x'));
  }
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]), 0x01);

  const Seen seen = Read(bytes, FrameRole::kClient, 10'000, 1 << 20);
  ASSERT_EQ(seen.events.size(), 8u);
  EXPECT_EQ(seen.events[0], "text:text|");
  EXPECT_EQ(seen.events[1], "ping:p");
  EXPECT_EQ(seen.events[3], "binary:|");
  EXPECT_EQ(seen.events[7].size(), 65536 + 8u);
}

TEST(CloseFrameTest, NeverSendsWhatMayNotBeSent) {
  const auto end_of = [](std::uint16_t code, const std::string& text) {
    CloseReason reason;
    reason.code = code;
    reason.text = text;
    return Read(CloseFrame(reason), FrameRole::kClient).close;
  };
  EXPECT_EQ(end_of(kCloseNoCode, "ignored").code, kCloseNoCode);
  EXPECT_EQ(end_of(1006, "x").code, 1011);
  EXPECT_EQ(end_of(2000, "x").code, 1011);
  EXPECT_EQ(end_of(4410, std::string(200, 'x')).text, std::string(123, 'x'));
  // 41 characters of 3 bytes make 123; the 42nd does not fit in part.
  std::string euros = "x";
  for (int i = 0; i < 50; ++i) euros += "€";
  EXPECT_EQ(end_of(4410, euros).text.size(), 121u);
}

TEST(Utf8CheckerTest, FollowsTheStandard) {
  const std::string kGood[] = {"",
                               "plain ascii of some length",
                               "\xC2\x80",
                               "\xDF\xBF",
                               "\xE0\xA0\x80",
                               "\xED\x9F\xBF",
                               "\xEE\x80\x80",
                               "\xEF\xBF\xBF",
                               "\xF0\x90\x80\x80",
                               "\xF4\x8F\xBF\xBF",
                               "12345678\xE2\x82\xAC"
                               "12345678"};
  const std::string kBad[] = {"\x80",
                              "\xC0\x80",
                              "\xC1\xBF",
                              "\xE0\x9F\xBF",
                              "\xED\xA0\x80",
                              "\xF0\x8F\xBF\xBF",
                              "\xF4\x90\x80\x80",
                              "\xF5\x80\x80\x80",
                              "\xFF",
                              "\xC3"
                              "a",
                              "12345678\xFE"};
  for (const std::string& text : kGood) {
    for (std::size_t split = 0; split <= text.size(); ++split) {
      Utf8Checker checker;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
      EXPECT_TRUE(checker.Add({bytes, split}));
      EXPECT_TRUE(checker.Add({bytes + split, text.size() - split}));
      EXPECT_TRUE(checker.complete());
    }
  }
  for (const std::string& text : kBad) {
    Utf8Checker checker;
    EXPECT_FALSE(checker.Add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  }
}

}  // namespace
}  // namespace fairlead::dataplane
