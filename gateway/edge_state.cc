// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_state.h"

#include <algorithm>

namespace fairlead::gateway {
namespace {

void Append(const std::vector<v1::TunnelEvent>& changes, std::vector<v1::EdgeEvent>& events) {
  for (const v1::TunnelEvent& change : changes) {
    *events.emplace_back().mutable_tunnel_event() = change;
  }
}

}  // namespace

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
        End(event.tunnel_event());
      } else if (event.tunnel_event().type() != v1::TunnelEvent::DEVICE_REQUESTED ||
                 sessions_.count(event.tunnel_event().session_id()) > 0) {
        // A request that crosses the session's end does not bring it back.
        sessions_[event.tunnel_event().session_id()].push_back(event.tunnel_event());
      }
      break;
    default:
      break;
  }
}

void EdgeState::End(const v1::TunnelEvent& event) {
  Changes changes;
  const auto live = sessions_.find(event.session_id());
  if (live != sessions_.end()) {
    changes = std::move(live->second);
    sessions_.erase(live);
  }
  changes.push_back(event);
  const auto before = ended_number_.find(event.session_id());
  if (before != ended_number_.end()) Forget(before->second);
  ended_number_[event.session_id()] = ++last_number_;
  ended_[last_number_] = std::move(changes);
  if (ended_.size() > limits_.max_ended) {
    Forget(ended_.begin()->first);
    ++dropped_;
  }
}

void EdgeState::Forget(std::uint64_t number) {
  const auto found = ended_.find(number);
  if (found == ended_.end()) return;
  ended_number_.erase(found->second.back().session_id());
  ended_.erase(found);
}

void EdgeState::ForgetTold(absl::Duration now) {
  while (!told_.empty() && told_.front().first + limits_.doubt <= now) {
    Forget(told_.front().second);
    told_.pop_front();
  }
}

void EdgeState::KeepRefusal(const v1::EdgeEvent& refusal) {
  refusals_.push_back(refusal);
  if (refusals_.size() <= limits_.max_refusals) return;
  refusals_.pop_front();
  if (refusals_in_snapshot_ > 0) {
    --refusals_in_snapshot_;
  } else {
    ++dropped_;
  }
}

std::vector<v1::EdgeEvent> EdgeState::Snapshot(absl::Duration now) {
  ForgetTold(now);
  std::vector<v1::EdgeEvent> events;
  for (const auto& [unit_id, device] : devices_) {
    *events.emplace_back().mutable_device_connected() = device;
  }
  for (const auto& [session_id, changes] : sessions_) Append(changes, events);
  for (const auto& [number, changes] : ended_) Append(changes, events);
  events.insert(events.end(), refusals_.begin(), refusals_.end());
  refusals_in_snapshot_ = refusals_.size();
  return events;
}

void EdgeState::OnWritten(const v1::EdgeEvent& event, absl::Duration now) {
  if (event.has_snapshot_complete()) {
    const std::size_t written = std::min(refusals_in_snapshot_, refusals_.size());
    refusals_.erase(refusals_.begin(), refusals_.begin() + static_cast<std::ptrdiff_t>(written));
    refusals_in_snapshot_ = 0;
    return;
  }
  if (!event.has_tunnel_event() || event.tunnel_event().type() != v1::TunnelEvent::ENDED) return;
  ForgetTold(now);
  const auto found = ended_number_.find(event.tunnel_event().session_id());
  if (found != ended_number_.end()) told_.emplace_back(now, found->second);
}

}  // namespace fairlead::gateway
