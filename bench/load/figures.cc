// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/figures.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace fairlead::bench {
namespace {

// The fields of /proc/PID/stat after the name, from "state" (field 3) on; empty if it is gone.
std::vector<std::string> StatFields(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  std::vector<std::string> fields;
  if (end == std::string::npos) return fields;
  std::istringstream rest(line.substr(end + 2));
  std::string field;
  while (rest >> field) fields.push_back(field);
  return fields;
}

std::multimap<pid_t, pid_t> ChildrenByParent() {
  std::multimap<pid_t, pid_t> children;
  DIR* proc = opendir("/proc");
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const auto fields = StatFields(pid);
    if (fields.size() > 1) children.emplace(std::atoi(fields[1].c_str()), pid);
  }
  closedir(proc);
  return children;
}

}  // namespace

std::vector<pid_t> FamilyOf(pid_t root) {
  std::vector<pid_t> family;
  if (root == 0) return family;
  const std::multimap<pid_t, pid_t> children = ChildrenByParent();
  family.push_back(root);
  for (std::size_t i = 0; i < family.size(); ++i) {
    const auto range = children.equal_range(family[i]);
    for (auto it = range.first; it != range.second; ++it) family.push_back(it->second);
  }
  return family;
}

double CpuSeconds(const std::vector<pid_t>& pids) {
  double ticks = 0;
  for (const pid_t pid : pids) {
    const auto fields = StatFields(pid);
    if (fields.size() < 13) continue;
    ticks += std::atof(fields[11].c_str()) + std::atof(fields[12].c_str());
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double PssKib(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (const pid_t pid : pids) {
    std::ifstream file(absl::StrCat("/proc/", pid, "/smaps_rollup"));
    std::string line;
    while (std::getline(file, line)) {
      if (line.rfind("Pss:", 0) == 0) sum += std::atof(line.c_str() + 4);
    }
  }
  return sum;
}

double Quantile(std::vector<std::int64_t> samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return static_cast<double>(
      samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))]);
}

}  // namespace fairlead::bench
