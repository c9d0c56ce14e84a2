// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See process.h.
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

extern char** environ;

namespace fairlead::tests {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "process: %s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The environment with `additions` in place of what has the same name.
std::vector<std::string> Environment(const std::vector<std::string>& additions) {
  std::vector<std::string> result = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name(*entry, std::strcspn(*entry, "=") + 1);
    bool replaced = false;
    for (const std::string& addition : additions) replaced |= addition.rfind(name, 0) == 0;
    if (!replaced) result.emplace_back(*entry);
  }
  return result;
}

}  // namespace

std::unique_ptr<Process> Process::Start(const Options& options) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Sockets of the test's own: a copy in another process would keep them open.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  const std::string input = options.stdin_path.empty() ? "/dev/null" : options.stdin_path;
  posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  if (!options.stdout_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, 1, options.stdout_path.c_str(), kAppend, 0600);
  } else if (!options.log_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, 1, options.log_path.c_str(), kAppend, 0600);
  }
  if (!options.log_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, 2, options.log_path.c_str(), kAppend, 0600);
  }
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = Environment(options.environment);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, Pointers(argv).data(),
                                Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    Die(absl::StrCat("starting ", argv[0]));
  }
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) Die("pidfd_open");
  return std::unique_ptr<Process>(new Process(pid, pidfd));
}

Process::~Process() {
  if (!ended_.has_value()) {
    kill(pid_, SIGKILL);
    Wait(absl::InfiniteDuration());
  }
  close(pidfd_);
}

void Process::Signal(int signal) {
  if (!ended_.has_value()) kill(pid_, signal);
}

absl::optional<ExitStatus> Process::Wait(absl::Duration limit) {
  if (ended_.has_value()) return ended_;
  pollfd poll_entry{pidfd_, POLLIN, 0};
  const int milliseconds =
      limit == absl::InfiniteDuration() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(limit));
  if (poll(&poll_entry, 1, milliseconds) <= 0) return absl::nullopt;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) Die("waitpid");
  ended_ = WIFEXITED(status) ? ExitStatus{true, WEXITSTATUS(status)}
                             : ExitStatus{false, WTERMSIG(status)};
  return ended_;
}

absl::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Runfile(const std::string& path) {
  const char* folder = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (folder == nullptr || workspace == nullptr) return path;
  return absl::StrCat(folder, "/", workspace, "/", path);
}

bool Eventually(absl::Duration limit, const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + limit;
  while (!done()) {
    if (absl::Now() > deadline) return false;
    // Yields the processor for a moment between two looks at a fact that has no event.
    poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace fairlead::tests
