// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the mains do alike, as far as it shows within a process: flags, --help, limits.
#include "base/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "base/flag_checks.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, zoo, "",
          "A flag without a default, whose help is longer than one line has "
          "room for, and so goes on in the next one, indented as the first one is, to the end.");
ABSL_FLAG(bool, ape, true, "Whether there is an ape.");
ABSL_FLAG(absl::Duration, nap, absl::Seconds(90), "How long it naps.");

namespace fairlead {
namespace {

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "zoo";
  program.version = "1.2";
  program.main_file = "base/process_test.cc";
  program.usage = "A zoo.";
  return program;
}

// Parses `arguments` as the process's own.
absl::Status Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "zoo");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParseFlags(Program(), static_cast<int>(arguments.size()), argv.data());
}

TEST(Process, ServesUntilItIsStoppedAndReloadsWithoutBeingAsked) {
  const sigset_t signals = BlockSignals();
  int reloads = 0;
  const auto reload = [&reloads] {
    ++reloads;
    if (reloads == 2) kill(getpid(), SIGHUP);
    if (reloads == 3) kill(getpid(), SIGTERM);
  };
  ServeUntilStopped(signals, reload, absl::Milliseconds(1));
  EXPECT_EQ(reloads, 3);
}

TEST(Process, HelpShowsItsOwnFlagsAlone) {
  EXPECT_EQ(
      HelpText(Program()),
      "A zoo.\n\n"
      "Flags:\n"
      "  --ape (default: true)\n"
      "      Whether there is an ape.\n"
      "  --nap (default: 1m30s)\n"
      "      How long it naps.\n"
      "  --zoo\n"
      "      A flag without a default, whose help is longer than one line has room for, and so\n"
      "      goes on in the next one, indented as the first one is, to the end.\n"
      "\n--version shows the version, --helpfull the flags of libraries too.\n");
}

TEST(Process, AskedForHelpItEndsWithSuccess) {
  for (const char* help : {"--help", "-help", "-h"}) {
    EXPECT_EXIT(static_cast<void>(Parse({"--noape", help})), ::testing::ExitedWithCode(0), "");
  }
}

TEST(Process, RefusesWhatIsNoFlag) {
  EXPECT_THAT(Parse({"--nap=2s", "ape"}),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("\"ape\"")));
  EXPECT_EQ(absl::GetFlag(FLAGS_nap), absl::Seconds(2));
}

rlimit OpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

TEST(FlagChecks, AFlagThatIsMissingIsNamed) {
  EXPECT_THAT(CheckGiven("cert", "/etc/cert.pem", "FILE"), IsOk());
  EXPECT_THAT(CheckGiven("cert", "", "FILE"),
              StatusIs(absl::StatusCode::kInvalidArgument, "--cert=FILE is missing"));
}

TEST(Process, ASecretOfTheEnvironmentIsTakenOutOfIt) {
  static char variable[] = "FAIRLEAD_TEST_SECRET=secret";
  ASSERT_EQ(putenv(variable), 0);

  EXPECT_EQ(TakeFromEnvironment("FAIRLEAD_TEST_SECRET"), "secret");
  // Where it stood, as /proc/PID/environ shows what stands there.
  EXPECT_EQ(std::string(variable, sizeof variable), "FAIRLEAD_TEST_SECRET=" + std::string(7, '\0'));
  EXPECT_EQ(TakeFromEnvironment("FAIRLEAD_TEST_SECRET"), "");
}

TEST(Process, MayOpenAsManyFilesAsTheSystemAllows) {
  rlimit low = OpenFiles();
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);

  EXPECT_EQ(RaiseOpenFileLimit(), low.rlim_max);
  EXPECT_EQ(OpenFiles().rlim_cur, low.rlim_max);
  // Again changes nothing.
  EXPECT_EQ(RaiseOpenFileLimit(), low.rlim_max);
}

}  // namespace
}  // namespace fairlead
