// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/tunnel_events.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "gateway/refusal.h"

namespace fairlead::gateway {
namespace {

using dataplane::RelayEnd;
using dataplane::Side;

v1::TunnelEvent::Side ToProto(RelayEnd::By by) {
  switch (by) {
    case RelayEnd::By::kConsole:
      return v1::TunnelEvent::CONSOLE;
    case RelayEnd::By::kDevice:
      return v1::TunnelEvent::DEVICE;
    case RelayEnd::By::kRelay:
      break;
  }
  return v1::TunnelEvent::SIDE_UNSPECIFIED;
}

}  // namespace

v1::TunnelEvent TunnelEventOf(absl::string_view session_id, v1::TunnelEvent::Type type) {
  v1::TunnelEvent event;
  event.set_session_id(std::string(session_id));
  event.set_type(type);
  return event;
}

v1::TunnelEvent AttachedEvent(absl::string_view session_id, Side side) {
  return TunnelEventOf(session_id, side == Side::kDevice ? v1::TunnelEvent::DEVICE_ATTACHED
                                                         : v1::TunnelEvent::CONSOLE_ATTACHED);
}

v1::TunnelEvent EndedEvent(absl::string_view session_id, const RelayEnd& end) {
  v1::TunnelEvent event = TunnelEventOf(session_id, v1::TunnelEvent::ENDED);
  event.set_ended_by(ToProto(end.by));
  event.set_close_code(end.reason.code);
  event.set_reason(end.reason.text);
  event.set_bytes_to_console(end.bytes_to_console);
  event.set_bytes_to_device(end.bytes_to_device);
  return event;
}

v1::TunnelEvent NotRegisteredEvent(absl::string_view session_id, const absl::Status& why) {
  v1::TunnelEvent event = TunnelEventOf(session_id, v1::TunnelEvent::ENDED);
  event.set_close_code(absl::IsUnavailable(why) ? dataplane::kCloseDraining
                                                : CloseCodeFromCode(why.code()));
  event.set_reason(std::string(why.message()));
  return event;
}

v1::EdgeRefusal RefusalOf(absl::string_view session_id, Side side, const dataplane::PeerInfo& peer,
                          const dataplane::CloseReason& reason) {
  const std::string resource = session_id.empty() ? "" : absl::StrCat("sessions/", session_id);
  const std::string detail = absl::StrCat(side == Side::kDevice ? "The device's" : "The Console's",
                                          " leg was refused (", reason.code, "): ", reason.text);
  return MakeRefusal("tunnel.attach", ActorOf(peer), resource, absl::PermissionDeniedError(detail),
                     peer.address);
}

}  // namespace fairlead::gateway
