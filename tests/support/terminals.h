// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Terminals that have come to a certain step when something dies, and what must hold afterwards: no
// ghost session, no orphan shell, no leaked descriptor, and the next session works.
#ifndef FAIRLEAD_TESTS_SUPPORT_TERMINALS_H_
#define FAIRLEAD_TESTS_SUPPORT_TERMINALS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace fairlead::tests {

// What the product promises after any loss.
inline constexpr absl::Duration kCleanUp = absl::Seconds(30);
inline constexpr absl::Duration kPresence = absl::Seconds(45);
// How long a device may take to come back after a long outage: it pauses for up to 60 s between two
// rounds of attempts.
inline constexpr absl::Duration kReturn = absl::Seconds(90);

// How far a session has come.
enum class Step { kCreated, kAttached, kFlowing, kFlooding };
inline constexpr Step kSteps[] = {Step::kCreated, Step::kAttached, Step::kFlowing, Step::kFlooding};

// A session that has come as far as `step`.
struct Opened {
  nlohmann::json session;
  // Null at kCreated.
  std::unique_ptr<ConsoleLeg> leg;
  // The process identifier of the shell; empty before kFlowing.
  std::string shell;
};

Opened OpenUpTo(Cluster& cluster, const std::string& unit_id, Step step);

// The process identifier of the shell behind `leg`.
std::string ShellPid(ConsoleLeg& leg);

// Whether the process is gone. A zombie counts as gone: it runs nothing any more.
bool IsGone(const std::string& pid);

// The descriptors of the processes, in all.
int OpenDescriptors(const std::map<std::string, Process*>& processes);

// Expectations of GoogleTest.
void ExpectShellEnds(const std::string& pid);
void ExpectNextSessionWorks(Cluster& cluster, const std::string& unit_id);
void ExpectNoSessions(Cluster& cluster, absl::Duration limit = kCleanUp);
// Waits until the processes have at most so many descriptors in all, or else lists them.
void ExpectDescriptors(const std::map<std::string, Process*>& processes, int most);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_TERMINALS_H_
