// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device behind an ICG, and sessions on it, in virtual time. See session_fixture.h.
#ifndef FAIRLEAD_CONTROL_TESTING_SESSION_ICG_FIXTURE_H_
#define FAIRLEAD_CONTROL_TESTING_SESSION_ICG_FIXTURE_H_

#include <memory>
#include <string>

#include "base/status_matchers.h"
#include "control/testing/session_fixture.h"
#include "gtest/gtest.h"

namespace fairlead::control {

class SessionIcgFixture : public SessionFixture {
 protected:
  using Tunnels = v1::TunnelEvent;

  SessionIcgFixture() {
    Link("icg1", kIcg);
    Connect(1, "", kIcg);
  }

  // A session of which the Console was informed.
  std::string OpenAtIcg() {
    const std::shared_ptr<Outcome> outcome = Open();
    TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED, Tunnels::DEVICE_REQUESTED});
    EXPECT_THAT(outcome->result, IsOk());
    return outcome->id;
  }
  std::string RunAtIcg() {
    const std::string id = OpenAtIcg();
    TunnelAtIcg(id, {Tunnels::DEVICE_ATTACHED, Tunnels::CONSOLE_ATTACHED});
    EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
    return id;
  }
  // What the ICG says of a session that runs there.
  void Name(const std::string& id) {
    TunnelAtIcg(id, {Tunnels::ACCEPTED, Tunnels::DEVICE_REQUESTED, Tunnels::DEVICE_ATTACHED,
                     Tunnels::CONSOLE_ATTACHED, Tunnels::DATA_FLOWING});
  }
  void EndAtIcg(const std::string& id) { Tunnel(id, Tunnels::ENDED, Tunnels::DEVICE, 1000, kIcg); }
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_SESSION_ICG_FIXTURE_H_
