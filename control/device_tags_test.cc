// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What may be a tag, and how a device's tags are changed.
#include "control/device_tags.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Tags Of(const std::vector<std::string>& tags) { return {tags.begin(), tags.end()}; }

TEST(CheckTag, TakesWordsOfAnyScript) {
  for (const char* tag :
       {"berlin", "K\u00f6ln", "\u6771\u4eac", "a", "till-7", "site:berlin/2", "=", "\U0001f5a8"}) {
    EXPECT_THAT(CheckTag(tag), IsOk()) << tag;
  }
  EXPECT_THAT(CheckTag(std::string(64, 'x')), IsOk());
  std::string umlauts;
  for (int i = 0; i < 64; ++i) absl::StrAppend(&umlauts, "\u00e4");
  EXPECT_THAT(CheckTag(umlauts), IsOk());
}

TEST(CheckTag, RefusesWhatCannotBeSeenOrSeparates) {
  for (const char* tag : {"", " ", "a b", " a", "a,b", "a\tb", "a\nb", "\x1b[31m", "\x7f", "\u0085",
                          "a\u00a0b", "a\u200bb", "\u202egnp", "\u3000", "\ufeff", "\U000e0041"}) {
    EXPECT_THAT(CheckTag(tag), StatusIs(absl::StatusCode::kInvalidArgument)) << tag;
  }
  EXPECT_THAT(CheckTag(std::string(65, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("64")));
  EXPECT_THAT(CheckTag("a\x1b"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\\x1b")));
}

TEST(CheckTag, ReadsNoFurtherThanATruncatedCharacter) {
  for (const std::string tag : {"\xc3", "a\xe6\x9d", "\xf0\x9f\x96"}) {
    // Of just this size, so that AddressSanitizer sees one byte too many.
    const std::vector<char> exact(tag.begin(), tag.end());
    (void)CheckTag(absl::string_view(exact.data(), exact.size()));
  }
}

TEST(ApplyTags, RemovesThenAddsAndSorts) {
  v1::Device device;

  ASSERT_THAT(ApplyTags(Of({"till", "Berlin", "berlin", "till"}), {}, device), IsOk());
  EXPECT_THAT(device.tags(), ElementsAre("Berlin", "till"));
  ASSERT_THAT(ApplyTags(Of({"BERLIN"}), Of({"nosuch"}), device), IsOk());
  EXPECT_THAT(device.tags(), ElementsAre("Berlin", "till"));
  ASSERT_THAT(ApplyTags(Of({"BERLIN"}), Of({"berlin"}), device), IsOk());
  EXPECT_THAT(device.tags(), ElementsAre("BERLIN", "till"));
  EXPECT_EQ(TagList(device), "BERLIN, till");
  EXPECT_TRUE(HasTag(device, "berlin"));
  EXPECT_FALSE(HasTag(device, "ber"));
  ASSERT_THAT(ApplyTags({}, Of({"Till", "berlin"}), device), IsOk());
  EXPECT_THAT(device.tags(), IsEmpty());
}

TEST(ApplyTags, RefusesBadOnesAndTooMany) {
  v1::Device device;
  EXPECT_THAT(ApplyTags(Of({"a b"}), {}, device), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ApplyTags({}, Of({"a b"}), device), StatusIs(absl::StatusCode::kInvalidArgument));
  std::vector<std::string> many;
  for (int i = 0; i < 32; ++i) many.push_back(absl::StrCat("tag", i));
  ASSERT_THAT(ApplyTags(Of(many), {}, device), IsOk());
  EXPECT_THAT(ApplyTags(Of({"tag0"}), {}, device), IsOk());
  EXPECT_THAT(ApplyTags(Of({"tag32"}), Of({"tag31"}), device), IsOk());
  EXPECT_THAT(ApplyTags(Of({"one-more"}), {}, device),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("32")));
}

}  // namespace
}  // namespace fairlead::control
