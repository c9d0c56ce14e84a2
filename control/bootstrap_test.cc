// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The first start: one administrator, whose password somebody knows.
#include "control/bootstrap.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/state_file.h"
#include "base/status_matchers.h"
#include "control/sqlite_store.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

class BootstrapTest : public ::testing::Test {
 protected:
  BootstrapTest() {
    options_.state_dir = absl::StrCat(::testing::TempDir(), "/boot-XXXXXX");
    EXPECT_NE(mkdtemp(&options_.state_dir[0]), nullptr);
  }
  absl::StatusOr<BootstrapResult> Run() {
    return EnsureFirstAdministrator(options_, *store_, audit_, clock_, hasher_);
  }

  FakeClock clock_;
  std::unique_ptr<SqliteStore> store_ = SqliteStore::Open(":memory:").value();
  AuditLog audit_{*store_, clock_};
  PasswordHasher hasher_{PasswordCost{64, 1, 1}};
  BootstrapOptions options_;
};

TEST_F(BootstrapTest, MakesAPasswordAndKeepsItPrivate) {
  const BootstrapResult result = Run().value();

  EXPECT_TRUE(result.created);
  struct stat info;
  ASSERT_EQ(stat(result.password_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const std::string content = ReadStateFile(result.password_file).value();
  const UserRecord user = store_->GetUser("admin").value();
  EXPECT_TRUE(hasher_.Verify(absl::StripSuffix(content, "\n"), user.password_hash));
  EXPECT_EQ(user.roles, std::vector<std::string>{"roles/administrator"});
}

TEST_F(BootstrapTest, TakesAGivenPassword) {
  options_.username = "root";
  options_.password = "twelve bytes";
  const BootstrapResult result = Run().value();

  EXPECT_TRUE(result.created);
  EXPECT_EQ(result.password_file, "");
  EXPECT_TRUE(hasher_.Verify("twelve bytes", store_->GetUser("root")->password_hash));
}

TEST_F(BootstrapTest, DoesNothingWhenThereIsAUser) {
  ASSERT_THAT(Run(), IsOk());
  const std::string hash = store_->GetUser("admin")->password_hash;
  options_.password = "another password";

  EXPECT_FALSE(Run()->created);
  EXPECT_EQ(store_->GetUser("admin")->password_hash, hash);
}

TEST_F(BootstrapTest, RefusesAWeakPasswordOrOddName) {
  options_.password = "eleven byte";
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument));
  options_.password = "twelve bytes";
  options_.username = "a b";
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(*store_->CountUsers(), 0);
}

}  // namespace
}  // namespace fairlead::control
