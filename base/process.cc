// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See process.h.
#include "base/process.h"

#include <pthread.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/log.h"

namespace fairlead {
namespace {

// Below this a warning: a terminal takes two files at the edge, a connected device one.
constexpr std::uint64_t kFilesOfAFleet = 8192;

// Lines of --help are at most so long, where words allow.
constexpr std::size_t kHelpColumns = 90;

bool AsksForHelp(int argc, char** argv) {
  for (int i = 1; i < argc && absl::string_view(argv[i]) != "--"; ++i) {
    for (const absl::string_view help : {"--help", "-help", "-h"}) {
      if (argv[i] == help) return true;
    }
  }
  return false;
}

// `text` in lines that are indented by `indent`.
std::string Wrap(absl::string_view text, absl::string_view indent) {
  std::string wrapped;
  std::string line;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!line.empty() && line.size() + 1 + word.size() > kHelpColumns) {
      absl::StrAppend(&wrapped, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? indent : " ", word);
  }
  return absl::StrCat(wrapped, line, "\n");
}

std::string FlagHelp(const absl::CommandLineFlag& flag) {
  const std::string value = flag.DefaultValue();
  const std::string by_default = value.empty() ? "" : absl::StrCat(" (default: ", value, ")");
  return absl::StrCat("  --", flag.Name(), by_default, "\n", Wrap(flag.Help(), "      "));
}

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

void ServeUntilStopped(const sigset_t& signals, const std::function<void()>& reload,
                       absl::Duration interval) {
  const timespec wait = absl::ToTimespec(interval);
  for (;;) {
    const int number = sigtimedwait(&signals, nullptr, &wait);
    if (number < 0 && errno != EAGAIN) continue;
    if (number == SIGTERM || number == SIGINT) break;
    reload();
  }
  spdlog::info("stopping");
}

std::string HelpText(const ProgramInfo& program) {
  std::map<std::string, std::string> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (absl::EndsWith(flag->Filename(), program.main_file)) {
      flags.emplace(name, FlagHelp(*flag));
    }
  }
  std::string text = absl::StrCat(program.usage, "\n\nFlags:\n");
  for (const auto& [name, help] : flags) absl::StrAppend(&text, help);
  absl::StrAppend(&text, "\n--version shows the version, --helpfull the flags of libraries too.\n");
  return text;
}

absl::Status ParseFlags(const ProgramInfo& program, int argc, char** argv) {
  // Abseil's own --help ends the process with 1, and prints for the eyes of Abseil's authors.
  if (AsksForHelp(argc, argv)) {
    std::fputs(HelpText(program).c_str(), stdout);
    std::exit(EXIT_SUCCESS);
  }
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

std::string TakeFromEnvironment(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return "";
  std::string taken(value);
  explicit_bzero(value, taken.size());
  unsetenv(name);
  return taken;
}

void TellFailure(const ProgramInfo& program, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), std::string(status.message()).c_str());
}

}  // namespace fairlead
