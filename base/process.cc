// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See process.h.
#include "base/process.h"

#include <pthread.h>
#include <sys/resource.h>

#include <cstdio>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace fairlead {
namespace {

// Below this a warning: a terminal takes two files at the edge, a connected device one.
constexpr std::uint64_t kFilesOfAFleet = 8192;

}  // namespace

sigset_t BlockSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

std::uint64_t RaiseOpenFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

void TellOpenFileLimit(std::uint64_t limit) {
  if (limit >= kFilesOfAFleet) return spdlog::info("may open {} files", limit);
  spdlog::warn(
      "may open only {} files: each device takes one, each terminal two. Raise the hard limit "
      "(LimitNOFILE= of systemd, or ulimit -Hn) to serve more",
      limit);
}

void ServeUntilStopped(const sigset_t& signals, const std::function<void()>& on_hang_up) {
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    on_hang_up();
  }
  spdlog::info("stopping");
}

absl::Status ParseFlags(const ProgramInfo& program, int argc, char** argv) {
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [file = program.main_file](absl::string_view name) {
    return absl::EndsWith(name, file);
  };
  usage.contains_helpshort_flags = usage.contains_help_flags;
  usage.version_string = [text = absl::StrCat("fairlead ", program.name, " ", program.version,
                                              "\n")]() { return text; };
  absl::SetFlagsUsageConfig(usage);
  absl::SetProgramUsageMessage(program.usage);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("\"", rest[1], "\" is not a flag; see --help"));
}

void TellFailure(const ProgramInfo& program, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), std::string(status.message()).c_str());
}

}  // namespace fairlead
