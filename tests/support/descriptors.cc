// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See descriptors.h.
#include "tests/support/descriptors.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/process.h"

namespace fairlead::tests {
namespace {

// What each descriptor refers to, by number. One that goes while they are read is left out.
std::map<int, std::string> Targets(pid_t pid) {
  std::map<int, std::string> targets;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"), error)) {
    int number = -1;
    const std::filesystem::path target = std::filesystem::read_symlink(entry.path(), error);
    if (error || !absl::SimpleAtoi(entry.path().filename().string(), &number)) continue;
    targets[number] = target.string();
  }
  return targets;
}

// The port of "0100007F:20FB".
std::string Port(const std::string& address) {
  return absl::StrCat(std::strtoul(address.substr(address.rfind(':') + 1).c_str(), nullptr, 16));
}

std::string StateName(const std::string& state) {
  if (state == "01") return "ESTABLISHED";
  if (state == "08") return "CLOSE_WAIT";
  if (state == "0A") return "LISTEN";
  return absl::StrCat("state ", state);
}

// "port 8443 to 40002, ESTABLISHED" by "socket:[inode]". All is on loopback: ports tell enough.
std::map<std::string, std::string> TcpSockets(pid_t pid) {
  std::map<std::string, std::string> sockets;
  for (const char* table : {"tcp", "tcp6"}) {
    std::istringstream lines(ReadFile(absl::StrCat("/proc/", pid, "/net/", table)).value_or(""));
    for (std::string line; std::getline(lines, line);) {
      // Number, own address, the peer's, state, queues, timer, retransmissions, user, time, inode.
      const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (fields.size() < 10 || fields[0] == "sl") continue;
      sockets[absl::StrCat("socket:[", fields[9], "]")] = absl::StrCat(
          "port ", Port(fields[1]), " to ", Port(fields[2]), ", ", StateName(fields[3]));
    }
  }
  return sockets;
}

}  // namespace

int OpenDescriptors(pid_t pid) {
  const std::map<int, std::string> targets = Targets(pid);
  return static_cast<int>(std::count_if(targets.begin(), targets.end(), [](const auto& target) {
    return target.second != "anon_inode:[eventpoll]";
  }));
}

std::string ListDescriptors(pid_t pid) {
  const std::map<std::string, std::string> sockets = TcpSockets(pid);
  std::string list;
  for (const auto& [number, target] : Targets(pid)) {
    const auto socket = sockets.find(target);
    absl::StrAppend(&list, number, " ", target, socket == sockets.end() ? "" : " ",
                    socket == sockets.end() ? "" : socket->second, "\n");
  }
  return list;
}

}  // namespace fairlead::tests
