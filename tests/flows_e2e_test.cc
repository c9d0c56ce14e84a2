// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes, each of the four flows, over an ICG with either kind of link: the
// steps and their order, byte exactness both ways, the end of a program, and where bytes do not go.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"
#include "tests/support/metric.h"

namespace fairlead::tests {
namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kBigBytes = 2u << 20;
constexpr int kRuns = 10;
#else
constexpr std::size_t kBigBytes = 16u << 20;
constexpr int kRuns = 100;
#endif

// Random bytes, the same in every run; 0xFF and CR, which Telnet treats, among them.
std::string Noise(std::size_t size) {
  std::mt19937_64 random(size);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return noise;
}

class FlowTest : public ::testing::TestWithParam<Flow> {
 protected:
  void SetUp() override { SetUpFlow(cluster_, GetParam()); }

  // A shell that neither echoes nor changes a byte; what `then` puts out is still to be read.
  std::unique_ptr<ConsoleLeg> OpenRaw(const std::string& then) {
    auto leg = cluster_.Open(kFlowDevice);
    // Telnet's options have been answered once the prompt is there; what is sent next comes after.
    EXPECT_TRUE(leg->ReadUntil("fairlead> "));
    EXPECT_TRUE(leg->Send(absl::StrCat("stty raw -echo; printf 're''ady'; ", then, "\n")).ok());
    EXPECT_TRUE(leg->ReadUntil("ready"));
    leg->DropOutputThrough("ready");
    return leg;
  }

  Cluster cluster_;
};

TEST_P(FlowTest, R07TimelineShowsTheStepsOfTheFlow) {
  std::set<std::vector<std::string>> orders;
  for (int run = 0; run < kRuns / 5; ++run) {
    nlohmann::json session;
    auto leg = cluster_.Open(kFlowDevice, &session);
    EXPECT_EQ(session.value("flow", ""), GetParam().name);
    EXPECT_EQ(session.value("stream", ""), GetParam().telnet() ? "TELNET" : "PTY");
    ASSERT_TRUE(leg->Send("exit 5\n").ok());
    leg->ReadToEnd();

    EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
    const nlohmann::json ended = cluster_.AwaitSession(session["name"], "ENDED");
    ASSERT_TRUE(IsTimelineOf(GetParam(), Steps(ended))) << ended["timeline"];
    EXPECT_EQ(ended["end"].value("cause", ""), "PROGRAM_ENDED") << ended;
    EXPECT_EQ(ended["end"].value("bytesToConsole", ""), absl::StrCat(leg->received()));
    orders.insert(Steps(ended));
  }
  for (const std::vector<std::string>& order : orders) {
    std::printf("seen: %s\n", ::testing::PrintToString(order).c_str());
  }
}

TEST_P(FlowTest, AProgramsEndIsToldAsFarAsTheFlowCan) {
  nlohmann::json session;
  auto leg = cluster_.Open(kFlowDevice, &session);
  ASSERT_TRUE(leg->Send("echo al''ive; exit 7\n").ok());
  leg->ReadToEnd();

  EXPECT_THAT(leg->output(), HasSubstr("alive"));
  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  if (!GetParam().telnet()) {
    EXPECT_EQ(leg->Control("end").value("exitCode", -1), 7);
  }
  if (GetParam().name == "OS11_DIRECT") {
    // Nothing but the byte stream leads there.
    EXPECT_FALSE(cluster_.AwaitSession(session["name"], "ENDED")["end"].contains("exitCode"));
    return;
  }
  EXPECT_TRUE(Eventually(absl::Seconds(10), [&] {
    const nlohmann::json now = cluster_.GetSession(session["name"]);
    return now.value("/end/exitCode"_json_pointer, -1) == 7;
  })) << cluster_.GetSession(session["name"]);
}

TEST_P(FlowTest, TheConsoleExitsAsTheProgramDidOrAsUnknown) {
  std::string output;
  ASSERT_EQ(
      cluster_
          .Console({"login", "--username", "admin", "--password_file", cluster_.password_file()},
                   "", &output)
          .value,
      0)
      << output;
  const ExitStatus status =
      cluster_.Console({"connect", kFlowDevice}, "echo al''ive; exit 7\n", &output);

  EXPECT_TRUE(status.exited);
  EXPECT_THAT(output, HasSubstr("alive"));
  const bool untold = GetParam().name == "OS11_DIRECT";
  EXPECT_EQ(status.value, untold ? 255 : 7) << output;
  EXPECT_EQ(absl::StrContains(output, "how its program ended is not known"), untold) << output;
}

TEST_P(FlowTest, OneAfterTheOtherLosesNothing) {
  for (int run = 0; run < kRuns; ++run) {
    auto leg = cluster_.Open(kFlowDevice);
    ASSERT_TRUE(leg->Send(absl::StrCat("echo num''ber-", run, "; exit\n")).ok());
    leg->ReadToEnd();
    ASSERT_THAT(leg->output(), HasSubstr(absl::StrCat("number-", run))) << "run " << run;
    ASSERT_EQ(leg->close().code, 1000) << "run " << run << ": " << leg->close().text;
  }
}

TEST_P(FlowTest, BigOutputArrivesWhole) {
  const std::string path = cluster_.folder() + "/big";
  const std::string noise = Noise(kBigBytes);
  std::ofstream(path, std::ios::binary) << noise;
  auto leg = OpenRaw(absl::StrCat("cat ", path, "; exit 0"));
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  EXPECT_TRUE(leg->output() == noise) << leg->output().size();
}

TEST_P(FlowTest, BigInputArrivesWhole) {
  const std::string path = cluster_.folder() + "/copy";
  const std::string noise = Noise(kBigBytes);
  auto leg = OpenRaw(absl::StrCat("head -c ", noise.size(), " > ", path, "; exit 0"));
  ASSERT_TRUE(leg->Send(noise).ok());
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  EXPECT_TRUE(ReadFile(path) == noise);
}

TEST_P(FlowTest, R06AltGrCharactersReachTheProgram) {
  auto leg = OpenRaw("exec cat");
  const std::string sent = "\xE2\x82\xAC@\\{}[]|~\r\n\r\xff\xff\r";
  ASSERT_TRUE(leg->Send(sent).ok());
  while (leg->output().size() < sent.size()) ASSERT_TRUE(leg->ReadOne());

  EXPECT_EQ(leg->output(), sent);
}

TEST_P(FlowTest, TheWindowHasASize) {
  auto leg = cluster_.Open(kFlowDevice);
  ASSERT_TRUE(leg->Send("echo re''ady\n").ok());
  // By then a Telnet client has said its size.
  ASSERT_TRUE(leg->ReadUntil("ready"));
  ASSERT_TRUE(leg->Send("stty size; echo do''ne\n").ok());

  ASSERT_TRUE(leg->ReadUntil("done"));
  EXPECT_THAT(leg->output(), HasSubstr("24 80"));
}

TEST_P(FlowTest, TerminationEndsItWith4410) {
  nlohmann::json session;
  auto leg = cluster_.Open(kFlowDevice, &session);
  ASSERT_TRUE(leg->Send("echo al''ive\n").ok());
  ASSERT_TRUE(leg->ReadUntil("alive"));
  const Reply reply = cluster_.api().Call(
      "POST", absl::StrCat("/api/v1/", session["name"].get<std::string>(), ":terminate"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body.value("state", ""), "ENDED");
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 4410);
}

TEST_P(FlowTest, R03ConsolesAreSentToTheAddressThatTheyCanReach) {
  const nlohmann::json session = cluster_.CreateSession(kFlowDevice);
  const std::uint16_t port =
      GetParam().over_icg() ? cluster_.icg(GetParam().icg()).external.port() : cluster_.port();

  EXPECT_EQ(session.value("consoleUrl", ""),
            absl::StrCat("wss://localhost:", port, "/console-connector/terminal"));
}

TEST_P(FlowTest, ADisabledTerminalIsRefusedByName) {
  const std::string path = absl::StrCat("/api/v1/devices/", kFlowDevice);
  ASSERT_EQ(cluster_.api().Call("PATCH", path + "/terminalSettings", {{"enabled", false}}).status,
            200);
  const Reply reply = cluster_.api().Call("POST", path + "/sessions", nlohmann::json::object());

  EXPECT_EQ(reply.status, 400) << reply.body;
  EXPECT_THAT(reply.body.dump(), HasSubstr(kFlowDevice));
}

TEST_P(FlowTest, R18ADeletedDeviceLosesItsSessionAndCannotReturn) {
  auto leg = cluster_.Open(kFlowDevice);
  ASSERT_TRUE(leg->Send("echo al''ive\n").ok());
  ASSERT_TRUE(leg->ReadUntil("alive"));
  ASSERT_EQ(cluster_.api().Call("DELETE", absl::StrCat("/api/v1/devices/", kFlowDevice)).status,
            200);
  leg->ReadToEnd();

  EXPECT_EQ(leg->close().code, 4410) << leg->close().text;
  EXPECT_EQ(cluster_.api().Call("GET", absl::StrCat("/api/v1/devices/", kFlowDevice)).status, 404);
  if (GetParam().name == "OS11_DIRECT") return;
  // It dials again, and is turned away for its certificate.
  EXPECT_TRUE(Eventually(absl::Seconds(60), [&] {
    return absl::StrContains(cluster_.Log(kFlowDevice), "revoked") ||
           absl::StrContains(cluster_.Log(kFlowDevice), "deleted");
  })) << cluster_.Log(kFlowDevice);
}

TEST_P(FlowTest, TerminalBytesPassTheServerOnlyWhenDirect) {
  const std::uint64_t link_before =
      GetParam().over_icg() ? cluster_.icg(GetParam().icg()).internal.bytes() : 0;
  const std::string path = cluster_.folder() + "/big";
  std::ofstream(path, std::ios::binary) << Noise(kBigBytes);
  auto leg = OpenRaw(absl::StrCat("cat ", path, "; exit 0"));
  leg->ReadToEnd();
  ASSERT_EQ(leg->output().size(), kBigBytes);

  const double relayed = Metric(cluster_.api(), "fairlead_relayed_to_console_bytes_total");
  if (GetParam().over_icg()) {
    EXPECT_EQ(relayed, 0);
    // What the server and the ICG said to each other meanwhile.
    EXPECT_LT(cluster_.icg(GetParam().icg()).internal.bytes() - link_before, 64u << 10);
  } else {
    EXPECT_GE(relayed, kBigBytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Flows, FlowTest, ::testing::ValuesIn(AllFlows()),
                         [](const auto& info) { return info.param.Label(); });

}  // namespace
}  // namespace fairlead::tests
