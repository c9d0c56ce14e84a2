// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The session's states: random walks through each flow.
#include <random>
#include <set>

#include "control/testing/session_machine_events.h"
#include "control/testing/session_machine_ledger.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;
using Phase = SessionMachine::Phase;

// A seeded random walk through each flow: whatever happens, in whatever order.
class SessionMachineWalk : public ::testing::TestWithParam<v1::Session::Flow> {};

TEST_P(SessionMachineWalk, KeepsTheInvariants) {
  std::mt19937 random(20'260'101);
  std::uniform_int_distribution<std::size_t> pick(0, std::size(kAllSessionEvents) - 1);
  std::set<Phase> visited;
  for (int walk = 0; walk < 3'000; ++walk) {
    SessionMachine machine = NewMachine(GetParam());
    Ledger ledger;
    ledger.Take(machine, machine.Apply(EventOf(Type::kRequested)));
    for (int step = 0; step < 30; ++step) {
      Type type = kAllSessionEvents[pick(random)];
      // Ends are rare, so that walks are long.
      if (type > Type::kDataFlowing && pick(random) > 4) type = kAllSessionEvents[pick(random) % 7];
      ledger.Take(machine, machine.Apply(EventOf(type)));
      visited.insert(machine.phase());
    }
    ledger.Check(machine);
    if (HasFailure()) FAIL() << "in walk " << walk;
  }
  EXPECT_GE(visited.size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Flows, SessionMachineWalk,
                         ::testing::Values(v1::Session::OS12_DIRECT, v1::Session::OS12_ICG,
                                           v1::Session::OS11_DIRECT, v1::Session::OS11_ICG));

}  // namespace
}  // namespace fairlead::control
