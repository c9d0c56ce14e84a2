// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the mains of the roles do alike: signals that one thread waits for, --help that shows the
// role's own flags, refusal of what is no flag. Used by the *_main.cc files alone.
#ifndef FAIRLEAD_BASE_PROCESS_H_
#define FAIRLEAD_BASE_PROCESS_H_

#include <signal.h>

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace fairlead {

// What a program says of itself.
struct ProgramInfo {
  // "server", "icg".
  std::string name;
  std::string version;
  // The file that defines its flags: --help shows those alone.
  std::string main_file;
  // For --help: what it is, and an example.
  std::string usage;
};

// Blocks SIGTERM, SIGINT and SIGHUP, for ServeUntilStopped to wait for, and ignores SIGPIPE.
// To be called before any thread is made.
sigset_t BlockSignals();

// Lets the process open as many files as the system allows it (RLIMIT_NOFILE, soft up to hard), and
// returns how many that are. Every connection is one; Debian lets a process have 1,024 at first.
// Not for the agent: a shell's programs should find the limit as it was.
std::uint64_t RaiseOpenFileLimit();

// Logs the limit: as a warning when it is too low for a fleet.
void TellOpenFileLimit(std::uint64_t limit);

// How often certificates are looked at, without being asked.
inline constexpr absl::Duration kReloadInterval = absl::Hours(24);

// Calls `reload` at each SIGHUP, and when `interval` has passed without one: a process that runs
// for long would outlive its certificates. Returns at SIGTERM or SIGINT.
void ServeUntilStopped(const sigset_t& signals, const std::function<void()>& reload,
                       absl::Duration interval = kReloadInterval);

// What --help prints: what the program is, and its own flags, sorted, each with its default.
std::string HelpText(const ProgramInfo& program);

// Sets what --help and --version say, and parses the flags. After --help, the process ends with 0.
// Errors: INVALID_ARGUMENT something on the command line is not a flag. A bad flag ends the process
// with 1 and a sentence.
absl::Status ParseFlags(const ProgramInfo& program, int argc, char** argv);

// The value of an environment variable that is a secret; empty if it is not set. It is overwritten
// and removed, so that neither programs that are started from here nor readers of this process's
// /proc/PID/environ find it.
std::string TakeFromEnvironment(const char* name);

// Writes "name: sentence" to standard error.
void TellFailure(const ProgramInfo& program, const absl::Status& status);

}  // namespace fairlead

#endif  // FAIRLEAD_BASE_PROCESS_H_
