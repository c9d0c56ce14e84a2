// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The processes of a Unix session, from /proc. Used by Pty to leave no process behind.
#ifndef FAIRLEAD_DEVICE_SESSION_PROCESSES_H_
#define FAIRLEAD_DEVICE_SESSION_PROCESSES_H_

#include <sys/types.h>

#include <vector>

#include "absl/strings/string_view.h"

namespace fairlead::device {

struct SessionProcess {
  pid_t pid = 0;
  pid_t group = 0;
  pid_t session = 0;
  // Ended, but not reaped.
  bool ended = false;
};

// Reads a line of /proc/PID/stat. False if it is not one.
bool ParseProcessStat(absl::string_view line, SessionProcess* process);

// The processes whose session is `session`, as far as they can be seen.
std::vector<SessionProcess> ProcessesOfSession(pid_t session);

// Sends `signal` to `pid` if it still belongs to `session`; never to a process that got the number
// in the meantime.
void SignalProcessOfSession(pid_t pid, pid_t session, int signal);

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_SESSION_PROCESSES_H_
