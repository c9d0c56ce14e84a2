// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See terminals.h.
#include "tests/support/terminals.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/descriptors.h"

namespace fairlead::tests {

std::string ShellPid(ConsoleLeg& leg) {
  EXPECT_TRUE(leg.Send("echo pid=$$=\n").ok());
  EXPECT_TRUE(leg.ReadUntil("=\r\n"));
  const std::size_t begin = leg.output().rfind("pid=") + 4;
  return leg.output().substr(begin, leg.output().find('=', begin) - begin);
}

bool IsGone(const std::string& pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat")).value_or("");
  return stat.empty() || stat.find(") Z") != std::string::npos;
}

void ExpectShellEnds(const std::string& pid) {
  if (pid.empty()) return;
  EXPECT_TRUE(Eventually(kCleanUp, [&] { return IsGone(pid); })) << "shell " << pid << " is left";
}

void ExpectNextSessionWorks(Cluster& cluster, const std::string& unit_id) {
  nlohmann::json session;
  auto leg = cluster.Open(unit_id, &session);
  ASSERT_TRUE(leg->Send("echo al''ive; exit 4\n").ok());
  leg->ReadToEnd();
  EXPECT_THAT(leg->output(), ::testing::HasSubstr("alive"));
  EXPECT_EQ(leg->close().code, 1000) << leg->close().text;
  // Telnet has no way to tell an exit code.
  if (session.value("stream", "") != "PTY") return;
  const nlohmann::json end = leg->Control("end");
  ASSERT_TRUE(end.is_object()) << "no end";
  EXPECT_EQ(end.value("exitCode", -1), 4) << end;
}

void ExpectNoSessions(Cluster& cluster, absl::Duration limit) {
  EXPECT_TRUE(Eventually(limit, [&] { return cluster.UnendedSessions() == 0; }))
      << cluster.UnendedSessions() << " ghost sessions";
}

int OpenDescriptors(const std::map<std::string, Process*>& processes) {
  int count = 0;
  for (const auto& [name, process] : processes) count += OpenDescriptors(process->pid());
  return count;
}

void ExpectDescriptors(const std::map<std::string, Process*>& processes, int most) {
  if (Eventually(kCleanUp, [&] { return OpenDescriptors(processes) <= most; })) return;
  std::string lists;
  for (const auto& [name, process] : processes) {
    absl::StrAppend(&lists, "--- ", name, " ---\n", ListDescriptors(process->pid()));
  }
  ADD_FAILURE() << OpenDescriptors(processes) << " descriptors, not " << most << "\n" << lists;
}

Opened OpenUpTo(Cluster& cluster, const std::string& unit_id, Step step) {
  Opened opened;
  if (step == Step::kCreated) {
    opened.session = cluster.CreateSession(unit_id);
    return opened;
  }
  opened.leg = cluster.Open(unit_id, &opened.session);
  if (step == Step::kAttached) return opened;
  opened.shell = ShellPid(*opened.leg);
  if (step == Step::kFlooding) {
    EXPECT_TRUE(opened.leg->Send("yes\n").ok());
    EXPECT_TRUE(opened.leg->ReadUntil("y\r\ny\r\ny\r\n"));
  }
  return opened;
}

}  // namespace fairlead::tests
