// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: each process killed at each step of the flow, and a black-holed
// network. Afterwards there is no ghost session, no orphan shell, no leaked descriptor, presence is
// right, and the next session works.
#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/tcp_proxy.h"

namespace fairlead::tests {
namespace {

constexpr char kDevice[] = "00E0C5000001";
// What the product promises after any loss.
constexpr absl::Duration kCleanUp = absl::Seconds(30);
constexpr absl::Duration kPresence = absl::Seconds(45);

// The process identifier of the shell behind `leg`.
std::string ShellPid(ConsoleLeg& leg) {
  EXPECT_TRUE(leg.Send("echo pid=$$=\n").ok());
  EXPECT_TRUE(leg.ReadUntil("=\r\n"));
  const std::size_t begin = leg.output().rfind("pid=") + 4;
  return leg.output().substr(begin, leg.output().find('=', begin) - begin);
}

bool IsGone(const std::string& pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat")).value_or("");
  // A zombie runs nothing any more.
  return stat.empty() || stat.find(") Z") != std::string::npos;
}

void ExpectNextSessionWorks(Cluster& cluster) {
  auto leg = cluster.Open(kDevice);
  ASSERT_TRUE(leg->Send("echo al''ive; exit 4\n").ok());
  leg->ReadToEnd();
  EXPECT_THAT(leg->output(), ::testing::HasSubstr("alive"));
  EXPECT_EQ(leg->Control("end").value("exitCode", -1), 4);
}

void ExpectNoSessions(Cluster& cluster) {
  EXPECT_TRUE(Eventually(kCleanUp, [&] { return cluster.UnendedSessions() == 0; }))
      << cluster.UnendedSessions() << " ghost sessions";
}

// Waits until the process has no more descriptors than before.
void ExpectDescriptors(pid_t pid, int before) {
  EXPECT_TRUE(Eventually(kCleanUp, [&] { return OpenDescriptors(pid) <= before; }))
      << OpenDescriptors(pid) << " descriptors, " << before << " before";
}

// How far the session has come when something dies.
enum class Step { kCreated, kAttached, kFlowing, kFlooding };
constexpr Step kSteps[] = {Step::kCreated, Step::kAttached, Step::kFlowing, Step::kFlooding};

// A session that has come as far as `step`.
struct Opened {
  nlohmann::json session;
  std::unique_ptr<ConsoleLeg> leg;
  std::string shell;
};

Opened OpenUpTo(Cluster& cluster, Step step) {
  Opened opened;
  opened.session = cluster.CreateSession(kDevice);
  if (step == Step::kCreated) return opened;
  opened.leg =
      std::make_unique<ConsoleLeg>(opened.session.value("consoleUrl", ""),
                                   opened.session.value("consoleTicket", ""), cluster.api().tls());
  if (step == Step::kAttached) return opened;
  opened.shell = ShellPid(*opened.leg);
  if (step == Step::kFlooding) {
    EXPECT_TRUE(opened.leg->Send("yes\n").ok());
    EXPECT_TRUE(opened.leg->ReadUntil("y\r\ny\r\ny\r\n"));
  }
  return opened;
}

TEST(Failures, DeviceKilledAtEachStep) {
  Cluster cluster;
  cluster.StartDevice(kDevice);
  ExpectNextSessionWorks(cluster);
  const int before = OpenDescriptors(cluster.server().pid());
  for (const Step step : kSteps) {
    SCOPED_TRACE(static_cast<int>(step));
    Opened opened = OpenUpTo(cluster, step);
    cluster.KillDevice(kDevice);

    EXPECT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
    if (opened.leg != nullptr) {
      opened.leg->ReadToEnd();
      EXPECT_EQ(opened.leg->close().code, 4502) << opened.leg->close().text;
      opened.leg.reset();
    }
    ExpectNoSessions(cluster);
    if (!opened.shell.empty()) {
      EXPECT_TRUE(Eventually(kCleanUp, [&] { return IsGone(opened.shell); })) << opened.shell;
    }
    cluster.StartDevice(kDevice);
    ExpectNextSessionWorks(cluster);
    ExpectDescriptors(cluster.server().pid(), before);
  }
}

TEST(Failures, ConsoleKilledAtEachStep) {
  Cluster cluster;
  cluster.StartDevice(kDevice);
  ExpectNextSessionWorks(cluster);
  const int server_before = OpenDescriptors(cluster.server().pid());
  const int device_before = OpenDescriptors(cluster.device(kDevice).pid());
  for (const Step step : kSteps) {
    SCOPED_TRACE(static_cast<int>(step));
    Opened opened = OpenUpTo(cluster, step);
    if (opened.leg != nullptr) opened.leg->Cut();
    opened.leg.reset();

    // A Console that never came is waited for until the pairing time ends.
    EXPECT_TRUE(Eventually(absl::Seconds(40), [&] { return cluster.UnendedSessions() == 0; }));
    if (!opened.shell.empty()) {
      EXPECT_TRUE(Eventually(kCleanUp, [&] { return IsGone(opened.shell); })) << opened.shell;
    }
    const nlohmann::json ended = cluster.GetSession(opened.session["name"]);
    EXPECT_EQ(ended["end"].value("cause", ""),
              step == Step::kCreated ? "NEVER_ATTACHED" : "CONSOLE_LOST");
    ExpectNextSessionWorks(cluster);
    ExpectDescriptors(cluster.server().pid(), server_before);
    ExpectDescriptors(cluster.device(kDevice).pid(), device_before);
  }
}

TEST(Failures, ServerKilledAtEachStep) {
  Cluster cluster;
  cluster.StartDevice(kDevice);
  ExpectNextSessionWorks(cluster);
  const int before = OpenDescriptors(cluster.device(kDevice).pid());
  for (const Step step : kSteps) {
    SCOPED_TRACE(static_cast<int>(step));
    Opened opened = OpenUpTo(cluster, step);
    cluster.KillServer();
    if (opened.leg != nullptr) opened.leg->ReadToEnd();
    opened.leg.reset();
    if (!opened.shell.empty()) {
      EXPECT_TRUE(Eventually(kCleanUp, [&] { return IsGone(opened.shell); })) << opened.shell;
    }
    cluster.StartServer();

    EXPECT_EQ(cluster.GetSession(opened.session["name"])["end"].value("cause", ""),
              "SERVER_STOPPED");
    ExpectNoSessions(cluster);
    EXPECT_TRUE(cluster.AwaitDevice(kDevice, "ONLINE", kPresence));
    ExpectNextSessionWorks(cluster);
    ExpectDescriptors(cluster.device(kDevice).pid(), before);
  }
}

TEST(Failures, ServerAndDeviceStopCleanlyWhileATerminalRuns) {
  Cluster cluster;
  cluster.StartDevice(kDevice);
  Opened opened = OpenUpTo(cluster, Step::kFlowing);
  const ExitStatus status = cluster.StopServer();
  EXPECT_TRUE(status.exited);
  EXPECT_EQ(status.value, 0);
  opened.leg->ReadToEnd();
  EXPECT_EQ(opened.leg->close().code, 4503);
  EXPECT_TRUE(Eventually(kCleanUp, [&] { return IsGone(opened.shell); }));

  cluster.device(kDevice).Signal(SIGTERM);
  const auto device = cluster.device(kDevice).Wait(absl::Seconds(30));
  ASSERT_TRUE(device.has_value());
  EXPECT_TRUE(device->exited);
  EXPECT_EQ(device->value, 0);
}

TEST(Failures, CertificatesAreReadAgainWhileATerminalRuns) {
  Cluster cluster;
  cluster.StartDevice(kDevice);
  Opened opened = OpenUpTo(cluster, Step::kFlowing);
  cluster.server().Signal(SIGHUP);
  ASSERT_TRUE(Eventually(kCleanUp, [&] {
    return cluster.Log("server").find("certificates read again") != std::string::npos;
  }));

  ASSERT_TRUE(opened.leg->Send("echo still''-here\n").ok());
  EXPECT_TRUE(opened.leg->ReadUntil("still-here"));
  ExpectNextSessionWorks(cluster);
}

TEST(Failures, R14ABlackHoledDeviceGoesOfflineAndReturns) {
  Cluster cluster;
  TcpProxy proxy(cluster.port());
  cluster.StartDevice(kDevice, proxy.port());
  auto leg = cluster.Open(kDevice);
  const std::string shell = ShellPid(*leg);
  proxy.BlackHole();

  EXPECT_TRUE(cluster.AwaitDevice(kDevice, "OFFLINE", kPresence));
  leg->ReadToEnd();
  EXPECT_EQ(leg->close().code, 4502);
  EXPECT_TRUE(Eventually(absl::Seconds(60), [&] { return IsGone(shell); }));
  ExpectNoSessions(cluster);
  proxy.Recover();
  EXPECT_TRUE(cluster.AwaitDevice(kDevice, "ONLINE", absl::Seconds(90)));
  ExpectNextSessionWorks(cluster);
}

}  // namespace
}  // namespace fairlead::tests
