// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The ways to a device, for tests that must hold on each of them: the four flows, those over an ICG
// with either kind of link.
#ifndef FAIRLEAD_TESTS_SUPPORT_FLOW_H_
#define FAIRLEAD_TESTS_SUPPORT_FLOW_H_

#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/cluster.h"

namespace fairlead::tests {

// The device that SetUpFlow makes.
inline constexpr char kFlowDevice[] = "00E0C5000001";

struct Flow {
  // As in Session.flow.
  std::string name;
  // "grpcs", "wss", or empty without an ICG.
  std::string scheme;

  bool over_icg() const { return !scheme.empty(); }
  bool telnet() const { return name.rfind("OS11", 0) == 0; }
  // "Os12IcgWss" and the like, for names of tests.
  std::string Label() const;
  // The ICG of the flow, "icg-grpcs" or "icg-wss"; empty without one.
  std::string icg() const { return scheme.empty() ? "" : "icg-" + scheme; }
  DeviceOptions device() const;
};

// All six.
std::vector<Flow> AllFlows();

// Starts the ICG, if there is one, and the device.
void SetUpFlow(Cluster& cluster, const Flow& flow);

// Whether the timeline has each of the flow's steps once, and in an order that the article allows:
// the steps that run side by side over an ICG may come in either.
bool IsTimelineOf(const Flow& flow, const std::vector<std::string>& steps);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_FLOW_H_
