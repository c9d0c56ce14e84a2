// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "terminal/console_end.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/plain_text.h"

namespace fairlead::terminal {
namespace {

constexpr int kMaxExitCode = 255;
constexpr std::size_t kMaxSignalNameBytes = 16;

// Whether `name` could be a signal's on some system.
bool IsSignalName(absl::string_view name) {
  if (name.size() > kMaxSignalNameBytes || !absl::ConsumePrefix(&name, "SIG")) return false;
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isupper(c) || absl::ascii_isdigit(c) || c == '+' || c == '-';
  });
}

ConsoleEvent Event(ConsoleEvent::Kind kind) {
  ConsoleEvent event;
  event.kind = kind;
  return event;
}

ConsoleEvent PeerEvent(const v1::Peer& peer) {
  switch (peer.state()) {
    case v1::Peer::ATTACHED:
      return Event(ConsoleEvent::Kind::kPeerAttached);
    case v1::Peer::DETACHED:
      return Event(ConsoleEvent::Kind::kPeerDetached);
    default:
      return Event(ConsoleEvent::Kind::kNone);
  }
}

// A notice is shown on the person's terminal, so a device must not drive that with it.
ConsoleEvent NoticeEvent(const v1::Notice& notice) {
  ConsoleEvent event = Event(ConsoleEvent::Kind::kNotice);
  event.text = PlainText(notice.text());
  return event;
}

}  // namespace

ProgramResult PlausibleResult(const ProgramResult& claimed) {
  ProgramResult result;
  const int code = claimed.exit_code.value_or(-1);
  if (code >= 0 && code <= kMaxExitCode) result.exit_code = code;
  if (IsSignalName(claimed.signal)) result.signal = claimed.signal;
  return result;
}

std::optional<std::string> ConsoleEnd::TakeAck(Output output) {
  const std::uint64_t unacknowledged = received_ - ack_sent_;
  // An end after no output at all is acknowledged too, so that the device need not wait.
  const bool end_due = result_.has_value() && !end_acknowledged_ && received_ >= total_bytes_;
  const bool due = unacknowledged >= kAckEveryBytes || output == Output::kIdle || end_due;
  if (!due || (unacknowledged == 0 && !end_due)) return std::nullopt;
  ack_sent_ = received_;
  if (end_due) end_acknowledged_ = true;
  return AckFrame(received_);
}

std::uint64_t ConsoleEnd::InputAllowance() const {
  if (result_.has_value()) return 0;
  if (!peer_acknowledges_) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t in_flight = sent_ - acknowledged_;
  return in_flight >= kMaxUnacknowledgedInput ? 0 : kMaxUnacknowledgedInput - in_flight;
}

absl::StatusOr<ConsoleEvent> ConsoleEnd::OnText(absl::string_view text) {
  absl::StatusOr<v1::TerminalControl> control = ParseControlFrame(text);
  if (!control.ok()) return control.status();
  switch (control->control_case()) {
    case v1::TerminalControl::kAttached:
      return Event(ConsoleEvent::Kind::kAttached);
    case v1::TerminalControl::kPeer:
      return PeerEvent(control->peer());
    case v1::TerminalControl::kAck:
      return OnAck(control->ack().received_bytes());
    case v1::TerminalControl::kEnd:
      return OnEnd(control->end());
    case v1::TerminalControl::kNotice:
      return NoticeEvent(control->notice());
    case v1::TerminalControl::kResize:
    case v1::TerminalControl::kResume:
    case v1::TerminalControl::kClose:
    case v1::TerminalControl::CONTROL_NOT_SET:
      break;
  }
  return Event(ConsoleEvent::Kind::kNone);
}

absl::StatusOr<ConsoleEvent> ConsoleEnd::OnAck(std::uint64_t received_bytes) {
  if (received_bytes > sent_) {
    return absl::InvalidArgumentError(absl::StrCat("the device acknowledges ", received_bytes,
                                                   " bytes but only ", sent_, " were sent"));
  }
  peer_acknowledges_ = true;
  acknowledged_ = std::max(acknowledged_, received_bytes);
  return Event(ConsoleEvent::Kind::kAcknowledged);
}

absl::StatusOr<ConsoleEvent> ConsoleEnd::OnEnd(const v1::End& end) {
  if (result_.has_value()) {
    return absl::InvalidArgumentError("the device told the program's end a second time");
  }
  ProgramResult claimed;
  if (end.has_exit_code()) claimed.exit_code = end.exit_code();
  if (end.has_signal()) claimed.signal = end.signal();
  result_ = PlausibleResult(claimed);
  total_bytes_ = end.total_bytes();
  return Event(ConsoleEvent::Kind::kEnded);
}

ConsoleEnd::Outcome ConsoleEnd::outcome() const {
  Outcome outcome;
  if (!result_.has_value()) return outcome;
  // More than was announced is a bug of the device, but nothing of its output is missing.
  const bool complete = received_ >= total_bytes_;
  outcome.kind = complete ? Outcome::Kind::kComplete : Outcome::Kind::kTruncated;
  outcome.missing_bytes = complete ? 0 : total_bytes_ - received_;
  return outcome;
}

}  // namespace fairlead::terminal
