// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes, OS 12 direct: the order of the flow's steps, byte exactness both
// ways, the end of a terminal and its exit code, sizes, pastes. The domain's regressions that a
// test covers are named in it (docs/regressions.md).
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"

namespace fairlead::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDevice[] = "00E0C5000001";

#if defined(__SANITIZE_ADDRESS__)
constexpr int kRuns = 50;
constexpr std::size_t kBigBytes = 16u << 20;
#else
constexpr int kRuns = 1000;
constexpr std::size_t kBigBytes = 100u << 20;
#endif

// Random bytes, the same in every run.
std::string Noise(std::size_t size) {
  std::mt19937_64 random(size);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return noise;
}

class TerminalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster;
    cluster_->StartDevice(kDevice);
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  // A shell that neither echoes nor changes a byte; what "then" puts out is still to be read.
  static std::unique_ptr<ConsoleLeg> OpenRaw(const std::string& then) {
    auto leg = cluster_->Open(kDevice);
    EXPECT_TRUE(leg->Send(absl::StrCat("stty raw -echo; printf 're''ady'; ", then, "\n")).ok());
    EXPECT_TRUE(leg->ReadUntil("ready"));
    leg->DropOutputThrough("ready");
    return leg;
  }

  static Cluster* cluster_;
};

Cluster* TerminalTest::cluster_ = nullptr;

TEST_F(TerminalTest, TimelineShowsTheStepsOfTheDirectFlowInOrder) {
  nlohmann::json session;
  auto leg = cluster_->Open(kDevice, &session);
  EXPECT_EQ(leg->subprotocol(), "fairlead.terminal.v1");
  EXPECT_EQ(session.value("flow", ""), "OS12_DIRECT");
  EXPECT_EQ(session.value("stream", ""), "PTY");
  EXPECT_EQ(session.value("state", ""), "OPENING");
  EXPECT_THAT(Steps(session), ElementsAre("CONSOLE_REQUESTED", "DEVICE_REQUESTED",
                                          "DEVICE_ATTACHED", "CONSOLE_INFORMED"));
  ASSERT_TRUE(leg->Send("exit 5\n").ok());
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 1000);
  EXPECT_EQ(leg->Control("end").value("exitCode", -1), 5);
  const nlohmann::json ended = cluster_->AwaitSession(session["name"], "ENDED");
  EXPECT_THAT(Steps(ended),
              ElementsAre("CONSOLE_REQUESTED", "DEVICE_REQUESTED", "DEVICE_ATTACHED",
                          "CONSOLE_INFORMED", "CONSOLE_ATTACHED", "DATA_FLOWING", "ENDED"));
  EXPECT_EQ(ended["end"].value("cause", ""), "PROGRAM_ENDED");
  EXPECT_EQ(ended["end"].value("exitCode", -1), 5);
  EXPECT_EQ(ended["end"].value("bytesToConsole", ""), absl::StrCat(leg->output().size()));
  EXPECT_EQ(ended["end"].value("bytesToDevice", ""), "7");
  EXPECT_FALSE(ended.contains("consoleTicket"));
}

TEST_F(TerminalTest, FirstFrameSaysThatTheLegIsInPlace) {
  auto leg = cluster_->Open(kDevice);
  ASSERT_TRUE(leg->ReadUntil(" "));

  ASSERT_GE(leg->controls().size(), 2u);
  EXPECT_TRUE(leg->controls()[0].contains("attached")) << leg->controls()[0];
  EXPECT_EQ(leg->Control("peer").value("state", ""), "ATTACHED");
}

TEST_F(TerminalTest, AllByteValuesAndSplitUtf8PassUnchangedBothWays) {
  auto leg = OpenRaw("exec cat");
  std::string sent;
  for (int c = 0; c < 256; ++c) sent.push_back(static_cast<char>(c));
  ASSERT_TRUE(leg->Send(sent).ok());
  // Each UTF-8 length, split at each boundary (R6: AltGr characters among them).
  for (const std::string character : {"e", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    for (std::size_t cut = 1; cut <= character.size(); ++cut) {
      ASSERT_TRUE(leg->Send(character.substr(0, cut)).ok());
      ASSERT_TRUE(leg->Send(character.substr(cut)).ok());
      sent += character;
    }
  }
  while (leg->output().size() < sent.size()) ASSERT_TRUE(leg->ReadOne());

  EXPECT_EQ(leg->output(), sent);
}

TEST_F(TerminalTest, R06AltGrCharactersReachTheProgram) {
  auto leg = OpenRaw("exec cat");
  const std::string sent = "\xE2\x82\xAC@\\{}[]|~";
  ASSERT_TRUE(leg->Send(sent).ok());
  while (leg->output().size() < sent.size()) ASSERT_TRUE(leg->ReadOne());

  EXPECT_EQ(leg->output(), sent);
}

TEST_F(TerminalTest, BigOutputArrivesWhole) {
  const std::string path = cluster_->folder() + "/big";
  const std::string noise = Noise(kBigBytes);
  std::ofstream(path, std::ios::binary) << noise;
  auto leg = OpenRaw(absl::StrCat("cat ", path, "; exit 0"));
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  EXPECT_TRUE(leg->output() == noise) << leg->output().size();
  EXPECT_EQ(leg->Control("end").value("exitCode", -1), 0);
}

TEST_F(TerminalTest, BigInputArrivesWhole) {
  const std::string path = cluster_->folder() + "/copy";
  const std::string noise = Noise(kBigBytes);
  auto leg = OpenRaw(absl::StrCat("head -c ", noise.size(), " > ", path, "; exit 0"));
  ASSERT_TRUE(leg->Send(noise).ok());
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  EXPECT_TRUE(ReadFile(path) == noise);
}

// The profile's program is over before or after the Console comes: nothing may be lost either way.
void RunMany(Cluster& cluster, const std::string& profile, const std::string& output, int code) {
  for (int run = 0; run < kRuns; ++run) {
    nlohmann::json session;
    auto leg = cluster.Open(kDevice, &session, {{"profile", profile}});
    leg->ReadToEnd();
    ASSERT_TRUE(leg->output() == output) << "run " << run << ": " << leg->output().size();
    ASSERT_EQ(leg->Control("end").value("exitCode", -1), code) << "run " << run;
    ASSERT_EQ(leg->Control("end").value("totalBytes", ""), absl::StrCat(output.size()));
    ASSERT_EQ(leg->close().code, 1000) << "run " << run << ": " << leg->close().text;
    const nlohmann::json ended = cluster.AwaitSession(session["name"], "ENDED");
    ASSERT_EQ(ended["end"].value("bytesToConsole", ""), absl::StrCat(output.size()));
  }
}

TEST_F(TerminalTest, ManyShortProgramsLoseNoByteAndNoCode) { RunMany(*cluster_, "seven", "x", 7); }

TEST_F(TerminalTest, ManyProgramsWithAMebibyteLoseNoByteAndNoCode) {
  RunMany(*cluster_, "three", std::string(1 << 20, 'a'), 3);
}

TEST_F(TerminalTest, ASignalIsASignalAndNoExitCode) {
  nlohmann::json session;
  auto leg = cluster_->Open(kDevice, &session, {{"profile", "killed"}});
  leg->ReadToEnd();

  EXPECT_EQ(leg->output(), "x");
  EXPECT_EQ(leg->Control("end").value("signal", ""), "SIGKILL");
  EXPECT_FALSE(leg->Control("end").contains("exitCode"));
  bool told = Eventually(absl::Seconds(10), [&] {
    return cluster_->GetSession(session["name"])["end"].value("signal", "") == "SIGKILL";
  });
  EXPECT_TRUE(told) << cluster_->GetSession(session["name"]);
}

TEST_F(TerminalTest, AClientThatNeverAcknowledgesGetsEverythingToo) {
  nlohmann::json session;
  auto leg =
      cluster_->Open(kDevice, &session, {{"profile", "three"}}, ConsoleLeg::Acknowledge::kNever);
  leg->ReadToEnd();

  EXPECT_EQ(leg->output().size(), 1u << 20);
  EXPECT_EQ(leg->close().code, 1000);
}

TEST_F(TerminalTest, TheFirstCommandSeesTheRequestedSize) {
  nlohmann::json request = {{"profile", "size"}, {"columns", 131}, {"rows", 43}};
  auto leg = cluster_->Open(kDevice, nullptr, request);
  leg->ReadToEnd();
  EXPECT_EQ(leg->output(), "43 131\r\n");

  auto plain = cluster_->Open(kDevice, nullptr, {{"profile", "size"}});
  plain->ReadToEnd();
  EXPECT_EQ(plain->output(), "24 80\r\n");
}

TEST_F(TerminalTest, TheLastResizeWins) {
  auto leg = OpenRaw("exec sh");
  for (int columns = 1; columns <= 200; ++columns) {
    ASSERT_TRUE(leg->SendControl({{"resize", {{"columns", columns}, {"rows", 50}}}}).ok());
  }
  ASSERT_TRUE(leg->Send("stty size; printf 'do''ne'\n").ok());

  ASSERT_TRUE(leg->ReadUntil("done"));
  EXPECT_THAT(leg->output(), HasSubstr("50 200"));
}

TEST_F(TerminalTest, CtrlCInterruptsABigPasteThatNobodyReads) {
  auto leg = cluster_->Open(kDevice);
  ASSERT_TRUE(leg->Send("trap 'echo inter''rupted' INT; echo re''ady; sleep 1000\n").ok());
  ASSERT_TRUE(leg->ReadUntil("ready"));
  const std::string line = std::string(99, 'p') + "\n";
  std::string paste;
  while (paste.size() < (10u << 20)) paste += line;
  ASSERT_TRUE(leg->Send(paste).ok());
  ASSERT_TRUE(leg->Send("\x03").ok());

  EXPECT_TRUE(leg->ReadUntil("interrupted"));
}

TEST_F(TerminalTest, CtrlCWorksUnderAFloodOfOutput) {
  auto leg = cluster_->Open(kDevice);
  ASSERT_TRUE(leg->Send("trap 'echo inter''rupted' INT; yes\n").ok());
  while (leg->output().size() < (4u << 20)) ASSERT_TRUE(leg->ReadOne());
  ASSERT_TRUE(leg->Send("\x03").ok());

  EXPECT_TRUE(leg->ReadUntil("interrupted"));
}

TEST_F(TerminalTest, R02AClosedSessionCanBeOpenedAgainAtOnce) {
  for (int run = 0; run < 20; ++run) {
    nlohmann::json session;
    auto leg = cluster_->Open(kDevice, &session);
    ASSERT_TRUE(leg->Send("echo al''ive\n").ok());
    ASSERT_TRUE(leg->ReadUntil("alive"));
    if (run % 2 == 0) {
      leg->Close();
    } else {
      leg->Cut();
    }
    const nlohmann::json ended = cluster_->AwaitSession(session["name"], "ENDED");
    EXPECT_EQ(ended["end"].value("cause", ""), run % 2 == 0 ? "CONSOLE_CLOSED" : "CONSOLE_LOST");
  }
}

TEST_F(TerminalTest, ManySessionsAtOnceDoNotMix) {
  std::vector<std::unique_ptr<ConsoleLeg>> legs;
  for (int i = 0; i < 16; ++i) legs.push_back(cluster_->Open(kDevice));
  for (std::size_t i = 0; i < legs.size(); ++i) {
    ASSERT_TRUE(legs[i]->Send(absl::StrCat("echo num''ber-", i, "-\n")).ok());
  }
  for (std::size_t i = 0; i < legs.size(); ++i) {
    EXPECT_TRUE(legs[i]->ReadUntil(absl::StrCat("number-", i, "-")));
    for (std::size_t other = 0; other < legs.size(); ++other) {
      if (other == i) continue;
      EXPECT_FALSE(absl::StrContains(legs[i]->output(), absl::StrCat("number-", other, "-")));
    }
  }
}

TEST_F(TerminalTest, TerminationClosesTheLegWith4410AndKillsTheShell) {
  nlohmann::json session;
  auto leg = cluster_->Open(kDevice, &session);
  ASSERT_TRUE(leg->Send("echo pid=$$=\n").ok());
  ASSERT_TRUE(leg->ReadUntil("=\r\n"));
  const std::size_t begin = leg->output().rfind("pid=") + 4;
  const std::string pid = leg->output().substr(begin, leg->output().find('=', begin) - begin);
  const Reply reply = cluster_->api().Call(
      "POST", absl::StrCat("/api/v1/", session["name"].get<std::string>(), ":terminate"),
      {{"reason", "the test ends it"}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body.value("state", ""), "ENDED");
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 4410);
  EXPECT_TRUE(Eventually(absl::Seconds(30), [&] {
    return !ReadFile(absl::StrCat("/proc/", pid, "/stat")).has_value();
  })) << pid;
}

}  // namespace
}  // namespace fairlead::tests
