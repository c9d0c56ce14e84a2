// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A fleet of real agents on one ICG with many terminals open at once over all four flows, while
// heartbeats run: counts failures and prints what each process holds per device and per session.
// Not a test: the figures are for docs/performance.md.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"
#include "tests/support/metric.h"

ABSL_FLAG(int, devices, 1000, "Devices on the ICG, a quarter of them OS 11.");
ABSL_FLAG(int, direct, 40, "Devices without the ICG, half of them OS 11.");
ABSL_FLAG(int, sessions, 200, "Terminals that are open at once, of all flows.");
ABSL_FLAG(int, rounds, 2, "How often each terminal runs a command while all are open.");

namespace fairlead::bench {
namespace {

using tests::Cluster;
using tests::ConsoleLeg;
using tests::Flow;

constexpr char kIcg[] = "icg-grpcs";

// Proportional set size in KiB: shared pages count in parts.
double PssKib(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  std::string line;
  while (std::getline(file, line)) {
    double kib = 0;
    if (!absl::StartsWith(line, "Pss:")) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
    if (words.size() > 1 && absl::SimpleAtod(words[1], &kib)) return kib;
  }
  return 0;
}

struct Device {
  Flow flow;
  std::string unit_id;
};

struct Terminal {
  Flow flow;
  std::unique_ptr<ConsoleLeg> leg;
};

// Memory of the processes of a fleet, KiB.
struct Memory {
  double server = 0;
  double icg = 0;
  double agents = 0;
};

class Fleet {
 public:
  Fleet() : icg_api_(MakeIcg(cluster_), tests::ReadFile(cluster_.ca_file()).value_or("")) {}

  void StartDevices() {
    const int over_icg = absl::GetFlag(FLAGS_devices);
    const int direct = absl::GetFlag(FLAGS_direct);
    for (int i = 0; i < over_icg; ++i) Launch({i % 4 == 3 ? "OS11_ICG" : "OS12_ICG", "grpcs"});
    for (int i = 0; i < direct; ++i) Launch({i % 2 == 1 ? "OS11_DIRECT" : "OS12_DIRECT", ""});
    AwaitOnline();
  }

  void AwaitOnline() {
    const bool online =
        tests::Eventually(absl::Minutes(5), [&] { return Online() == devices_.size(); });
    if (!online) std::printf("only %zu of %zu devices are online\n", Online(), devices_.size());
  }

  // Opens terminals, the flows in turn, each on a device of its own. Returns failures.
  int OpenTerminals() {
    std::map<std::string, std::vector<const Device*>> by_flow;
    for (const Device& device : devices_) by_flow[device.flow.name].push_back(&device);
    int failures = 0;
    for (int i = 0; i < absl::GetFlag(FLAGS_sessions); ++i) {
      // Six of ten over the ICG to OS 12, two to OS 11, and one direct of each.
      static const char* const kTurn[] = {"OS12_ICG", "OS11_ICG",   "OS12_ICG", "OS12_DIRECT",
                                          "OS12_ICG", "OS12_ICG",   "OS11_ICG", "OS12_ICG",
                                          "OS12_ICG", "OS11_DIRECT"};
      auto& candidates = by_flow[kTurn[i % 10]];
      if (candidates.empty()) continue;
      const Device& device = *candidates.back();
      candidates.pop_back();
      const absl::Time begin = absl::Now();
      Terminal terminal{device.flow, cluster_.Open(device.unit_id)};
      if (!terminal.leg->ReadUntil("fairlead> ")) ++failures;
      opening_ms_.push_back(absl::ToDoubleMilliseconds(absl::Now() - begin));
      terminals_.push_back(std::move(terminal));
    }
    return failures;
  }

  // Runs a command in every terminal, all of them at once. Returns failures.
  int RunCommands(int round) {
    int failures = 0;
    const auto mark = [round](std::size_t i) { return absl::StrCat("mark-", round, "-", i, "-"); };
    for (std::size_t i = 0; i < terminals_.size(); ++i) {
      const std::string command = absl::StrCat("echo ma''rk-", round, "-", i, "-\n");
      if (!terminals_[i].leg->Send(command).ok()) ++failures;
    }
    for (std::size_t i = 0; i < terminals_.size(); ++i) {
      if (!terminals_[i].leg->ReadUntil(mark(i))) ++failures;
    }
    return failures;
  }

  // Waits until heartbeats have come from half as many devices as the ICG has: one is due every 30
  // s.
  void AwaitHeartbeats() {
    const char* const name = "fairlead_device_messages_received_total";
    const double wanted = tests::Metric(icg_api_, name) + absl::GetFlag(FLAGS_devices) / 2;
    tests::Eventually(absl::Seconds(40), [&] { return tests::Metric(icg_api_, name) >= wanted; });
  }

  int CloseTerminals() {
    int failures = 0;
    for (Terminal& terminal : terminals_) {
      if (!terminal.leg->Send("exit\n").ok()) ++failures;
    }
    for (Terminal& terminal : terminals_) {
      terminal.leg->ReadToEnd();
      if (terminal.leg->close().code != 1000) ++failures;
    }
    terminals_.clear();
    return failures;
  }

  std::size_t Online() {
    std::size_t online = 0;
    std::string token;
    do {
      const tests::Reply reply = cluster_.api().Call(
          "GET", absl::StrCat("/api/v1/devices?pageSize=1000&filter=state%3DONLINE",
                              token.empty() ? "" : "&pageToken=", token));
      online += reply.body.value("devices", nlohmann::json::array()).size();
      token = reply.body.value("nextPageToken", "");
    } while (!token.empty());
    return online;
  }

  Memory Measure() {
    Memory memory;
    memory.server = PssKib(cluster_.server().pid());
    memory.icg = PssKib(cluster_.icg(kIcg).process->pid());
    for (const Device& device : devices_) {
      memory.agents += PssKib(cluster_.device(device.unit_id).pid());
    }
    return memory;
  }

  std::size_t devices() const { return devices_.size(); }
  std::vector<double>& opening_ms() { return opening_ms_; }

 private:
  static std::string MakeIcg(Cluster& cluster) {
    cluster.StartIcg(kIcg);
    return absl::StrCat("https://localhost:", cluster.icg(kIcg).external.port());
  }

  void Launch(const Flow& flow) {
    devices_.push_back({flow, absl::StrFormat("00E0C6%06X", devices_.size())});
    cluster_.LaunchDevice(devices_.back().unit_id, flow.device());
  }

  Cluster cluster_;
  tests::Api icg_api_;
  std::vector<Device> devices_;
  std::vector<Terminal> terminals_;
  std::vector<double> opening_ms_;
};

void PrintMemory(const char* name, double none, double devices, double sessions,
                 std::size_t device_count, int session_count) {
  std::printf("| %s | %.1f | %.1f | %.1f |\n", name, none / 1024,
              (devices - none) / static_cast<double>(device_count),
              (sessions - devices) / session_count);
}

int Main() {
  Fleet fleet;
  const Memory none = fleet.Measure();
  const absl::Time begin = absl::Now();
  fleet.StartDevices();
  const double start_seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  fleet.AwaitHeartbeats();
  const Memory idle = fleet.Measure();
  int failures = fleet.OpenTerminals();
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    failures += fleet.RunCommands(round);
    fleet.AwaitHeartbeats();
  }
  const Memory busy = fleet.Measure();
  const std::size_t online = fleet.Online();
  failures += fleet.CloseTerminals();

  const int sessions = absl::GetFlag(FLAGS_sessions);
  std::vector<double>& opening = fleet.opening_ms();
  std::sort(opening.begin(), opening.end());
  std::printf(
      "%zu devices enrolled and connected in %.1f s, %zu online at the end; %d terminals at "
      "once; %d failures\n",
      fleet.devices(), start_seconds, online, sessions, failures);
  std::printf("opening a terminal to the prompt: p50 %.1f ms, p99 %.1f ms\n\n",
              opening[opening.size() / 2], opening[opening.size() * 99 / 100]);
  std::printf("| process | empty, MiB | KiB a device | KiB a session |\n|---|---|---|---|\n");
  PrintMemory("server", none.server, idle.server, busy.server, fleet.devices(), sessions);
  PrintMemory("ICG", none.icg, idle.icg, busy.icg, fleet.devices(), sessions);
  PrintMemory("agents together", none.agents, idle.agents, busy.agents, fleet.devices(), sessions);
  return failures == 0 && online == fleet.devices() ? 0 : 1;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return fairlead::bench::Main();
}
