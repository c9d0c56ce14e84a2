// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what base makes of and for text: identifiers, and peers' strings in log lines,
// plain text, and UTF-8.
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "base/log.h"
#include "base/plain_text.h"
#include "base/random.h"
#include "base/status_matchers.h"
#include "base/utf8.h"
#include "gtest/gtest.h"

namespace fairlead {
namespace {

TEST(Random, SecretsAre43UrlSafeCharactersAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = RandomSecret();
    EXPECT_EQ(secret.size(), 43u);
    EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
              std::string::npos);
    seen.insert(secret);
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(RandomId().size(), 24u);
  EXPECT_EQ(RandomBytes(0), "");
}

TEST(Printable, EscapesWhatWouldForgeALogLine) {
  EXPECT_EQ(Printable("plain"), "plain");
  EXPECT_EQ(Printable("it's a\nb\x1b[2J\\"), "it's a\\x0ab\\x1b[2J\\x5c");
  EXPECT_EQ(Printable(std::string(300, 'x')), std::string(200, 'x') + "...");
}

TEST(InitLog, RefusesAnUnknownLevel) {
  EXPECT_THAT(InitLog("test", "loud"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(InitLog("test", "warn"), IsOk());
}

TEST(TakeCharacter, TakesOneCharacterOrOneBadByte) {
  absl::string_view text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xff";
  EXPECT_EQ(TakeCharacter(text), 0x61u);
  EXPECT_EQ(TakeCharacter(text), 0xe4u);
  EXPECT_EQ(TakeCharacter(text), 0x20acu);
  EXPECT_EQ(TakeCharacter(text), 0x1f600u);
  EXPECT_EQ(TakeCharacter(text), absl::nullopt);
  EXPECT_EQ(text, "");
}

TEST(IsUtf8, KnowsOverlongFormsSurrogatesAndTheEndOfUnicode) {
  for (const char* good : {"", "a", "\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
                           "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << Printable(good);
  }
  for (const char* bad :
       {"\x80", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(bad)) << Printable(bad);
  }
}

TEST(CountCharacters, CountsCodePoints) {
  EXPECT_EQ(CountCharacters(""), 0u);
  EXPECT_EQ(CountCharacters("abc"), 3u);
  EXPECT_EQ(CountCharacters("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3u);
}

TEST(CutUtf8, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abc", 2), "ab");
  EXPECT_EQ(CutUtf8("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(CutUtf8("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
  EXPECT_EQ(CutUtf8("\x80\x80\x80", 2), "");
}

TEST(PlainText, ReplacesWhatSteersATerminalOrCannotBeSeen) {
  EXPECT_EQ(PlainText("Kasse 7, B\xc3\xbcro \xe2\x82\xac\xc2\xa0\xf0\x9f\x98\x80"),
            "Kasse 7, B\xc3\xbcro \xe2\x82\xac\xc2\xa0\xf0\x9f\x98\x80");
  EXPECT_EQ(PlainText("a\x1b[2J\tb\r\n\x7f"), "a?[2J?b???");
  EXPECT_EQ(PlainText(absl::string_view("a\0b", 3)), "a?b");
  // C1, a soft hyphen, a zero-width space, right-to-left override, line separator, byte order mark.
  EXPECT_EQ(PlainText("\xc2\x9b-\xc2\xad-\xe2\x80\x8b-\xe2\x80\xae-\xe2\x80\xa8-\xef\xbb\xbf"),
            "?-?-?-?-?-?");
  EXPECT_EQ(PlainText("\xff\xe2\x82 \x9b"), "??? ?");
}

TEST(PlainText, IsWhatItMakes) {
  for (const char* text : {"plain \xc3\xa4", "a\nb", "\xc2\x9b", "\xe2\x80\xae", "\xff", ""}) {
    EXPECT_EQ(IsPlainText(text), PlainText(text) == text) << Printable(text);
    EXPECT_TRUE(IsPlainText(PlainText(text))) << Printable(text);
  }
}

}  // namespace
}  // namespace fairlead
