// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/edge_actions.h"

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/status.h"
#include "gateway/refusal.h"
#include "google/protobuf/duration.pb.h"

namespace fairlead::gateway {
namespace {

constexpr std::size_t kMaxSessionIdBytes = 128;
constexpr std::size_t kHashBytes = 32;
constexpr absl::Duration kMaxPairing = absl::Minutes(10);

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view field,
                                            const google::protobuf::Duration& proto) {
  const absl::Duration duration = absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
  if (duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("register_session.", field, " is negative"));
  }
  return duration;
}

}  // namespace

absl::StatusOr<dataplane::SessionSpec> ReadSession(const v1::RegisterSession& session) {
  if (session.session_id().empty() || session.session_id().size() > kMaxSessionIdBytes) {
    return absl::InvalidArgumentError("register_session.session_id is empty or too long");
  }
  if (session.console_ticket_sha256().size() != kHashBytes ||
      session.device_ticket_sha256().size() != kHashBytes) {
    return absl::InvalidArgumentError("register_session's ticket hashes must have 32 bytes each");
  }
  if (session.unit_id().empty()) {
    return absl::InvalidArgumentError("register_session.unit_id is empty");
  }
  dataplane::SessionSpec spec;
  FAIRLEAD_ASSIGN_OR_RETURN(spec.pairing_timeout,
                            ReadDuration("pairing_timeout", session.pairing_timeout()));
  if (spec.pairing_timeout == absl::ZeroDuration() || spec.pairing_timeout > kMaxPairing) {
    return absl::InvalidArgumentError(
        "register_session.pairing_timeout must be positive and at most 10 minutes");
  }
  FAIRLEAD_ASSIGN_OR_RETURN(spec.idle_timeout,
                            ReadDuration("idle_timeout", session.idle_timeout()));
  FAIRLEAD_ASSIGN_OR_RETURN(spec.max_lifetime,
                            ReadDuration("max_lifetime", session.max_lifetime()));
  spec.session_id = session.session_id();
  spec.console_ticket_sha256 = session.console_ticket_sha256();
  spec.device_ticket_sha256 = session.device_ticket_sha256();
  spec.unit_id = session.unit_id();
  spec.unacknowledged = session.unacknowledged();
  return spec;
}

dataplane::CloseReason ReadCloseReason(std::uint32_t code, const std::string& reason) {
  const bool may = code == dataplane::kCloseNormal || (code >= 4400 && code <= 4599);
  dataplane::CloseReason close;
  close.code = may ? static_cast<std::uint16_t>(code) : dataplane::kCloseTerminated;
  close.text = ClipReason(reason);
  return close;
}

void LiveEdgeActions::Drain() {
  draining_ = true;
  dialer_.Stop();
  forwarder_.Stop();
}

void LiveEdgeActions::Configure(const v1::EdgeConfiguration& configuration) {
  on_configure_(configuration);
  hub_.SetMaxDevices(configuration.max_devices());
  hub_.SetRevoked(std::set<std::string>(configuration.revoked_fingerprints().begin(),
                                        configuration.revoked_fingerprints().end()));
  tunnels_.SetAllowedOrigins(std::vector<std::string>(configuration.allowed_origins().begin(),
                                                      configuration.allowed_origins().end()));
}

absl::Status LiveEdgeActions::RegisterSession(const v1::RegisterSession& session) {
  if (draining_) return absl::UnavailableError("This edge is stopping.");
  FAIRLEAD_ASSIGN_OR_RETURN(dataplane::SessionSpec spec, ReadSession(session));
  return relay_.Register(std::move(spec));
}

void LiveEdgeActions::EndSession(const v1::EndSession& end) {
  relay_.End(end.session_id(), ReadCloseReason(end.close_code(), end.reason()));
}

void LiveEdgeActions::SendToDevice(const v1::DeviceCommand& command) {
  const std::string& unit_id = command.unit_id();
  const std::string& session_id = command.message().open_terminal().session_id();
  const bool opens = command.message().has_open_terminal();
  if (opens && hub_.IsConnected(unit_id)) TellRequested(session_id);
  const absl::Status sent = hub_.Send(unit_id, command.message());
  if (sent.ok()) return;
  spdlog::info("message not sent: {}", Printable(std::string(sent.message())));
  if (!opens) return;
  dataplane::CloseReason reason;
  reason.code = dataplane::kClosePeerLost;
  reason.text = absl::IsNotFound(sent)
                    ? absl::StrCat("device ", unit_id, " is not connected to this edge")
                    : std::string(sent.message());
  relay_.FailLeg(session_id, dataplane::Side::kDevice, std::move(reason));
}

void LiveEdgeActions::DialDevice(const v1::DialDevice& dial) {
  if (!relay_.Knows(dial.session_id())) {
    spdlog::info("session {}: not dialled, as it is over", Printable(dial.session_id()));
    return;
  }
  TellRequested(dial.session_id());
  dialer_.Dial(dial);
}

void LiveEdgeActions::ProbeDevice(const v1::ProbeDevice& probe) { dialer_.Probe(probe); }

void LiveEdgeActions::ForwardConsole(const v1::ForwardConsole& forward) {
  forwarder_.Expect(forward);
}

void LiveEdgeActions::TellRequested(const std::string& session_id) {
  if (!relay_.Knows(session_id)) return;
  v1::EdgeEvent event;
  v1::TunnelEvent& requested = *event.mutable_tunnel_event();
  requested.set_session_id(session_id);
  requested.set_type(v1::TunnelEvent::DEVICE_REQUESTED);
  *requested.mutable_time() = ToProto(clock_.Now());
  events_.Publish(std::move(event));
}

void LiveEdgeActions::DropDevice(const v1::DropDevice& drop) {
  hub_.Drop(drop.unit_id(), ReadCloseReason(drop.close_code(), drop.reason()));
  hub_.Revoke(std::vector<std::string>(drop.revoked_fingerprints().begin(),
                                       drop.revoked_fingerprints().end()));
}

}  // namespace fairlead::gateway
