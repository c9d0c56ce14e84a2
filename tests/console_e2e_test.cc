// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: the console's command line as a person or a script uses it.
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/cluster.h"

namespace fairlead::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDevice[] = "00E0C5000001";

class ConsoleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster;
    cluster_->StartDevice(kDevice);
    ASSERT_EQ(Run({"login", "--username", "admin", "--password_file", cluster_->password_file()}),
              0)
        << output_;
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  // Runs the console; its output is in output_.
  static int Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    const ExitStatus status = cluster_->Console(arguments, input, &output_);
    EXPECT_TRUE(status.exited) << output_;
    return status.value;
  }

  static Cluster* cluster_;
  static std::string output_;
};

Cluster* ConsoleTest::cluster_ = nullptr;
std::string ConsoleTest::output_;

TEST_F(ConsoleTest, ConnectPassesOutputAndExitCodeOn) {
  for (const char* transport : {"", "--grpc"}) {
    std::vector<std::string> arguments = {"connect", kDevice};
    if (*transport != '\0') arguments.insert(arguments.begin(), transport);
    EXPECT_EQ(Run(arguments, "echo fair''lead-$((6*7)); exit 9\n"), 9) << output_;
    EXPECT_THAT(output_, HasSubstr("fairlead-42"));
  }
}

TEST_F(ConsoleTest, EndOfInputEndsTheShell) {
  EXPECT_EQ(Run({"connect", kDevice}, "exit 3"), 3) << output_;
  EXPECT_EQ(Run({"connect", kDevice}, "echo fair''lead\n"), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("fairlead"));
}

TEST_F(ConsoleTest, DevicesAsTableAndAsJson) {
  EXPECT_EQ(Run({"devices"}), 0);
  EXPECT_THAT(output_, AllOf(HasSubstr(kDevice), HasSubstr("ONLINE")));
  EXPECT_EQ(Run({"--output", "json", "devices"}), 0);
  const auto json = nlohmann::json::parse(output_, nullptr, false);
  EXPECT_EQ(json["devices"][0].value("unitId", ""), kDevice) << output_;
  EXPECT_EQ(Run({"--output", "json", "devices", kDevice}), 0);
  EXPECT_EQ(nlohmann::json::parse(output_, nullptr, false).value("unitId", ""), kDevice) << output_;
}

TEST_F(ConsoleTest, TagsAreGivenFilteredByAndTakenAway) {
  EXPECT_EQ(Run({"devices", "tag", kDevice, "Berlin", "till"}), 0);
  EXPECT_THAT(output_, HasSubstr("has the tags Berlin, till."));
  EXPECT_EQ(Run({"devices", "list", "--filter", "tag=berlin tag=till state=ONLINE"}), 0);
  EXPECT_THAT(output_, AllOf(HasSubstr(kDevice), HasSubstr("Berlin, till")));
  EXPECT_EQ(Run({"devices", "list", "--filter", "tag=paris"}), 0);
  EXPECT_THAT(output_, Not(HasSubstr(kDevice)));
  EXPECT_EQ(Run({"--grpc", "devices", "untag", kDevice, "berlin", "till"}), 0);
  EXPECT_THAT(output_, HasSubstr("has no tags."));
  EXPECT_EQ(Run({"devices", "tag", kDevice, "a,b"}), 1);
  EXPECT_THAT(output_, HasSubstr("without blanks, commas"));
}

TEST_F(ConsoleTest, SessionsAndTerminate) {
  nlohmann::json session;
  auto leg = cluster_->Open(kDevice, &session);
  ASSERT_TRUE(leg->ReadUntil(" "));
  const std::string name = session["name"];
  EXPECT_EQ(Run({"sessions"}), 0);
  EXPECT_THAT(output_, HasSubstr(name.substr(name.find('/') + 1)));
  EXPECT_EQ(Run({"terminate", name}), 0) << output_;
  leg->ReadToEnd();
  EXPECT_EQ(leg->close().code, 4410);
}

TEST_F(ConsoleTest, KeysAreCreatedListedDisabledAndDeleted) {
  EXPECT_EQ(Run({"--output", "json", "keys", "create", "--type", "mass-deployment", "--name",
                 "a test's key"}),
            0)
      << output_;
  const auto key = nlohmann::json::parse(output_, nullptr, false);
  EXPECT_GE(key.value("key", "").size(), 16u);
  const std::string name = key.value("name", "");
  EXPECT_EQ(Run({"keys", "list"}), 0);
  EXPECT_THAT(output_, HasSubstr("a test's key"));
  EXPECT_EQ(Run({"keys", "disable", name}), 0) << output_;
  EXPECT_EQ(Run({"keys", "delete", name}), 0) << output_;
  EXPECT_EQ(Run({"keys", "delete", name}), 1);
}

TEST_F(ConsoleTest, AuditShowsTheLogIn) {
  EXPECT_EQ(Run({"audit"}), 0);
  EXPECT_THAT(output_, AllOf(HasSubstr("auth.login"), HasSubstr("users/admin")));
}

TEST_F(ConsoleTest, MistakesGetSentences) {
  EXPECT_NE(Run({"connect", "NOSUCH"}), 0);
  EXPECT_THAT(output_, HasSubstr("NOSUCH"));
  EXPECT_EQ(Run({"conect", kDevice}), 2);
  EXPECT_THAT(output_, HasSubstr("there is no command conect; did you mean connect?"));
  EXPECT_EQ(Run({"--bogus"}), 2);
  EXPECT_THAT(output_, HasSubstr("there is no flag --bogus; see --help"));
  EXPECT_EQ(Run({"keys"}), 2);
  EXPECT_THAT(output_, HasSubstr("which command? keys takes: create"));
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(output_, HasSubstr("doctor"));
  EXPECT_NE(Run({"--server", "https://localhost:1", "devices"}), 0);
  EXPECT_THAT(output_, HasSubstr("localhost:1"));
}

}  // namespace
}  // namespace fairlead::tests
