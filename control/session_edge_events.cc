// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The part of SessionCoordinator (session_coordinator.h) that hears what edges and devices say.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "control/proto_time.h"
#include "control/session_coordinator.h"
#include "control/session_live.h"
#include "control/session_outcome.h"

namespace fairlead::control {
namespace {

using Type = SessionEvent::Type;

constexpr std::uint32_t kGone = 4410;

// What an event of a tunnel is to the session; nothing for those of other versions.
absl::optional<Type> TypeOf(v1::TunnelEvent::Type type) {
  switch (type) {
    case v1::TunnelEvent::ACCEPTED:
      return Type::kEdgeAccepted;
    case v1::TunnelEvent::DEVICE_REQUESTED:
      return Type::kDeviceRequested;
    case v1::TunnelEvent::DEVICE_ATTACHED:
      return Type::kDeviceAttached;
    case v1::TunnelEvent::CONSOLE_ATTACHED:
      return Type::kConsoleAttached;
    case v1::TunnelEvent::DATA_FLOWING:
      return Type::kDataFlowing;
    case v1::TunnelEvent::ENDED:
      return Type::kTunnelEnded;
    default:
      return absl::nullopt;
  }
}

// How sentences name an edge.
std::string LabelOf(absl::string_view edge) {
  return edge == kLocalEdge ? "the server's own edge" : std::string(edge);
}

}  // namespace

void SessionCoordinator::OnTunnelEvent(absl::string_view edge, const v1::TunnelEvent& event) {
  const absl::optional<Type> type = TypeOf(event.type());
  if (!type.has_value()) return;
  const Live* live = Find(event.session_id());
  if (live != nullptr && live->edge == edge && live->machine.live()) {
    // That the edge has accepted is no step of its own: what follows from it happens here and now.
    const bool told = event.has_time() && *type != Type::kEdgeAccepted;
    // Nothing happens later than it is heard of here.
    const absl::Time now = support_.clock.Now();
    Apply(live->id, {.type = *type,
                     .time = told ? std::min(FromTimestamp(event.time()), now) : now,
                     .tunnel = event});
    return;
  }
  if (*type == Type::kTunnelEnded) return;
  // A tunnel of a session that is over, for example because the link was down when it ended.
  v1::EdgeCommand command;
  command.mutable_end_session()->set_session_id(event.session_id());
  command.mutable_end_session()->set_close_code(kGone);
  command.mutable_end_session()->set_reason("the session is over");
  support_.edges.SendTo(edge, command);
}

void SessionCoordinator::OnConsoleForwarded(const std::string& id) {
  Apply(id, {.type = Type::kConsoleForwarded, .time = support_.clock.Now()});
}

void SessionCoordinator::OnDeviceReport(absl::string_view unit_id,
                                        const v1::DeviceMessage& message) {
  const absl::Time now = support_.clock.Now();
  if (message.has_open_terminal_result()) {
    const v1::OpenTerminalResult& result = message.open_terminal_result();
    Live* live = Find(result.session_id());
    // A device speaks for its own sessions alone.
    if (live == nullptr || live->unit_id != unit_id) return;
    if (std::exchange(live->answered, true)) {
      spdlog::warn("session {}: device {} answered a second time; ignored", live->id,
                   Printable(unit_id));
      return;
    }
    if (result.refusal() == v1::OpenTerminalResult::REFUSAL_UNSPECIFIED) return;
    const absl::Status status = StatusOfRefusal(result, absl::StrCat("device ", unit_id));
    Apply(live->id, {.type = Type::kDeviceRefused, .time = now, .status = status});
  } else if (message.has_terminal_ended()) {
    const Live* live = Find(message.terminal_ended().session_id());
    if (live == nullptr || live->unit_id != unit_id) return;
    Apply(live->id, {.type = Type::kProgramEnded, .time = now, .result = message.terminal_ended()});
  }
}

void SessionCoordinator::OnDeviceGone(absl::string_view unit_id) {
  ApplyToAll([unit_id](const Live& live) { return live.unit_id == unit_id; },
             {.type = Type::kDeviceGone, .time = support_.clock.Now()});
}

void SessionCoordinator::OnRunningSessions(const v1::DeviceConnected& connected) {
  behind_lost_links_.erase(connected.unit_id());
  for (const std::string& id : connected.hello().running_sessions()) {
    const Live* live = Find(id);
    if (live != nullptr && live->unit_id == connected.unit_id() && live->machine.live()) continue;
    v1::ServerMessage message;
    message.mutable_close_terminal()->set_session_id(id);
    message.mutable_close_terminal()->set_reason("the session is over");
    support_.edges.SendToDevice(connected.unit_id(), message);
  }
}

void SessionCoordinator::OnEdgeGone(absl::string_view edge,
                                    const std::vector<std::string>& unit_ids) {
  for (const std::string& unit_id : unit_ids) {
    if (support_.directory.RouteTo(unit_id).has_value() || edge == kLocalEdge) continue;
    behind_lost_links_[unit_id] = std::string(edge);
  }
  ApplyToAll([edge](const Live& live) { return live.edge == edge; },
             {.type = Type::kEdgeGone, .time = support_.clock.Now()});
}

void SessionCoordinator::OnEdgeRestarted(absl::string_view edge) {
  OnAllForgotten(edge, absl::StrCat(LabelOf(edge), ", which carried the session, was restarted"));
}

void SessionCoordinator::OnEdgeRemoved(absl::string_view edge) {
  OnAllForgotten(edge, absl::StrCat(LabelOf(edge), ", which carried the session, was deleted"));
  ForgetLostLink(edge);
}

void SessionCoordinator::OnSnapshot(absl::string_view edge,
                                    const std::set<std::string>& session_ids) {
  ForgetLostLink(edge);
  const auto forgotten = [edge, &session_ids](const Live& live) {
    return live.edge == edge && live.machine.phase() != SessionMachine::Phase::kOpening &&
           session_ids.count(live.id) == 0;
  };
  ApplyToAll(forgotten, {.type = Type::kEdgeForgot,
                         .time = support_.clock.Now(),
                         .message = absl::StrCat("the session ended while the link to ",
                                                 LabelOf(edge), " was down")});
}

void SessionCoordinator::OnAllForgotten(absl::string_view edge, const std::string& message) {
  ApplyToAll([edge](const Live& live) { return live.edge == edge; },
             {.type = Type::kEdgeForgot, .time = support_.clock.Now(), .message = message});
}

void SessionCoordinator::ForgetLostLink(absl::string_view edge) {
  for (auto it = behind_lost_links_.begin(); it != behind_lost_links_.end();) {
    it = it->second == edge ? behind_lost_links_.erase(it) : std::next(it);
  }
}

}  // namespace fairlead::control
