// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_machine.h.
#include "control/session_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/proto_time.h"
#include "control/session_outcome.h"

namespace fairlead::control {
namespace {

using Cause = v1::SessionEnd;
using Type = SessionEvent::Type;

constexpr std::uint32_t kNeverCame = 4502;
constexpr std::uint32_t kTerminated = 4410;
constexpr std::uint32_t kDraining = 4503;

}  // namespace

SessionMachine::SessionMachine(v1::Session session, std::string device_label,
                               SessionDeadlines deadlines)
    : session_(std::move(session)), device_label_(std::move(device_label)), deadlines_(deadlines) {
  session_.clear_console_ticket();
}

absl::optional<SessionMachine> SessionMachine::Restore(v1::Session session,
                                                       std::string device_label,
                                                       SessionDeadlines deadlines) {
  SessionMachine machine(std::move(session), std::move(device_label), deadlines);
  const v1::Session& left = machine.session_;
  if (left.state() == v1::Session::ENDED || left.icg().empty() || !machine.OverIcg() ||
      !machine.Has(Step::CONSOLE_INFORMED)) {
    return absl::nullopt;
  }
  machine.phase_ = left.state() == v1::Session::ACTIVE ? Phase::kActive : Phase::kInformed;
  machine.recorded_ = true;
  machine.accepted_ = true;
  machine.absent_ = true;
  return machine;
}

bool SessionMachine::OverIcg() const {
  return session_.flow() == v1::Session::OS12_ICG || session_.flow() == v1::Session::OS11_ICG;
}

bool SessionMachine::Dialled() const { return session_.flow() == v1::Session::OS11_DIRECT; }

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
  const int before = session_.timeline_size() - 2;
  // Clocks of two hosts differ; a step does not come before the one that led to it.
  const absl::Time earliest = before < 0 ? time : FromTimestamp(session_.timeline(before).time());
  *entry->mutable_time() = ToTimestamp(std::max(time, earliest));
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
    case Type::kRecordFailed:
      if (phase_ == Phase::kOpening) {
        Abort(Cause::CAUSE_UNSPECIFIED, event.status, kDraining, event.time, actions);
      }
      break;
    case Type::kEdgeAccepted:
    case Type::kDeviceRequested:
    case Type::kDeviceAttached:
    case Type::kConsoleAttached:
    case Type::kDataFlowing:
      OnProgress(event, actions);
      break;
    case Type::kConsoleForwarded:
      if (phase_ > Phase::kActive) break;
      session_.set_console_through_server(true);
      actions.changed = true;
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
    case Type::kDeviceRefused:
      OnRefused(event, actions);
      break;
    case Type::kDeviceGone:
      OnDeviceGone(event, actions);
      break;
    case Type::kEdgeGone:
      OnEdgeGone(event, actions);
      break;
    case Type::kEdgeForgot:
      OnEdgeForgot(event, actions);
      break;
    case Type::kServerStopping:
      OnServerStopping(event, actions);
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

void SessionMachine::OnProgress(const SessionEvent& event, SessionActions& actions) {
  if (phase_ > Phase::kActive) return;
  OnNamed(actions);
  switch (event.type) {
    case Type::kEdgeAccepted:
      accepted_ = true;
      break;
    case Type::kDeviceRequested:
      Record(Step::DEVICE_REQUESTED, event.time, actions);
      return;
    case Type::kDeviceAttached:
      Record(Step::DEVICE_ATTACHED, event.time, actions);
      break;
    case Type::kConsoleAttached:
      Record(Step::CONSOLE_ATTACHED, event.time, actions);
      break;
    default:
      if (phase_ == Phase::kActive) Record(Step::DATA_FLOWING, event.time, actions);
      return;
  }
  MaybeInform(event.time, actions);
  MaybeActivate(actions);
}

void SessionMachine::OnNamed(SessionActions& actions) {
  if (!absent_) return;
  absent_ = false;
  actions.deadline = phase_ == Phase::kInformed ? deadlines_.pairing : absl::ZeroDuration();
}

void SessionMachine::MaybeInform(absl::Time time, SessionActions& actions) {
  if (phase_ != Phase::kOpening || !recorded_) return;
  if (OverIcg() ? !accepted_ : !Has(Step::DEVICE_ATTACHED)) return;
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
  const bool closing = phase_ == Phase::kClosing;
  const Cause::Cause cause = closing ? Cause::TERMINATED : CauseOf(event.tunnel);
  if (phase_ == Phase::kOpening) actions.reply = EndedWhileOpening(event.tunnel);
  session_.mutable_end()->set_bytes_to_console(event.tunnel.bytes_to_console());
  session_.mutable_end()->set_bytes_to_device(event.tunnel.bytes_to_device());
  End(cause, closing ? closing_message_ : SentenceOfTunnelEnd(event.tunnel, session_.flow()),
      event.time, actions);
}

Cause::Cause SessionMachine::CauseOf(const v1::TunnelEvent& event) const {
  if (DialFailed(event)) return Cause::NEVER_ATTACHED;
  // Of what ran while the link was down, the end alone is told: its bytes prove both tunnels.
  const bool ran_unseen = absent_ && event.bytes_to_console() > 0;
  return CauseOfTunnelEnd(event, phase_ == Phase::kActive || ran_unseen);
}

bool SessionMachine::DialFailed(const v1::TunnelEvent& event) const {
  return Dialled() && event.ended_by() == v1::TunnelEvent::DEVICE && !Has(Step::DEVICE_ATTACHED);
}

absl::Status SessionMachine::EndedWhileOpening(const v1::TunnelEvent& event) const {
  const std::string sentence = SentenceOfTunnelEnd(event, session_.flow());
  const std::string reason = sentence.empty() ? "" : absl::StrCat(": ", sentence);
  if (DialFailed(event)) {
    return absl::UnavailableError(absl::StrCat(device_label_, " could not be reached", reason));
  }
  return absl::UnavailableError(absl::StrCat("the tunnel of ", device_label_,
                                             " ended before the terminal was open", reason,
                                             "; try again"));
}

void SessionMachine::OnDeviceGone(const SessionEvent& event, SessionActions& actions) {
  // Tunnels are connections of their own and outlive the standing connection; a device that is
  // dialled needs none.
  if (!live() || Dialled() || Has(Step::DEVICE_ATTACHED)) return;
  Abort(Cause::DEVICE_LOST,
        absl::UnavailableError(absl::StrCat(
            device_label_, " disconnected while the terminal was being opened; try again")),
        kNeverCame, event.time, actions);
}

void SessionMachine::OnEdgeGone(const SessionEvent& event, SessionActions& actions) {
  if (phase_ == Phase::kOpening) {
    const std::string edge =
        OverIcg() ? absl::StrCat(session_.icg(), ", over which ", device_label_, " is connected,")
                  : absl::StrCat("the edge of ", device_label_);
    Abort(OverIcg() ? Cause::EDGE_LOST : Cause::SERVER_STOPPED,
          absl::UnavailableError(absl::StrCat(edge, " cannot be reached at the moment; try again")),
          kDraining, event.time, actions);
  } else if (phase_ == Phase::kClosing) {
    End(Cause::TERMINATED, closing_message_, event.time, actions);
  } else if (live() && OverIcg()) {
    absent_ = true;
    actions.deadline = deadlines_.absence;
  }
  // The server's own edge is linked again within moments, and its snapshot tells.
}

void SessionMachine::OnEdgeForgot(const SessionEvent& event, SessionActions& actions) {
  if (phase_ == Phase::kClosing) {
    End(Cause::TERMINATED, closing_message_, event.time, actions);
  } else if (live()) {
    Abort(OverIcg() ? Cause::EDGE_LOST : Cause::SERVER_STOPPED,
          absl::UnavailableError(event.message), kDraining, event.time, actions);
  }
}

void SessionMachine::OnServerStopping(const SessionEvent& event, SessionActions& actions) {
  if (outlasts_server()) return;
  if (phase_ == Phase::kEnded) {
    phase_ = Phase::kDone;
    actions.forget = true;
  } else if (phase_ == Phase::kClosing) {
    End(Cause::TERMINATED, closing_message_, event.time, actions);
  } else {
    Abort(Cause::SERVER_STOPPED, absl::UnavailableError(event.message), kDraining, event.time,
          actions);
  }
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
  if (absent_) {
    absl::StrAppend(&closing_message_, " (the link to ", session_.icg(),
                    " is down; it closes the tunnels when the link is back)");
  }
  actions.end_at_edge = SessionActions::CloseOrder{kTerminated, event.message};
  if (!Dialled()) actions.close_on_device = event.message;
  actions.deadline = deadlines_.closing;
}

absl::Status SessionMachine::OpeningTooLate() const {
  const std::string limit = absl::FormatDuration(deadlines_.opening);
  if (!recorded_) {
    return absl::UnavailableError(absl::StrCat("the session on ", device_label_,
                                               " could not be recorded within ", limit,
                                               "; the server's disk may be overloaded. Try again"));
  }
  if (OverIcg()) {
    return absl::UnavailableError(absl::StrCat(session_.icg(), " did not accept the session on ",
                                               device_label_, " within ", limit,
                                               "; it may be overloaded. Try again"));
  }
  if (Dialled()) {
    return absl::UnavailableError(absl::StrCat(device_label_, " could not be reached within ",
                                               limit, "; check its address and its TLS port"));
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
    case Phase::kActive:
      OnOverdue(event, actions);
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

void SessionMachine::OnOverdue(const SessionEvent& event, SessionActions& actions) {
  if (absent_) {
    Abort(Cause::EDGE_LOST,
          absl::UnavailableError(absl::StrCat("the link to ", session_.icg(),
                                              " was lost and did not return in ",
                                              absl::FormatDuration(deadlines_.absence))),
          kTerminated, event.time, actions);
  } else if (phase_ == Phase::kInformed) {
    Abort(Cause::NEVER_ATTACHED, absl::UnavailableError("one side did not open its tunnel in time"),
          kNeverCame, event.time, actions);
  }
}

void SessionMachine::Abort(Cause::Cause cause, const absl::Status& status, std::uint32_t close_code,
                           absl::Time time, SessionActions& actions) {
  const std::string message(status.message());
  actions.end_at_edge = SessionActions::CloseOrder{close_code, message};
  if (cause != Cause::DEVICE_REFUSED && !Dialled()) actions.close_on_device = message;
  if (phase_ == Phase::kOpening) actions.reply = status;
  End(cause, message, time, actions);
}

void SessionMachine::End(Cause::Cause cause, absl::string_view message, absl::Time time,
                         SessionActions& actions) {
  // A device that was dialled has no connection on which to say how its program ended.
  const bool awaits_result = Has(Step::DEVICE_ATTACHED) && !Dialled();
  Record(Step::ENDED, time, actions);
  session_.set_state(v1::Session::ENDED);
  session_.mutable_end()->set_cause(cause);
  session_.mutable_end()->set_message(std::string(message));
  ApplyResult();
  actions.ended = true;
  if (!awaits_result || result_.has_value()) {
    Finish(actions);
    return;
  }
  phase_ = Phase::kEnded;
  actions.changed = true;
  actions.deadline = deadlines_.result;
}

void SessionMachine::ApplyResult() {
  if (result_.has_value()) TakeResult(*result_, *session_.mutable_end());
}

}  // namespace fairlead::control
