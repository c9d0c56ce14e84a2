// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_machine.h.
#include "control/session_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

using Cause = v1::SessionEnd;
using Type = SessionEvent::Type;

constexpr std::uint32_t kNeverCame = 4502;
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

SessionMachine::SessionMachine(v1::Session session, std::string device_label,
                               SessionDeadlines deadlines)
    : session_(std::move(session)), device_label_(std::move(device_label)), deadlines_(deadlines) {
  session_.clear_console_ticket();
}

bool SessionMachine::OverIcg() const {
  return session_.flow() == v1::Session::OS12_ICG || session_.flow() == v1::Session::OS11_ICG;
}

bool SessionMachine::Has(Step::Step step) const {
  for (const v1::TimelineEntry& entry : session_.timeline()) {
    if (entry.step() == step) return true;
  }
  return false;
}

bool SessionMachine::Record(Step::Step step, absl::Time time, SessionActions& actions) {
  if (Has(step)) return false;
  v1::TimelineEntry* entry = session_.add_timeline();
  entry->set_step(step);
  *entry->mutable_time() = ToTimestamp(time);
  actions.changed = true;
  return true;
}

SessionActions SessionMachine::Apply(const SessionEvent& event) {
  SessionActions actions;
  if (phase_ == Phase::kDone) return actions;
  if ((phase_ == Phase::kNew) != (event.type == Type::kRequested)) return actions;
  switch (event.type) {
    case Type::kRequested:
      OnRequested(event, actions);
      break;
    case Type::kRecorded:
      recorded_ = true;
      MaybeInform(event.time, actions);
      break;
    case Type::kEdgeAccepted:
      accepted_ = true;
      MaybeInform(event.time, actions);
      break;
    case Type::kDeviceAttached:
      OnAttached(Step::DEVICE_ATTACHED, event, actions);
      break;
    case Type::kConsoleAttached:
      OnAttached(Step::CONSOLE_ATTACHED, event, actions);
      break;
    case Type::kDataFlowing:
      if (phase_ == Phase::kActive) Record(Step::DATA_FLOWING, event.time, actions);
      break;
    case Type::kTunnelEnded:
      OnTunnelEnded(event, actions);
      break;
    case Type::kProgramEnded:
      OnProgramEnded(event, actions);
      break;
    case Type::kTerminated:
      OnTerminated(event, actions);
      break;
    case Type::kDeadline:
      OnDeadline(event, actions);
      break;
    case Type::kRecordFailed:
      if (phase_ == Phase::kOpening) {
        Abort(Cause::CAUSE_UNSPECIFIED, event.status, kDraining, event.time, actions);
      }
      break;
    case Type::kDeviceRefused:
      OnRefused(event, actions);
      break;
    case Type::kDeviceGone:
      // Tunnels are connections of their own and outlive the standing connection.
      if (!live() || Has(Step::DEVICE_ATTACHED)) break;
      Abort(Cause::DEVICE_LOST,
            absl::UnavailableError(absl::StrCat(
                device_label_, " disconnected while the terminal was being opened; try again")),
            kNeverCame, event.time, actions);
      break;
    case Type::kEdgeGone:
      // A session that runs may outlast a loss of the link; the next snapshot tells.
      if (phase_ == Phase::kOpening) {
        Abort(Cause::SERVER_STOPPED,
              absl::UnavailableError(absl::StrCat("the edge of ", device_label_,
                                                  " cannot be reached at the moment; try again")),
              kDraining, event.time, actions);
      } else if (phase_ == Phase::kClosing) {
        End(Cause::TERMINATED, closing_message_, event.time, actions);
      }
      break;
    case Type::kEdgeForgot:
      if (phase_ == Phase::kClosing) {
        End(Cause::TERMINATED, closing_message_, event.time, actions);
      } else if (live()) {
        Abort(Cause::SERVER_STOPPED, absl::UnavailableError(event.message), kDraining, event.time,
              actions);
      }
      break;
    case Type::kCallerGone:
      if (phase_ == Phase::kOpening) {
        Abort(Cause::CONSOLE_CLOSED,
              absl::CancelledError("the caller gave up while the terminal was being opened"), 1000,
              event.time, actions);
      }
      break;
  }
  return actions;
}

void SessionMachine::OnRequested(const SessionEvent& event, SessionActions& actions) {
  phase_ = Phase::kOpening;
  session_.set_state(v1::Session::OPENING);
  Record(Step::CONSOLE_REQUESTED, event.time, actions);
  Record(OverIcg() ? Step::ICG_REQUESTED : Step::DEVICE_REQUESTED, event.time, actions);
  actions.ask = true;
  actions.record = true;
  actions.deadline = deadlines_.opening;
}

void SessionMachine::OnAttached(Step::Step step, const SessionEvent& event,
                                SessionActions& actions) {
  if (phase_ != Phase::kOpening && phase_ != Phase::kInformed) return;
  if (!Record(step, event.time, actions)) return;
  MaybeInform(event.time, actions);
  MaybeActivate(actions);
}

void SessionMachine::MaybeInform(absl::Time time, SessionActions& actions) {
  if (phase_ != Phase::kOpening || !recorded_) return;
  if (OverIcg() ? !accepted_ : !Has(Step::DEVICE_ATTACHED)) return;
  if (OverIcg()) Record(Step::DEVICE_REQUESTED, time, actions);
  Record(Step::CONSOLE_INFORMED, time, actions);
  phase_ = Phase::kInformed;
  actions.reply = absl::OkStatus();
  actions.deadline = deadlines_.pairing;
  MaybeActivate(actions);
}

void SessionMachine::MaybeActivate(SessionActions& actions) {
  if (phase_ != Phase::kInformed) return;
  if (!Has(Step::DEVICE_ATTACHED) || !Has(Step::CONSOLE_ATTACHED)) return;
  phase_ = Phase::kActive;
  session_.set_state(v1::Session::ACTIVE);
  actions.changed = true;
  actions.deadline = absl::ZeroDuration();
}

void SessionMachine::OnTunnelEnded(const SessionEvent& event, SessionActions& actions) {
  if (!live()) return;
  const Cause::Cause cause = phase_ == Phase::kClosing
                                 ? Cause::TERMINATED
                                 : CauseOfTunnelEnd(event.tunnel, phase_ == Phase::kActive);
  if (phase_ == Phase::kOpening) {
    actions.reply = absl::UnavailableError(absl::StrCat(
        "the tunnel of ", device_label_, " ended before the terminal was open",
        event.tunnel.reason().empty() ? "" : ": ", event.tunnel.reason(), "; try again"));
  }
  session_.mutable_end()->set_bytes_to_console(event.tunnel.bytes_to_console());
  session_.mutable_end()->set_bytes_to_device(event.tunnel.bytes_to_device());
  End(cause, phase_ == Phase::kClosing ? closing_message_ : event.tunnel.reason(), event.time,
      actions);
}

void SessionMachine::OnProgramEnded(const SessionEvent& event, SessionActions& actions) {
  if (result_.has_value()) return;
  result_ = event.result;
  if (phase_ != Phase::kEnded) return;
  ApplyResult();
  Finish(actions);
}

void SessionMachine::Finish(SessionActions& actions) {
  phase_ = Phase::kDone;
  actions.changed = true;
  actions.deadline = absl::ZeroDuration();
  actions.forget = true;
}

void SessionMachine::OnRefused(const SessionEvent& event, SessionActions& actions) {
  if (phase_ == Phase::kClosing) return;
  if (live()) {
    Abort(Cause::DEVICE_REFUSED, event.status, kNeverCame, event.time, actions);
    return;
  }
  // The refusal and the tunnel's end come on different connections, in either order.
  v1::SessionEnd* end = session_.mutable_end();
  if (end->cause() != Cause::DEVICE_LOST && end->cause() != Cause::PROGRAM_ENDED) return;
  end->set_cause(Cause::DEVICE_REFUSED);
  end->set_message(std::string(event.status.message()));
  Finish(actions);
}

void SessionMachine::OnTerminated(const SessionEvent& event, SessionActions& actions) {
  if (!live() || phase_ == Phase::kClosing) return;
  if (phase_ == Phase::kOpening) {
    Abort(Cause::TERMINATED, absl::AbortedError(event.message), kTerminated, event.time, actions);
    return;
  }
  phase_ = Phase::kClosing;
  closing_message_ = event.message;
  actions.end_at_edge = SessionActions::CloseOrder{kTerminated, event.message};
  actions.close_on_device = event.message;
  actions.deadline = deadlines_.closing;
}

absl::Status SessionMachine::OpeningTooLate() const {
  const std::string limit = absl::FormatDuration(deadlines_.opening);
  if (!recorded_) {
    return absl::UnavailableError(absl::StrCat("the session on ", device_label_,
                                               " could not be recorded within ", limit,
                                               "; the server's disk may be overloaded. Try again"));
  }
  return absl::UnavailableError(
      absl::StrCat(device_label_, " did not open a tunnel within ", limit,
                   "; it may be overloaded or unable to reach the server's port. Try again"));
}

void SessionMachine::OnDeadline(const SessionEvent& event, SessionActions& actions) {
  switch (phase_) {
    case Phase::kOpening:
      Abort(Cause::NEVER_ATTACHED, OpeningTooLate(), kNeverCame, event.time, actions);
      break;
    case Phase::kInformed:
      Abort(Cause::NEVER_ATTACHED,
            absl::UnavailableError("one side did not open its tunnel in time"), kNeverCame,
            event.time, actions);
      break;
    case Phase::kClosing:
      End(Cause::TERMINATED, closing_message_, event.time, actions);
      break;
    case Phase::kEnded:
      phase_ = Phase::kDone;
      actions.forget = true;
      break;
    default:
      break;
  }
}

void SessionMachine::Abort(Cause::Cause cause, const absl::Status& status, std::uint32_t close_code,
                           absl::Time time, SessionActions& actions) {
  const std::string message(status.message());
  actions.end_at_edge = SessionActions::CloseOrder{close_code, message};
  if (cause != Cause::DEVICE_REFUSED) actions.close_on_device = message;
  if (phase_ == Phase::kOpening) actions.reply = status;
  End(cause, message, time, actions);
}

void SessionMachine::End(Cause::Cause cause, absl::string_view message, absl::Time time,
                         SessionActions& actions) {
  const bool program_ran = Has(Step::DEVICE_ATTACHED);
  Record(Step::ENDED, time, actions);
  session_.set_state(v1::Session::ENDED);
  session_.mutable_end()->set_cause(cause);
  session_.mutable_end()->set_message(std::string(message));
  ApplyResult();
  actions.ended = true;
  if (!program_ran || result_.has_value()) {
    Finish(actions);
    return;
  }
  phase_ = Phase::kEnded;
  actions.changed = true;
  actions.deadline = deadlines_.result;
}

void SessionMachine::ApplyResult() {
  if (!result_.has_value()) return;
  if (result_->has_exit_code()) session_.mutable_end()->set_exit_code(result_->exit_code());
  if (result_->has_signal()) session_.mutable_end()->set_signal(result_->signal().substr(0, 32));
}

}  // namespace fairlead::control
