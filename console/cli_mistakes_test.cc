// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the sentences about wrong command lines, by table.
#include "console/cli_mistakes.h"

#include <string>

#include "CLI/CLI.hpp"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

// What is said of a command line of a console with a few commands.
std::string MistakeIn(const std::string& line) {
  CLI::App app("A console.", "console");
  app.require_subcommand(0, 1);
  app.fallthrough();
  std::string server;
  std::string device;
  app.add_option("--server", server);
  app.add_subcommand("connect")->add_option("device", device)->required();
  CLI::App* keys = app.add_subcommand("keys");
  keys->require_subcommand(0, 1);
  keys->add_subcommand("create")->add_option("--unit_id", device);
  keys->add_subcommand("list");
  CLI::App* devices = app.add_subcommand("devices");
  devices->add_option("device", device);
  devices->add_subcommand("list");
  try {
    app.parse(line);
  } catch (const CLI::ParseError&) {
  }
  return FindMistake(app);
}

TEST(FindMistake, NamesTheFlagThatThereIsNot) {
  EXPECT_EQ(MistakeIn("--bogus"), "there is no flag --bogus; see --help");
  EXPECT_EQ(MistakeIn("--sever=x devices"), "there is no flag --sever; did you mean --server?");
  EXPECT_EQ(MistakeIn("keys create --unitid 1"),
            "there is no flag --unitid; did you mean --unit_id?");
  EXPECT_EQ(MistakeIn("keys create --sever x"), "there is no flag --sever; did you mean --server?");
  EXPECT_EQ(MistakeIn("connect --bogus"), "there is no flag --bogus; see connect --help");
  EXPECT_EQ(MistakeIn("-x devices"), "there is no flag -x; see devices --help");
}

TEST(FindMistake, NamesTheCommandThatThereIsNot) {
  EXPECT_EQ(MistakeIn("nope"), "there is no command nope; see --help");
  EXPECT_EQ(MistakeIn("conect X"), "there is no command conect; did you mean connect?");
  EXPECT_EQ(MistakeIn("--server x conect X"), "there is no command conect; did you mean connect?");
  EXPECT_EQ(MistakeIn("keys crate"), "there is no command keys crate; did you mean keys create?");
  EXPECT_EQ(MistakeIn("keys zzzz"), "there is no command keys zzzz; see keys --help");
  EXPECT_EQ(MistakeIn("connect X Y"), "\"Y\" is more than connect takes; see connect --help");
}

TEST(FindMistake, AsksForTheCommandThatIsMissing) {
  EXPECT_EQ(MistakeIn(""), "which command? There are: connect, keys, devices; see --help");
  EXPECT_EQ(MistakeIn("keys"), "which command? keys takes: create, list; see keys --help");
}

TEST(FindMistake, FindsNoneInWhatIsRightSoFar) {
  for (const char* line :
       {"devices", "devices X", "devices list", "connect X", "connect", "keys list --server x"}) {
    EXPECT_EQ(MistakeIn(line), "") << line;
  }
}

}  // namespace
}  // namespace fairlead::console
