// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_state.h"

namespace fairlead::gateway {

void EdgeState::Apply(const v1::EdgeEvent& event) {
  switch (event.event_case()) {
    case v1::EdgeEvent::kDeviceConnected:
      devices_[event.device_connected().unit_id()] = event.device_connected();
      break;
    case v1::EdgeEvent::kDeviceDisconnected: {
      const auto found = devices_.find(event.device_disconnected().unit_id());
      if (found != devices_.end() &&
          found->second.connection_id() == event.device_disconnected().connection_id()) {
        devices_.erase(found);
      }
      break;
    }
    case v1::EdgeEvent::kTunnelEvent:
      if (event.tunnel_event().type() == v1::TunnelEvent::ENDED) {
        sessions_.erase(event.tunnel_event().session_id());
      } else {
        sessions_[event.tunnel_event().session_id()].push_back(event.tunnel_event());
      }
      break;
    default:
      break;
  }
}

std::vector<v1::EdgeEvent> EdgeState::Snapshot() const {
  std::vector<v1::EdgeEvent> events;
  for (const auto& [unit_id, device] : devices_) {
    *events.emplace_back().mutable_device_connected() = device;
  }
  for (const auto& [session_id, changes] : sessions_) {
    for (const v1::TunnelEvent& change : changes) {
      *events.emplace_back().mutable_tunnel_event() = change;
    }
  }
  return events;
}

}  // namespace fairlead::gateway
