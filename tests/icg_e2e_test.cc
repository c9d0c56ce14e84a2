// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: an ICG without a server, restarts of either side, limits, several
// ICGs, registering and deleting, what a newcomer gets wrong, and devices that move. The domain's
// regressions that a test covers are named in it (docs/regressions.md).
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/terminals.h"

namespace fairlead::tests {
namespace {

using ::testing::HasSubstr;

constexpr char kDevice[] = "00E0C5000001";
constexpr char kSecond[] = "00E0C5000002";
constexpr char kThird[] = "00E0C5000003";

// REST calls to an ICG's own paths.
Api IcgApi(Cluster& cluster, const std::string& id) {
  return Api(absl::StrCat("https://localhost:", cluster.icg(id).external.port()),
             ReadFile(cluster.ca_file()).value_or(""));
}

bool AwaitLog(const Cluster& cluster, const std::string& name, const std::string& text) {
  return Eventually(absl::Seconds(60), [&] { return absl::StrContains(cluster.Log(name), text); });
}

bool AwaitStatus(Api& icg, const std::string& status) {
  return Eventually(kPresence, [&] {
    const Reply reply = icg.Call("GET", "/usg/check-status");
    return reply.status == 200 && reply.body == nlohmann::json{{"status", status}};
  });
}

// Runs the ICG's program with a bundle until it ends, and returns what it said.
std::string IcgSays(Cluster& cluster, const std::string& bundle, ExitStatus* status,
                    const std::string& listen = "127.0.0.1:0") {
  Process::Options process;
  process.argv = {Runfile("gateway/icg"), absl::StrCat("--listen=", listen),
                  absl::StrCat("--bundle=", bundle)};
  process.log_path = cluster.folder() + "/mistake.log";
  std::filesystem::remove(process.log_path);
  const auto ended = Process::Start(process)->Wait(absl::Seconds(30));
  *status = ended.value_or(ExitStatus());
  return cluster.Log("mistake");
}

TEST(Icg, WithoutServerTunnelsGoOnAndDevicesStayForTheGracePeriod) {
  Cluster cluster;
  cluster.StartIcg("berlin", {.fields = {{"gracePeriod", "3s"}}});
  cluster.StartDevice(kDevice, {.icg = "berlin"});
  cluster.StartDevice(kSecond, {.icg = "berlin"});
  Opened opened = OpenUpTo(cluster, kDevice, Step::kFlowing);
  Api icg = IcgApi(cluster, "berlin");
  EXPECT_TRUE(AwaitStatus(icg, "ok"));
  EXPECT_EQ(icg.Call("GET", "/readyz").status, 200);
  cluster.KillDevice(kSecond);
  cluster.KillServer();

  EXPECT_TRUE(AwaitStatus(icg, "warn"));
  EXPECT_EQ(icg.Call("GET", "/healthz").status, 200);
  EXPECT_EQ(icg.Call("GET", "/readyz").status, 503);
  // A new one is refused with a reason, the old one is let go after the grace period.
  cluster.LaunchDevice(kSecond, {.icg = "berlin"});
  EXPECT_TRUE(AwaitLog(cluster, kSecond, "o server is linked")) << cluster.Log(kSecond);
  EXPECT_TRUE(AwaitLog(cluster, kDevice, "o server has been linked")) << cluster.Log(kDevice);
  ASSERT_TRUE(opened.leg->Send("echo with''out-server\n").ok());
  EXPECT_TRUE(opened.leg->ReadUntil("without-server"));

  cluster.StartServer();
  EXPECT_TRUE(AwaitStatus(icg, "ok"));
  EXPECT_TRUE(cluster.AwaitDevice(kDevice, "ONLINE", absl::Seconds(90)));
  EXPECT_TRUE(cluster.AwaitDevice(kSecond, "ONLINE", absl::Seconds(90)));
  ASSERT_TRUE(opened.leg->Send("echo with''-server\n").ok());
  EXPECT_TRUE(opened.leg->ReadUntil("with-server"));
  ExpectNextSessionWorks(cluster, kSecond);
}

TEST(Icg, R12R13EitherSideRestartsAndTheStateIsTrue) {
  Cluster cluster;
  for (const char* scheme : {"grpcs", "wss"}) {
    const std::string id = absl::StrCat("icg-", scheme);
    cluster.StartIcg(id, {.scheme = scheme});
    for (int run = 0; run < 3; ++run) {
      cluster.KillIcg(id);
      EXPECT_TRUE(cluster.AwaitIcg(id, "DISCONNECTED", kPresence));
      EXPECT_NE(cluster.GetIcg(id).value("lastError", ""), "");
      cluster.LaunchIcg(id);
      EXPECT_TRUE(cluster.AwaitIcg(id, "CONNECTED", kPresence)) << cluster.GetIcg(id);
      cluster.KillServer();
      cluster.StartServer();
      EXPECT_TRUE(cluster.AwaitIcg(id, "CONNECTED", kPresence)) << cluster.GetIcg(id);
    }
    cluster.StartDevice(scheme, {.icg = id});
    ExpectNextSessionWorks(cluster, scheme);
  }
}

TEST(Icg, BeyondItsLimitDevicesAreRefusedLoudly) {
  Cluster cluster;
  cluster.StartIcg("small", {.fields = {{"maxDevices", 2}}});
  cluster.StartDevice(kDevice, {.icg = "small"});
  cluster.StartDevice(kSecond, {.icg = "small"});
  cluster.LaunchDevice(kThird, {.icg = "small"});

  EXPECT_TRUE(AwaitLog(cluster, "small", "no more may be")) << cluster.Log("small");
  EXPECT_TRUE(AwaitLog(cluster, kThird, "As many devices")) << cluster.Log(kThird);
  EXPECT_TRUE(Eventually(kCleanUp, [&] {
    const Reply events = cluster.api().Call("GET", "/api/v1/auditEvents?pageSize=1000");
    return absl::StrContains(events.body.dump(), "As many devices");
  }));
  EXPECT_EQ(cluster.GetIcg("small").value("connectedDevices", 0), 2);
  // Room is room.
  cluster.KillDevice(kDevice);
  EXPECT_TRUE(cluster.AwaitDevice(kThird, "ONLINE", absl::Seconds(90)));
}

// Debian lets a process have 1,024 files at first: an ICG of that many devices must lift it.
TEST(Icg, ItAndTheServerMayOpenAsManyFilesAsTheSystemAllows) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{512, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  Cluster cluster;
  cluster.StartIcg("icg");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);

  for (const pid_t pid : {cluster.server().pid(), cluster.icg("icg").process->pid()}) {
    rlimit found{};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &found), 0);
    EXPECT_EQ(found.rlim_cur, limit.rlim_max);
  }
}

TEST(Icg, R24EachDeviceIsReachedByItsOwnIcg) {
  Cluster cluster;
  cluster.StartIcg("one");
  cluster.StartIcg("two", {.scheme = "wss"});
  cluster.StartDevice(kDevice, {.icg = "one"});
  cluster.StartDevice(kSecond, {.icg = "two"});

  for (const auto& [unit_id, id] : {std::pair{kDevice, "one"}, std::pair{kSecond, "two"}}) {
    const nlohmann::json device =
        cluster.api().Call("GET", absl::StrCat("/api/v1/devices/", unit_id)).body;
    EXPECT_EQ(device["connection"].value("via", ""), "ICG");
    EXPECT_EQ(device["connection"].value("icg", ""), absl::StrCat("icgs/", id));
    const nlohmann::json session = cluster.CreateSession(unit_id);
    EXPECT_THAT(session.value("consoleUrl", ""),
                HasSubstr(absl::StrCat(":", cluster.icg(id).external.port(), "/")));
  }
}

TEST(Icg, R20WhatCannotBeReachedDoesNotHoldUpTheRest) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  cluster.StartDevice(kDevice, {.icg = "berlin"});
  cluster.StartDevice(kSecond);
  cluster.icg("berlin").internal.BlackHole();

  // All answers come, within the limit of one step of a test, whatever the ICG's state.
  EXPECT_EQ(cluster.api().Call("GET", "/api/v1/devices").status, 200);
  EXPECT_EQ(cluster.api().Call("GET", "/api/v1/icgs").status, 200);
  const Reply reply = cluster.api().Call(
      "POST", absl::StrCat("/api/v1/devices/", kDevice, "/sessions"), nlohmann::json::object());
  EXPECT_EQ(reply.status, 503) << reply.body;
  ExpectNextSessionWorks(cluster, kSecond);
}

TEST(Icg, R29ItHasNoPathsButItsOwn) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  Api icg = IcgApi(cluster, "berlin");

  for (const char* path : {"/", "/api/v1/devices", "/api/v1/login", "/usg/server-status"}) {
    EXPECT_EQ(icg.Call("GET", path).status, 404) << path;
  }
  // Without a certificate nothing of these opens.
  for (const char* path :
       {"/device-connector/server/ws-connect", "/device-connector/device/ws-connect",
        "/device-connector/device/portforwarding", "/console-connector/terminal"}) {
    const int status = icg.Call("GET", path).status;
    EXPECT_GE(status, 400) << path;
    EXPECT_LT(status, 500) << path;
  }
  const Reply metrics = icg.Call("GET", "/metrics");
  EXPECT_THAT(metrics.body.dump(), ::testing::Not(HasSubstr("PRIVATE")));
}

TEST(Icg, ADeletedOneIsCutOffAndItsDevicesAreOffline) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  cluster.StartDevice(kDevice, {.icg = "berlin"});
  Opened opened = OpenUpTo(cluster, kDevice, Step::kFlowing);
  ASSERT_EQ(cluster.api().Call("DELETE", "/api/v1/icgs/berlin").status, 200);

  EXPECT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  EXPECT_EQ(cluster.GetIcg("berlin"), nlohmann::json::object());
  cluster.AwaitSession(opened.session["name"], "ENDED", kPresence);
  Api icg = IcgApi(cluster, "berlin");
  EXPECT_TRUE(AwaitStatus(icg, "warn"));
  EXPECT_EQ(cluster.api().Call("DELETE", "/api/v1/icgs/berlin").status, 404);
}

TEST(Icg, RegisteringSaysWhatIsWrong) {
  Cluster cluster;
  const auto register_icg = [&](const nlohmann::json& icg) {
    return cluster.api().Call("POST", "/api/v1/icgs", {{"icg", icg}});
  };
  const nlohmann::json good = {{"name", "icgs/berlin"},
                               {"internalAddress", "grpcs://localhost:1"},
                               {"externalAddress", "localhost:2"}};
  const Reply first = register_icg(good);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_THAT(first.body.value("privateKeyPem", ""), HasSubstr("PRIVATE KEY"));
  EXPECT_EQ(register_icg(good).status, 409);
  for (const auto& [field, value] :
       {std::pair{"name", "icgs/UPPER"}, std::pair{"internalAddress", "http://localhost:1"},
        std::pair{"internalAddress", "grpcs://localhost"}, std::pair{"externalAddress", "nowhere"},
        std::pair{"proxy", "socks5://x:1"}}) {
    nlohmann::json bad = good;
    bad["name"] = "icgs/other";
    bad[field] = value;
    const Reply reply = register_icg(bad);
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_THAT(reply.body.value("message", ""), HasSubstr(value));
  }
  // No list, no log and no store shows the key again.
  EXPECT_THAT(cluster.api().Call("GET", "/api/v1/icgs").body.dump(),
              ::testing::Not(HasSubstr("PRIVATE")));
  EXPECT_THAT(cluster.Log("server"), ::testing::Not(HasSubstr("PRIVATE")));
}

TEST(Icg, AWrongBundleGetsASentence) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  cluster.StartDevice(kDevice);
  const std::string bundle = cluster.folder() + "/berlin.bundle";
  const std::string wrong = cluster.folder() + "/wrong.bundle";
  const auto write = [&](const std::string& text) {
    std::ofstream(wrong, std::ios::binary | std::ios::trunc) << text;
    chmod(wrong.c_str(), 0600);
  };
  ExitStatus status;

  EXPECT_THAT(IcgSays(cluster, cluster.folder() + "/none", &status), HasSubstr("/none"));
  EXPECT_NE(status.value, 0);
  write("hello");
  EXPECT_THAT(IcgSays(cluster, wrong, &status), HasSubstr(wrong));
  EXPECT_NE(status.value, 0);
  nlohmann::json mixed = nlohmann::json::parse(ReadFile(bundle).value_or(""));
  mixed["certificateChainPem"] =
      ReadFile(absl::StrCat(cluster.folder(), "/", kDevice, "/certificate.pem")).value_or("");
  write(mixed.dump());
  EXPECT_THAT(IcgSays(cluster, wrong, &status), HasSubstr(wrong));
  EXPECT_NE(status.value, 0);
  // Its port is in use.
  const std::string listen = absl::StrCat("127.0.0.1:", cluster.port());
  EXPECT_THAT(IcgSays(cluster, bundle, &status, listen), HasSubstr(absl::StrCat(cluster.port())));
  EXPECT_NE(status.value, 0);
}

TEST(Icg, R33ADeviceThatDoesNotTrustItSendsItNothing) {
  Cluster cluster;
  Cluster stranger;
  stranger.StartIcg("foreign");
  // The certificate of the ICG is of another CA; the device's key must not reach it.
  cluster.LaunchDevice(kDevice, {.port = stranger.icg("foreign").external.port()});

  EXPECT_TRUE(AwaitLog(cluster, kDevice, "is signed by")) << cluster.Log(kDevice);
  EXPECT_THAT(stranger.api().Call("GET", "/api/v1/auditEvents?pageSize=1000").body.dump(),
              ::testing::Not(HasSubstr(kDevice)));
}

TEST(Moves, R31ADeviceKeepsItsIdentityBetweenGenerations) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  cluster.StartDevice(kDevice, {.os = 11, .icg = "berlin"});
  ExpectNextSessionWorks(cluster, kDevice);
  cluster.KillDevice(kDevice);
  ASSERT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  cluster.StartDevice(kDevice, {.icg = "berlin"});

  nlohmann::json session;
  auto leg = cluster.Open(kDevice, &session);
  EXPECT_EQ(session.value("flow", ""), "OS12_ICG");
  const nlohmann::json devices = cluster.api().Call("GET", "/api/v1/devices").body["devices"];
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].value("osGeneration", ""), "OS_12");
}

TEST(Moves, R31R32ADeviceMovesBetweenServerAndIcg) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  const auto expect = [&](const std::string& via, const std::string& flow) {
    nlohmann::json session;
    auto leg = cluster.Open(kDevice, &session);
    EXPECT_EQ(session.value("flow", ""), flow);
    ASSERT_TRUE(leg->Send("exit\n").ok());
    leg->ReadToEnd();
    const Reply device = cluster.api().Call("GET", absl::StrCat("/api/v1/devices/", kDevice));
    EXPECT_EQ(device.body["connection"].value("via", ""), via);
  };
  const auto stop = [&](const std::string& preference) {
    cluster.SetPreference(kDevice, preference);
    cluster.KillDevice(kDevice);
    ASSERT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  };
  for (int round = 0; round < 2; ++round) {
    cluster.StartDevice(kDevice);
    expect("DIRECT", "OS12_DIRECT");
    stop("ICG");
    cluster.StartDevice(kDevice, {.icg = "berlin"});
    expect("ICG", "OS12_ICG");
    stop("ICG");
    cluster.StartDevice(kDevice, {.os = 11, .icg = "berlin"});
    expect("ICG", "OS11_ICG");
    stop("SERVER");
  }
}

TEST(Moves, ADeviceGoesToTheNextConnectorAndKnowsThemAfterARestart) {
  Cluster cluster;
  cluster.StartIcg("berlin");
  cluster.StartDevice(kDevice, {.icg = "berlin", .preference = "NONE"});
  cluster.KillIcg("berlin");
  // The server told it of itself.
  const auto via = [&](const std::string& wanted) {
    return Eventually(absl::Seconds(90), [&] {
      const Reply reply = cluster.api().Call("GET", absl::StrCat("/api/v1/devices/", kDevice));
      return reply.body["connection"].value("via", "") == wanted;
    });
  };
  EXPECT_TRUE(via("DIRECT"));
  ExpectNextSessionWorks(cluster, kDevice);
  // What it was started with leads nowhere any more; the list on its disk does.
  cluster.KillDevice(kDevice);
  ASSERT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  cluster.StartDevice(kDevice, {.icg = "berlin", .preference = "NONE"});
  EXPECT_TRUE(via("DIRECT"));

  cluster.StartIcg("berlin");
  // Asked for by the preference, once it connects anew.
  cluster.SetPreference(kDevice, "ICG");
  cluster.KillDevice(kDevice);
  ASSERT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  cluster.StartDevice(kDevice, {.preference = "ICG"});
  EXPECT_TRUE(via("ICG"));
}

}  // namespace
}  // namespace fairlead::tests
