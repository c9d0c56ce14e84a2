// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_outcome.h.
#include "control/session_outcome.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/plain_text.h"
#include "base/status.h"
#include "base/utf8.h"

namespace fairlead::control {
namespace {

using Cause = v1::SessionEnd;

constexpr std::uint32_t kTerminated = 4410;
constexpr std::uint32_t kLimit = 4408;
constexpr std::uint32_t kDraining = 4503;
constexpr std::uint32_t kLost = 1006;
constexpr std::size_t kMaxTextBytes = 500;
constexpr std::size_t kMaxSignalBytes = 32;
constexpr int kMaxExitCode = 255;

std::string PeersText(absl::string_view text) { return CutUtf8(PlainText(text), kMaxTextBytes); }

// An edge that finds a peer's frames wrong closes with one of these, in words of its own; the peer
// may have sent it just as well.
bool MayBeTheEdges(std::uint32_t code) { return code == 1002 || code == 1007 || code == 1009; }

bool IsPolite(std::uint32_t code) { return code == 1000 || code == 1001 || code == 1005; }

bool IsSignalName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxSignalBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isupper(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '+';
         });
}

v1::SessionEnd::Cause CauseByDevice(std::uint32_t code) {
  return code == 1000 || code == 1005 ? Cause::PROGRAM_ENDED : Cause::DEVICE_LOST;
}

v1::SessionEnd::Cause CauseByConsole(std::uint32_t code) {
  return IsPolite(code) ? Cause::CONSOLE_CLOSED : Cause::CONSOLE_LOST;
}

}  // namespace

v1::SessionEnd::Cause CauseOfTunnelEnd(const v1::TunnelEvent& event, bool was_active) {
  if (event.ended_by() == v1::TunnelEvent::DEVICE) return CauseByDevice(event.close_code());
  if (event.ended_by() == v1::TunnelEvent::CONSOLE) return CauseByConsole(event.close_code());
  switch (event.close_code()) {
    case kLimit:
      return Cause::LIMIT_REACHED;
    case kTerminated:
      return Cause::TERMINATED;
    case kDraining:
    case 1001:
      return Cause::SERVER_STOPPED;
    default:
      return was_active ? Cause::CAUSE_UNSPECIFIED : Cause::NEVER_ATTACHED;
  }
}

std::string SentenceOfTunnelEnd(const v1::TunnelEvent& event, v1::Session::Flow flow) {
  const std::uint32_t code = event.close_code();
  const std::string words = PeersText(event.reason());
  const bool by_device = event.ended_by() == v1::TunnelEvent::DEVICE;
  // A device that is dialled sends bytes alone, and no close frame has 1006.
  const bool by_edge = event.ended_by() == v1::TunnelEvent::SIDE_UNSPECIFIED || code == kLost ||
                       (by_device && flow == v1::Session::OS11_DIRECT);
  if (by_edge) return words;
  const std::string quoted =
      words.empty() ? "" : absl::StrCat(": \"", absl::StrReplaceAll(words, {{"\"", "'"}}), "\"");
  const absl::string_view peer = by_device ? "the device" : "the Console";
  if (IsPolite(code)) return words.empty() ? "" : absl::StrCat(peer, " said", quoted);
  return absl::StrCat(
      peer, MayBeTheEdges(code) ? "'s tunnel was closed with " : " closed its tunnel with ", code,
      quoted);
}

void TakeResult(const v1::TerminalEnded& result, v1::SessionEnd& end) {
  const int exit_code = result.exit_code();
  if (result.has_exit_code() && exit_code >= 0 && exit_code <= kMaxExitCode) {
    end.set_exit_code(exit_code);
  }
  if (result.has_signal() && IsSignalName(result.signal())) end.set_signal(result.signal());
}

absl::Status StatusOfRefusal(const v1::OpenTerminalResult& result, absl::string_view device_label) {
  const std::string sentence =
      absl::StrCat(device_label, " refused the terminal: ",
                   result.message().empty() ? "it gave no reason" : PeersText(result.message()));
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
