// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Opens, follows and ends sessions: checks requests, makes tickets, feeds each session's machine
// with what the edges say, and does what the machine wants. Used by the session service and by the
// edge controller.
#ifndef FAIRLEAD_CONTROL_SESSION_COORDINATOR_H_
#define FAIRLEAD_CONTROL_SESSION_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/executor.h"
#include "control/audit_log.h"
#include "control/call.h"
#include "control/device_directory.h"
#include "control/edge_connection.h"
#include "control/rate_limiter.h"
#include "control/session_board.h"
#include "control/session_machine.h"
#include "control/session_request.h"
#include "control/store.h"
#include "proto/icg.pb.h"
#include "proto/session.pb.h"

namespace fairlead::control {

struct SessionCoordinatorOptions {
  SessionDeadlines deadlines = {};
  // How long tickets are good, and a leg waits for the other.
  absl::Duration pairing_timeout = absl::Seconds(30);
  // 0 for any number.
  int sessions_per_user_per_minute = 100;
  // Whether a Console that cannot reach a session's ICG may go through the server.
  bool consoles_through_server = false;
  // How long to wait before the store is tried again after it failed.
  absl::Duration store_retry = absl::Seconds(5);
};

// What the coordinator works with. Lifetime: all of it outlives the coordinator.
struct SessionSupport {
  // One thread; all state of the coordinator belongs to it.
  Executor& serial;
  // One thread; blocks on the store, in order.
  Executor& store_executor;
  Store& store;
  AuditLog& audit;
  DeviceDirectory& directory;
  SessionBoard& board;
  EdgeSender& edges;
  const Clock& clock;
};

// Who wants something of a session, for the audit log.
struct SessionActor {
  std::string user;
  std::string peer_address;
};

// Thread: Open, Abandon, Terminate, EndSessionsOf and the Set... from any thread, the On... on the
// serial executor. Callbacks are called on an executor's thread, once.
// Lifecycle: Recover before the first edge is linked; Shutdown before the executors stop; both
// executors must have stopped before it is destroyed.
class SessionCoordinator {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<v1::Session>)>;

  SessionCoordinator(SessionSupport support, SessionCoordinatorOptions options);
  ~SessionCoordinator();

  // Deals with sessions left over from an earlier run: those over an ICG that ran, or whose Console
  // was informed, are taken up and wait for the ICG to name them; the others are marked as ended.
  // After the directory was loaded. Blocks on the store.
  absl::Status Recover();

  // Where Consoles open their tunnels at the server's own edge, "host:port".
  void SetPublicAddress(absl::string_view address) { SetConsoleAddress(kLocalEdge, address); }
  // Where Consoles open their tunnels at an edge, "host:port"; empty for nowhere.
  void SetConsoleAddress(absl::string_view edge, absl::string_view address);
  // Where the server itself dials ICGs, for Consoles that go through it. Serial executor.
  void SetIcg(const v1::Icg& icg) { icgs_[icg.name()] = icg; }
  void RemoveIcg(const std::string& name) { icgs_.erase(name); }

  // Opens a session; `id` is a fresh RandomId. The result carries the Console's ticket.
  // Errors (to `done`): those of SessionService.CreateSession.
  void Open(SessionActor actor, v1::CreateSessionRequest request, std::string id, Callback done);

  // The caller of Open has gone.
  void Abandon(std::string id);

  // Ends a session; `done` gets it when it has ended.
  // Errors (to `done`): NOT_FOUND; the store's: then it has ended, and is recorded when the store
  // works again.
  void Terminate(SessionActor actor, std::string name, std::string reason, Callback done);

  // Ends all sessions of a device, with `message`.
  void EndSessionsOf(std::string unit_id, std::string message);

  // Ends sessions because the server stops, and calls `done` when all is in the store. Those that
  // have been opened over an ICG go on there, for the next run to take up.
  void Shutdown(absl::AnyInvocable<void()> done);

  // Answers callers that are still waiting. After the executors have stopped.
  void FailPending();

  void OnTunnelEvent(absl::string_view edge, const v1::TunnelEvent& event);
  // The server's own edge let the session's Console through to its ICG.
  void OnConsoleForwarded(const std::string& id);
  void OnDeviceReport(absl::string_view unit_id, const v1::DeviceMessage& message);
  // The device's standing connection is gone.
  void OnDeviceGone(absl::string_view unit_id);
  // A device is connected, and says what runs on it: what should not is ended.
  void OnRunningSessions(const v1::DeviceConnected& connected);
  // The link to an edge is gone; these devices were connected over it.
  void OnEdgeGone(absl::string_view edge, const std::vector<std::string>& unit_ids);
  // The edge's process is another one: its sessions are gone.
  void OnEdgeRestarted(absl::string_view edge);
  // The edge will not be linked again. While it still is, so that it can be told to end what runs.
  void OnEdgeRemoved(absl::string_view edge);
  // The edge has told of all its sessions.
  void OnSnapshot(absl::string_view edge, const std::set<std::string>& session_ids);

 private:
  struct Live;
  // A session that ends while somebody waits for it.
  struct Waiter {
    SessionActor actor;
    std::string reason;
    Callback done;
  };

  // What the request becomes, without a name.
  absl::StatusOr<v1::Session> Check(const SessionActor& actor,
                                    const v1::CreateSessionRequest& request, v1::Device* device,
                                    SessionPath* path);
  DeviceWays WaysTo(const std::string& unit_id) const;
  absl::Status CheckOpenSessions(const v1::Device& device) const;
  absl::StatusOr<std::string> ConsoleAddress(absl::string_view edge) const;
  void OpenNow(SessionActor actor, const v1::CreateSessionRequest& request, const std::string& id,
               Callback done);
  void TerminateNow(Waiter waiter, const std::string& name);
  // Takes up a session that an earlier run left over an ICG. False if that cannot be.
  bool Adopt(const v1::Session& session);
  // Ends all sessions of an edge that no longer knows them.
  void OnAllForgotten(absl::string_view edge, const std::string& message);
  void ForgetLostLink(absl::string_view edge);

  Live* Find(absl::string_view id);
  // Feeds the machine and does what it wants. `id` may be gone afterwards.
  void Apply(std::string id, const SessionEvent& event);
  void Execute(Live& live, const SessionActions& actions);
  // To all live sessions that `select` takes.
  void ApplyToAll(const std::function<bool(const Live&)>& select, const SessionEvent& event);

  bool Ask(Live& live);
  void RecordRequest(Live& live);
  void EndAtEdge(const Live& live, const SessionActions::CloseOrder& order);
  void CloseOnDevice(const Live& live, const std::string& reason);
  void Reply(Live& live, const absl::Status& status);
  void OnEnded(Live& live);
  void SetDeadline(Live& live, absl::Duration deadline);
  // Writes the session, and what the audit log lacks of it, to the store, soon.
  void Persist(Live& live);
  // The first `recorded` of the session's unrecorded entries are in the audit log, or `status` says
  // why neither they nor the session could be written.
  void OnPersisted(const std::string& id, std::size_t recorded, const absl::Status& status);
  // Answers those who ended the session, which is recorded or, as `status` says, is not yet.
  void AnswerWaiters(Live& live, const absl::Status& status);
  // Writes a session and its entries in the audit log, in one transaction. Blocks.
  absl::Status Write(const v1::Session& session, const std::vector<AuditEntry>& entries);
  void ForgetIfDone(const std::string& id);
  // Tells the caller of Shutdown when nothing is left to end or to write.
  void FinishStop();
  // Runs `work` on the store's executor; false if that is impossible.
  bool OnStore(Task work) { return support_.store_executor.Post(std::move(work)); }
  // Audits, then calls `done` with `result`, or with the audit's failure.
  void AuditThen(AuditEntry entry, Callback done, absl::StatusOr<v1::Session> result);

  const SessionSupport support_;
  const SessionCoordinatorOptions options_;
  RateLimiter rate_limiter_;
  std::map<std::string, std::unique_ptr<Live>, std::less<>> live_;
  // Devices without a connection, each with the edge whose link they lost it with.
  std::map<std::string, std::string, std::less<>> behind_lost_links_;
  // By name.
  std::map<std::string, v1::Icg, std::less<>> icgs_;
  bool stopping_ = false;
  absl::AnyInvocable<void()> on_stopped_;
  mutable absl::Mutex addresses_mutex_;
  std::map<std::string, std::string, std::less<>> console_addresses_
      ABSL_GUARDED_BY(addresses_mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SESSION_COORDINATOR_H_
