// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/session_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

// The C library's header does not say so itself.
extern "C" {
#include <sys/pidfd.h>
}

namespace fairlead::device {
namespace {

bool ReadProcess(pid_t pid, SessionProcess* process) {
  const std::string path = absl::StrCat("/proc/", pid, "/stat");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char line[512];
  const ssize_t size = read(fd, line, sizeof line);
  close(fd);
  return size > 0 && ParseProcessStat(absl::string_view(line, size), process);
}

}  // namespace

bool ParseProcessStat(absl::string_view line, SessionProcess* process) {
  // "PID (NAME) STATE PPID PGRP SESSION ..."; the name may hold blanks and parentheses.
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(") ");
  if (open == absl::string_view::npos || close == absl::string_view::npos) return false;
  const std::vector<absl::string_view> fields = absl::StrSplit(line.substr(close + 2), ' ');
  if (fields.size() < 4 || fields[0].size() != 1) return false;
  process->ended = fields[0] == "Z" || fields[0] == "X";
  return absl::SimpleAtoi(line.substr(0, open), &process->pid) &&
         absl::SimpleAtoi(fields[2], &process->group) &&
         absl::SimpleAtoi(fields[3], &process->session);
}

std::vector<SessionProcess> ProcessesOfSession(pid_t session) {
  std::vector<SessionProcess> processes;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return processes;
  while (const dirent* entry = readdir(folder)) {
    pid_t pid = 0;
    SessionProcess process;
    if (!absl::SimpleAtoi(entry->d_name, &pid) || !ReadProcess(pid, &process)) continue;
    if (process.session == session) processes.push_back(process);
  }
  closedir(folder);
  return processes;
}

void SignalProcessOfSession(pid_t pid, pid_t session, int signal) {
  // Once the descriptor is open it means this process for ever, so what is read after is of it or
  // of nobody.
  const int pidfd = pidfd_open(pid, 0);
  if (pidfd < 0) return;
  SessionProcess process;
  if (ReadProcess(pid, &process) && process.session == session) {
    pidfd_send_signal(pidfd, signal, nullptr, 0);
  }
  close(pidfd);
}

}  // namespace fairlead::device
