// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The states of one session: what happened goes in, what to do comes out. No I/O, no clock, no
// threads; the coordinator feeds it and does what it says. All flows share it: over an ICG the
// Console is answered when the ICG has accepted, otherwise when the device's tunnel is in place.
#ifndef FAIRLEAD_CONTROL_SESSION_MACHINE_H_
#define FAIRLEAD_CONTROL_SESSION_MACHINE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "proto/edge.pb.h"
#include "proto/session.pb.h"
#include "proto/unified.pb.h"

namespace fairlead::control {

// How long the parts of a session's life may last.
struct SessionDeadlines {
  // From the request until the device's tunnel is in place (or the ICG has accepted).
  absl::Duration opening = absl::Seconds(20);
  // From the answer until both tunnels are in place. The edge's own pairing time is shorter; this
  // one ends a session whose edge says nothing.
  absl::Duration pairing = absl::Seconds(45);
  // From the order to end until the edge has done so.
  absl::Duration closing = absl::Milliseconds(400);
  // From the end until the device has said how the program ended.
  absl::Duration result = absl::Seconds(5);
  // From the loss of the link to a session's ICG until the ICG has named the session again.
  absl::Duration absence = absl::Seconds(40);
};

// Something that happened to a session.
struct SessionEvent {
  enum class Type {
    // The Console asks. First, and only once.
    kRequested,
    // The request is in the store and in the audit log.
    kRecorded,
    // ... or it could not be written: `status`.
    kRecordFailed,
    // The ICG has accepted (flows over an ICG alone).
    kEdgeAccepted,
    // The edge has asked the device.
    kDeviceRequested,
    // The device's tunnel is in place.
    kDeviceAttached,
    // The Console's tunnel is in place.
    kConsoleAttached,
    // The first byte went through.
    kDataFlowing,
    // The Console's tunnel goes through the server.
    kConsoleForwarded,
    // The edge ended the session: `tunnel`.
    kTunnelEnded,
    // The device refused: `status`.
    kDeviceRefused,
    // The device's program ended: `result`.
    kProgramEnded,
    // The device's standing connection is gone.
    kDeviceGone,
    // The link to the edge is gone, or could not take the request. A session over an ICG that is
    // past its opening goes on without it, until one of the edge's events above shows it again.
    kEdgeGone,
    // The edge no longer knows the session: `message` says why.
    kEdgeForgot,
    // The server stops: `message` says so. A session over an ICG goes on without it.
    kServerStopping,
    // Somebody with the right to do so ends it: `message` says why.
    kTerminated,
    // The caller that waits for the session has given up.
    kCallerGone,
    // The deadline set last has passed.
    kDeadline,
  };

  Type type;
  // When, by the clock of the host that saw it.
  absl::Time time;
  absl::Status status = absl::OkStatus();
  std::string message = {};
  v1::TunnelEvent tunnel = {};
  v1::TerminalEnded result = {};
};

// What to do now, in the order of the fields.
struct SessionActions {
  struct CloseOrder {
    std::uint32_t code = 0;
    std::string reason;
  };

  // Tell the edge to expect the legs, and ask the device.
  bool ask = false;
  // Write the request to the store and the audit log, then report kRecorded or kRecordFailed.
  bool record = false;
  // Tell the edge to end the session.
  absl::optional<CloseOrder> end_at_edge;
  // Tell the device to end its terminal, with this reason.
  absl::optional<std::string> close_on_device;
  // The session changed: show it, and keep it in the store.
  bool changed = false;
  // Answer the caller: OK for the session itself.
  absl::optional<absl::Status> reply;
  // The session has just ended.
  bool ended = false;
  // Replace the running deadline; zero for none.
  absl::optional<absl::Duration> deadline;
  // Nothing more can happen that matters.
  bool forget = false;
};

// Thread: one at a time.
class SessionMachine {
 public:
  enum class Phase {
    // Not requested yet.
    kNew,
    // The caller waits.
    kOpening,
    // The caller was answered; not both tunnels are in place.
    kInformed,
    // Both tunnels are, or were, in place.
    kActive,
    // The edge was told to end the session.
    kClosing,
    // Over; the device may still say how its program ended.
    kEnded,
    // Over, with nothing left to come.
    kDone,
  };

  // `session` has name, device, user, reason, flow, icg, stream, profile and console_url.
  // `device_label` names the device in sentences for people.
  SessionMachine(v1::Session session, std::string device_label, SessionDeadlines deadlines);

  // Takes up a session that an earlier run of the server left to its ICG, as if the link had just
  // been lost: the caller sets the deadline, deadlines.absence. Nothing if the session cannot have
  // outlasted the server: it is over, not over an ICG, or its Console was never informed.
  static absl::optional<SessionMachine> Restore(v1::Session session, std::string device_label,
                                                SessionDeadlines deadlines);

  // Takes in what happened. Events that come late or twice change nothing.
  SessionActions Apply(const SessionEvent& event);

  // The session as it is now, without a ticket.
  const v1::Session& session() const { return session_; }
  Phase phase() const { return phase_; }
  bool live() const { return phase_ < Phase::kEnded; }
  // Goes on at an ICG when the server stops.
  bool outlasts_server() const {
    return OverIcg() && (phase_ == Phase::kInformed || phase_ == Phase::kActive);
  }

 private:
  using Step = v1::TimelineEntry;

  bool OverIcg() const;
  // The server dials the device, which has no standing connection.
  bool Dialled() const;
  bool Has(Step::Step step) const;
  // Adds the step unless it is there. Returns whether it was added.
  bool Record(Step::Step step, absl::Time time, SessionActions& actions);

  void OnRequested(const SessionEvent& event, SessionActions& actions);
  // The edge tells of a step.
  void OnProgress(const SessionEvent& event, SessionActions& actions);
  // The edge spoke of the session: it is not absent any more.
  void OnNamed(SessionActions& actions);
  void OnTunnelEnded(const SessionEvent& event, SessionActions& actions);
  void OnDeviceGone(const SessionEvent& event, SessionActions& actions);
  void OnEdgeGone(const SessionEvent& event, SessionActions& actions);
  void OnEdgeForgot(const SessionEvent& event, SessionActions& actions);
  void OnServerStopping(const SessionEvent& event, SessionActions& actions);
  void OnProgramEnded(const SessionEvent& event, SessionActions& actions);
  void OnRefused(const SessionEvent& event, SessionActions& actions);
  void OnTerminated(const SessionEvent& event, SessionActions& actions);
  void OnDeadline(const SessionEvent& event, SessionActions& actions);
  // The deadline has passed after the Console was informed.
  void OnOverdue(const SessionEvent& event, SessionActions& actions);
  // Why the caller is answered at the deadline.
  absl::Status OpeningTooLate() const;
  // The device could not be dialled.
  bool DialFailed(const v1::TunnelEvent& event) const;
  // Why the caller is answered when the tunnel ended before it was open.
  absl::Status EndedWhileOpening(const v1::TunnelEvent& event) const;
  v1::SessionEnd::Cause CauseOf(const v1::TunnelEvent& event) const;
  // Answers the caller if all that it waits for is there.
  void MaybeInform(absl::Time time, SessionActions& actions);
  // Becomes active if both tunnels are in place.
  void MaybeActivate(SessionActions& actions);

  // Ends the session here and at the edge, because of `status`, which the caller gets if it waits.
  void Abort(v1::SessionEnd::Cause cause, const absl::Status& status, std::uint32_t close_code,
             absl::Time time, SessionActions& actions);
  void End(v1::SessionEnd::Cause cause, absl::string_view message, absl::Time time,
           SessionActions& actions);
  void ApplyResult();
  // Nothing more is awaited.
  void Finish(SessionActions& actions);

  v1::Session session_;
  const std::string device_label_;
  const SessionDeadlines deadlines_;
  Phase phase_ = Phase::kNew;
  bool recorded_ = false;
  bool accepted_ = false;
  // The link to its ICG is gone, and the ICG has not named it since.
  bool absent_ = false;
  // What the edge is told to end with, while closing.
  std::string closing_message_;
  absl::optional<v1::TerminalEnded> result_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_MACHINE_H_
