// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what the console remembers between commands, and how it prints tables.
#include "console/saved_state.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "console/table.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

std::string Path(const char* name) {
  return absl::StrCat(::testing::TempDir(), "/saved_state_test/", name, "/console.json");
}

TEST(SavedState, IsReadBackAndOnlyTheOwnerMayReadIt) {
  SavedState state;
  state.server = "https://ums.example:8443";
  state.ca_pem = "-----BEGIN CERTIFICATE-----\n";
  state.token = "secret";
  state.username = "admin";
  ASSERT_THAT(SaveState(Path("round"), state), IsOk());
  state.token = "newer";
  ASSERT_THAT(SaveState(Path("round"), state), IsOk());

  const auto loaded = LoadState(Path("round"));
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->server, state.server);
  EXPECT_EQ(loaded->ca_pem, state.ca_pem);
  EXPECT_EQ(loaded->token, "newer");
  EXPECT_EQ(loaded->username, "admin");
  struct stat info {};
  ASSERT_EQ(stat(Path("round").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(SavedState, RefusesWhatOthersMayReadWhatIsDamagedAndWhatIsNotThere) {
  EXPECT_THAT(LoadState(Path("nothing")), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(SaveState(Path("open"), SavedState()), IsOk());
  chmod(Path("open").c_str(), 0644);
  EXPECT_THAT(LoadState(Path("open")), StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_THAT(SaveState(Path("damaged"), SavedState()), IsOk());
  std::ofstream(Path("damaged")) << "{\"server\": 7";
  EXPECT_THAT(LoadState(Path("damaged")), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SavedState, LiesBelowTheStateFolder) {
  setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(*SavedStatePath(), "/state/fairlead/console.json");
  unsetenv("XDG_STATE_HOME");
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(*SavedStatePath(), "/home/somebody/.local/state/fairlead/console.json");
  unsetenv("HOME");
  EXPECT_THAT(SavedStatePath(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(FormatTable, AlignsColumnsAndDisarmsControlCharacters) {
  EXPECT_EQ(FormatTable({{"A", "LONG", "C"}, {"xyz", "\xC3\xA9", ""}, {"1", "a\x1b[2J", "c"}}),
            "A    LONG   C\n"
            "xyz  \xC3\xA9\n"
            "1    a?[2J  c\n");
  // U+009B, U+202E and a zero-width blank; what is shown is what is counted.
  EXPECT_EQ(FormatTable({{"a\xC2\x9B\xE2\x80\xAE\xE2\x80\x8Bz\r\n\a", "1"}, {"1234567890", "2"}}),
            "a???z???    1\n"
            "1234567890  2\n");
  EXPECT_EQ(FormatTable({}), "");
}

}  // namespace
}  // namespace fairlead::console
