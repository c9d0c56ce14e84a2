// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "terminal/device_end.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace fairlead::terminal {
namespace {

DeviceEvent Event(DeviceEvent::Kind kind) {
  DeviceEvent event;
  event.kind = kind;
  return event;
}

DeviceEvent PeerEvent(const v1::Peer& peer) {
  switch (peer.state()) {
    case v1::Peer::ATTACHED:
      return Event(DeviceEvent::Kind::kPeerAttached);
    case v1::Peer::DETACHED:
      return Event(DeviceEvent::Kind::kPeerDetached);
    default:
      return Event(DeviceEvent::Kind::kNone);
  }
}

DeviceEvent ResizeEvent(const v1::Resize& resize) {
  DeviceEvent event = Event(DeviceEvent::Kind::kResize);
  event.size = ClampWindowSize(resize.columns(), resize.rows());
  return event;
}

DeviceEvent NoticeEvent(const v1::Notice& notice) {
  DeviceEvent event = Event(DeviceEvent::Kind::kNotice);
  event.text = notice.text();
  return event;
}

}  // namespace

std::uint64_t DeviceEnd::SendAllowance() const {
  if (ended()) return 0;
  if (!peer_acknowledges_) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t in_flight = sent_ - acknowledged_;
  return in_flight >= kSendWindow ? 0 : kSendWindow - in_flight;
}

std::optional<std::string> DeviceEnd::TakeAck(Queue queue) {
  const std::uint64_t unacknowledged = received_ - ack_sent_;
  const bool due = unacknowledged >= kAckEveryBytes || queue == Queue::kEmpty;
  if (unacknowledged == 0 || !due) return std::nullopt;
  ack_sent_ = received_;
  return AckFrame(received_);
}

absl::StatusOr<DeviceEvent> DeviceEnd::OnText(absl::string_view text) {
  absl::StatusOr<v1::TerminalControl> control = ParseControlFrame(text);
  if (!control.ok()) return control.status();
  switch (control->control_case()) {
    case v1::TerminalControl::kAttached:
      return Event(DeviceEvent::Kind::kAttached);
    case v1::TerminalControl::kPeer:
      return PeerEvent(control->peer());
    case v1::TerminalControl::kResize:
      return ResizeEvent(control->resize());
    case v1::TerminalControl::kAck:
      return OnAck(control->ack().received_bytes());
    case v1::TerminalControl::kClose:
      return Event(DeviceEvent::Kind::kHangUp);
    case v1::TerminalControl::kNotice:
      return NoticeEvent(control->notice());
    case v1::TerminalControl::kResume:
    case v1::TerminalControl::kEnd:
    case v1::TerminalControl::CONTROL_NOT_SET:
      break;
  }
  return Event(DeviceEvent::Kind::kNone);
}

absl::StatusOr<DeviceEvent> DeviceEnd::OnAck(std::uint64_t received_bytes) {
  if (received_bytes > sent_) {
    return absl::InvalidArgumentError(absl::StrCat("the Console acknowledges ", received_bytes,
                                                   " bytes but only ", sent_, " were sent"));
  }
  peer_acknowledges_ = true;
  acknowledged_ = std::max(acknowledged_, received_bytes);
  return Event(DeviceEvent::Kind::kAcknowledged);
}

std::string DeviceEnd::End(const ProgramResult& result, absl::Duration now) {
  deadline_ = now + kEndAckTimeout;
  v1::TerminalControl control;
  v1::End& end = *control.mutable_end();
  if (result.exit_code.has_value()) {
    end.set_exit_code(*result.exit_code);
  } else if (!result.signal.empty()) {
    end.set_signal(result.signal);
  } else {
    end.mutable_unknown();
  }
  end.set_total_bytes(sent_);
  return PrintControlFrame(control);
}

bool DeviceEnd::done(absl::Duration now) const {
  if (!ended()) return false;
  return (peer_acknowledges_ && acknowledged_ == sent_) || now >= *deadline_;
}

}  // namespace fairlead::terminal
