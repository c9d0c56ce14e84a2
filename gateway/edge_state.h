// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an edge would tell a server that links now: the connected devices and the legs of live
// sessions, kept up to date by the very events that the link carries, so that the two cannot
// differ. Sans-I/O; used by EdgeServer.
#ifndef FAIRLEAD_GATEWAY_EDGE_STATE_H_
#define FAIRLEAD_GATEWAY_EDGE_STATE_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "proto/edge.pb.h"

namespace fairlead::gateway {

// Thread: one at a time.
class EdgeState {
 public:
  // Takes in an event. Events that change no state are ignored.
  void Apply(const v1::EdgeEvent& event);

  // The events that tell a newcomer everything: devices by unit ID, then each session's legs in the
  // order in which they came.
  std::vector<v1::EdgeEvent> Snapshot() const;

  std::size_t device_count() const { return devices_.size(); }
  std::size_t session_count() const { return sessions_.size(); }

 private:
  std::map<std::string, v1::DeviceConnected> devices_;
  std::map<std::string, std::vector<v1::TunnelEvent>> sessions_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_EDGE_STATE_H_
