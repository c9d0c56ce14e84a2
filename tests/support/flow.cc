// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See flow.h.
#include "tests/support/flow.h"

#include <algorithm>

namespace fairlead::tests {
namespace {

std::string Capitalised(const std::string& word) {
  std::string result;
  for (std::size_t i = 0; i < word.size(); ++i) {
    result.push_back(static_cast<char>(i == 0 ? std::toupper(word[i]) : std::tolower(word[i])));
  }
  return result;
}

// Where `step` is in `steps`; -1 unless it is there exactly once.
int PlaceOf(const std::vector<std::string>& steps, const std::string& step) {
  if (std::count(steps.begin(), steps.end(), step) != 1) return -1;
  return static_cast<int>(std::find(steps.begin(), steps.end(), step) - steps.begin());
}

bool InOrder(const std::vector<std::string>& steps, const std::vector<std::string>& wanted) {
  int last = -1;
  for (const std::string& step : wanted) {
    const int place = PlaceOf(steps, step);
    if (place <= last) return false;
    last = place;
  }
  return true;
}

}  // namespace

std::string Flow::Label() const {
  return Capitalised(name.substr(0, 4)) + Capitalised(name.substr(5)) + Capitalised(scheme);
}

DeviceOptions Flow::device() const {
  DeviceOptions options;
  options.os = telnet() ? 11 : 12;
  options.icg = icg();
  return options;
}

std::vector<Flow> AllFlows() {
  return {{"OS12_DIRECT", ""}, {"OS12_ICG", "grpcs"}, {"OS12_ICG", "wss"},
          {"OS11_DIRECT", ""}, {"OS11_ICG", "grpcs"}, {"OS11_ICG", "wss"}};
}

void SetUpFlow(Cluster& cluster, const Flow& flow) {
  if (flow.over_icg()) cluster.StartIcg(flow.icg(), {.scheme = flow.scheme});
  cluster.StartDevice(kFlowDevice, flow.device());
}

bool IsTimelineOf(const Flow& flow, const std::vector<std::string>& steps) {
  if (!flow.over_icg()) {
    return steps.size() == 7 &&
           InOrder(steps, {"CONSOLE_REQUESTED", "DEVICE_REQUESTED", "DEVICE_ATTACHED",
                           "CONSOLE_INFORMED", "CONSOLE_ATTACHED", "DATA_FLOWING", "ENDED"});
  }
  return steps.size() == 8 &&
         InOrder(steps, {"CONSOLE_REQUESTED", "ICG_REQUESTED", "DEVICE_REQUESTED",
                         "DEVICE_ATTACHED", "DATA_FLOWING", "ENDED"}) &&
         InOrder(steps, {"ICG_REQUESTED", "CONSOLE_INFORMED", "CONSOLE_ATTACHED", "DATA_FLOWING"});
}

}  // namespace fairlead::tests
