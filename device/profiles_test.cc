// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The profiles file: what is read from it, what is refused, and the programs that come of it.
#include "device/profiles.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Profiles, DefaultIsALoginShell) {
  const Profiles profiles = Profiles::Default();
  EXPECT_THAT(profiles.names(), ElementsAre("shell"));

  setenv("SHELL", "/bin/sh", 1);
  const auto program = profiles.Resolve("");
  ASSERT_THAT(program, IsOk());
  EXPECT_EQ(program->path, "/bin/sh");
  EXPECT_THAT(program->argv, ElementsAre("-sh"));
  EXPECT_THAT(program->environment, Contains("TERM=xterm-256color"));
  EXPECT_THAT(program->environment, Contains("SHELL=/bin/sh"));
  EXPECT_FALSE(program->credentials.has_value());

  setenv("SHELL", "/no/such/shell", 1);
  EXPECT_NE(profiles.Resolve("shell")->path, "/no/such/shell");
}

TEST(Profiles, ReadsAFile) {
  const auto profiles = Profiles::Parse(R"(
    profiles { name: "top" argv: "env" argv: "-i" environment { key: "A" value: "b" }
               working_directory: "/usr" }
    profiles { name: "sh" argv: "/bin/sh" environment { key: "TERM" value: "vt100" } })");
  ASSERT_THAT(profiles, IsOk());
  EXPECT_THAT(profiles->names(), ElementsAre("top", "sh"));

  const auto first = profiles->Resolve("");
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->path.substr(first->path.rfind('/')), "/env");
  EXPECT_THAT(first->argv, ElementsAre("env", "-i"));
  EXPECT_THAT(first->environment, Contains("A=b"));
  EXPECT_EQ(first->working_directory, "/usr");

  EXPECT_THAT(profiles->Resolve("sh")->environment, Contains("TERM=vt100"));
  EXPECT_THAT(profiles->Resolve("nope"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no profile \"nope\"")));
}

TEST(Profiles, RefusesBadFiles) {
  for (const char* text :
       {"", "profiles { }", "profiles { name: \"a b\" }", "profiles { name: \"a/b\" }",
        "profiles { name: \"a\" } profiles { name: \"a\" }",
        "profiles { name: \"a\" shell: \"x\" }", "nonsense"}) {
    EXPECT_THAT(Profiles::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(Profiles::Parse("profiles {\n name: 7 }"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
  EXPECT_THAT(Profiles::Load("/no/such/file"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(Profiles, NamesWhatIsMissingOnTheDevice) {
  const auto profiles = Profiles::Parse(R"(
    profiles { name: "user" user: "no-such-user" }
    profiles { name: "program" argv: "no-such-program" })");
  ASSERT_THAT(profiles, IsOk());
  EXPECT_THAT(profiles->Resolve("user"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no-such-user")));
  EXPECT_THAT(profiles->Resolve("program"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no-such-program")));
}

TEST(Profiles, AnotherUserNeedsRoot) {
  const passwd* nobody = getpwnam("nobody");
  if (nobody == nullptr) GTEST_SKIP() << "there is no user nobody";
  const auto profiles = Profiles::Parse("profiles { name: 'n' user: 'nobody' argv: '/bin/sh' }");
  const auto program = profiles->Resolve("n");
  if (geteuid() != 0) {
    EXPECT_THAT(program, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("root")));
    return;
  }
  ASSERT_THAT(program, IsOk());
  EXPECT_EQ(program->credentials->uid, nobody->pw_uid);
  EXPECT_THAT(program->credentials->groups, Contains(nobody->pw_gid));
  EXPECT_THAT(program->environment, Contains("USER=nobody"));
}

}  // namespace
}  // namespace fairlead::device
