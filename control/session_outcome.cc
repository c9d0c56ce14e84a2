// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_outcome.h.
#include "control/session_outcome.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::control {
namespace {

using Cause = v1::SessionEnd;

constexpr std::uint32_t kTerminated = 4410;
constexpr std::uint32_t kLimit = 4408;
constexpr std::uint32_t kDraining = 4503;

v1::SessionEnd::Cause CauseByDevice(std::uint32_t code) {
  return code == 1000 || code == 1005 ? Cause::PROGRAM_ENDED : Cause::DEVICE_LOST;
}

v1::SessionEnd::Cause CauseByConsole(std::uint32_t code) {
  return code == 1000 || code == 1001 || code == 1005 ? Cause::CONSOLE_CLOSED : Cause::CONSOLE_LOST;
}

}  // namespace

v1::SessionEnd::Cause CauseOfTunnelEnd(const v1::TunnelEvent& event, bool was_active) {
  switch (event.close_code()) {
    case kLimit:
      return Cause::LIMIT_REACHED;
    case kTerminated:
      return Cause::TERMINATED;
    case kDraining:
      return Cause::SERVER_STOPPED;
    default:
      break;
  }
  if (event.ended_by() == v1::TunnelEvent::DEVICE) return CauseByDevice(event.close_code());
  if (event.ended_by() == v1::TunnelEvent::CONSOLE) return CauseByConsole(event.close_code());
  if (event.close_code() == 1001) return Cause::SERVER_STOPPED;
  return was_active ? Cause::CAUSE_UNSPECIFIED : Cause::NEVER_ATTACHED;
}

absl::Status StatusOfRefusal(const v1::OpenTerminalResult& result, absl::string_view device_label) {
  const std::string sentence = absl::StrCat(
      device_label, " refused the terminal: ",
      result.message().empty() ? "it gave no reason" : result.message().substr(0, 500));
  switch (result.refusal()) {
    case v1::OpenTerminalResult::TOO_MANY_SESSIONS:
      return ErrorWithReason(absl::StatusCode::kResourceExhausted, "DEVICE_REFUSED", sentence);
    case v1::OpenTerminalResult::TUNNEL_FAILED:
    case v1::OpenTerminalResult::STOPPING:
      return ErrorWithReason(absl::StatusCode::kUnavailable, "DEVICE_REFUSED", sentence);
    default:
      return ErrorWithReason(absl::StatusCode::kFailedPrecondition, "DEVICE_REFUSED", sentence);
  }
}

v1::AuditEvent::Outcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return v1::AuditEvent::SUCCEEDED;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
      return v1::AuditEvent::FAILED;
    default:
      return v1::AuditEvent::REFUSED;
  }
}

std::string EndSentence(const v1::Session& session) {
  const v1::SessionEnd& end = session.end();
  std::string sentence =
      absl::StrCat(v1::SessionEnd::Cause_Name(end.cause()), ", ", end.bytes_to_console(),
                   " bytes to the Console, ", end.bytes_to_device(), " to the device");
  if (end.has_exit_code()) absl::StrAppend(&sentence, ", exit code ", end.exit_code());
  if (end.has_signal()) absl::StrAppend(&sentence, ", signal ", end.signal());
  if (!end.message().empty()) absl::StrAppend(&sentence, ": ", end.message());
  return sentence;
}

}  // namespace fairlead::control
