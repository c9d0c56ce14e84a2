// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See session_service.h.
#include "control/session_service.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "base/utf8.h"
#include "control/filter.h"
#include "control/session_request.h"
#include "control/watch_stream.h"

namespace fairlead::control {
namespace {

// One CreateSession: like UnaryCall, but waits for the session without a thread, and tells the
// coordinator when the caller gives up.
class CreateCall : public grpc::ServerUnaryReactor {
 public:
  CreateCall(SessionCoordinator& coordinator, v1::Session* response)
      : coordinator_(coordinator), response_(response), id_(RandomId()) {}

  // Worker thread.
  void Begin(const CallSupport& support, const grpc::CallbackServerContext& context,
             const v1::CreateSessionRequest& request) {
    const absl::StatusOr<Caller> caller = support.authenticator.Authenticate(context);
    if (!caller.ok()) return Finish(ToGrpcStatus(caller.status()));
    const std::shared_ptr<std::atomic<bool>> cancelled = cancelled_;
    SessionCoordinator& coordinator = coordinator_;
    const std::string id = id_;
    // This object may be gone as soon as the session was asked for.
    coordinator.Open({caller->user, caller->peer_address}, request, id,
                     [this](absl::StatusOr<v1::Session> session) { Answer(std::move(session)); });
    if (cancelled->load()) coordinator.Abandon(id);
  }

 private:
  void Answer(absl::StatusOr<v1::Session> session) {
    if (session.ok()) *response_ = *std::move(session);
    Finish(ToGrpcStatus(session.status()));
  }

  void OnCancel() override {
    cancelled_->store(true);
    coordinator_.Abandon(id_);
  }
  void OnDone() override { delete this; }

  SessionCoordinator& coordinator_;
  v1::Session* const response_;
  const std::string id_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

// A call that ends when the coordinator has answered.
class TerminateCall : public grpc::ServerUnaryReactor {
 public:
  explicit TerminateCall(v1::Session* response) : response_(response) {}

  void Answer(absl::StatusOr<v1::Session> session) {
    if (session.ok()) *response_ = *std::move(session);
    Finish(ToGrpcStatus(session.status()));
  }

 private:
  void OnDone() override { delete this; }

  v1::Session* const response_;
};

// Follows one session for one call.
class SessionWatch : public WatchStream<v1::Session>, private SessionWatcher {
 public:
  SessionWatch(SessionBoard& board, std::string name)
      : WatchStream(SlowWatch::kSkipForward), board_(board), name_(std::move(name)) {}

  // False if the session is not live.
  bool Begin() { return board_.Watch(name_, this); }

  void OnSession(const v1::Session& session) override {
    Push(session);
    if (session.state() == v1::Session::ENDED) Close(absl::OkStatus());
  }

 private:
  void Unsubscribe() override { board_.Unwatch(name_, this); }

  SessionBoard& board_;
  const std::string name_;
};

absl::Status CheckTerminate(const v1::TerminateSessionRequest& request) {
  FAIRLEAD_RETURN_IF_ERROR(ParseName(request.name(), "sessions").status());
  if (CountCharacters(request.reason()) <= kMaxReasonCharacters) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("reason: longer than ", kMaxReasonCharacters, " characters; shorten it"));
}

}  // namespace

grpc::ServerUnaryReactor* SessionService::CreateSession(grpc::CallbackServerContext* context,
                                                        const v1::CreateSessionRequest* request,
                                                        v1::Session* response) {
  auto* call = new CreateCall(coordinator_, response);
  const bool posted = support_.workers.Post(
      [this, call, context, request]() { call->Begin(support_, *context, *request); });
  if (!posted) call->Finish(ToGrpcStatus(WorkersBusy()));
  return call;
}

grpc::ServerUnaryReactor* SessionService::GetSession(grpc::CallbackServerContext* context,
                                                     const v1::GetSessionRequest* request,
                                                     v1::Session* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller&, const v1::GetSessionRequest& asked,
                          v1::Session* answer) -> absl::Status {
                     FAIRLEAD_ASSIGN_OR_RETURN(*answer, Get(asked.name()));
                     return absl::OkStatus();
                   });
}

grpc::ServerUnaryReactor* SessionService::ListSessions(grpc::CallbackServerContext* context,
                                                       const v1::ListSessionsRequest* request,
                                                       v1::ListSessionsResponse* response) {
  return UnaryCall(support_, context, request, response,
                   [this](const Caller&, const v1::ListSessionsRequest& asked,
                          v1::ListSessionsResponse* answer) { return List(asked, answer); });
}

grpc::ServerWriteReactor<v1::Session>* SessionService::WatchSession(
    grpc::CallbackServerContext* context, const v1::WatchSessionRequest* request) {
  auto* watch = new SessionWatch(board_, request->name());
  const auto set_up = [this, context, request, watch]() -> absl::Status {
    FAIRLEAD_ASSIGN_OR_RETURN(const Caller caller, support_.authenticator.Authenticate(*context));
    watch->CheckEvery(support_.workers, watches_.token_check_interval,
                      [support = watches_, token = caller.token_sha256]() {
                        return CheckTokenStillGood(support, token);
                      });
    if (watch->Begin()) return absl::OkStatus();
    FAIRLEAD_ASSIGN_OR_RETURN(const v1::Session session, Get(request->name()));
    watch->OnSession(session);
    return absl::OkStatus();
  };
  const bool posted = support_.workers.Post([watch, set_up]() {
    const absl::Status status = set_up();
    if (!status.ok()) watch->Close(status);
    watch->EndSetup();
  });
  if (!posted) {
    watch->Close(WorkersBusy());
    watch->EndSetup();
  }
  return watch;
}

grpc::ServerUnaryReactor* SessionService::TerminateSession(
    grpc::CallbackServerContext* context, const v1::TerminateSessionRequest* request,
    v1::Session* response) {
  auto* call = new TerminateCall(response);
  const bool posted = support_.workers.Post([this, call, context, request]() {
    const absl::StatusOr<Caller> caller = support_.authenticator.Authenticate(*context);
    if (!caller.ok()) return call->Answer(caller.status());
    const absl::Status checked = CheckTerminate(*request);
    if (!checked.ok()) return call->Answer(checked);
    coordinator_.Terminate(
        {caller->user, caller->peer_address}, request->name(), request->reason(),
        [call](absl::StatusOr<v1::Session> session) { call->Answer(std::move(session)); });
  });
  if (!posted) call->Answer(WorkersBusy());
  return call;
}

absl::StatusOr<v1::Session> SessionService::Get(const std::string& name) {
  FAIRLEAD_RETURN_IF_ERROR(ParseName(name, "sessions").status());
  const absl::optional<v1::Session> live = board_.Find(name);
  if (live.has_value()) return *live;
  return store_.GetSession(name);
}

absl::Status SessionService::List(const v1::ListSessionsRequest& request,
                                  v1::ListSessionsResponse* response) {
  FAIRLEAD_ASSIGN_OR_RETURN(const Page page, ParsePage(request.page_size(), request.page_token()));
  FAIRLEAD_ASSIGN_OR_RETURN(const SessionFilter filter, SessionFilter::Parse(request.filter()));
  // The store may be a moment behind for sessions that are live.
  const auto latest = [this](const v1::Session& stored) {
    return board_.Find(stored.name()).value_or(stored);
  };
  FAIRLEAD_ASSIGN_OR_RETURN(
      const std::vector<v1::Session> sessions,
      store_.ListSessions(
          page, [&](const v1::Session& stored) { return filter.Matches(latest(stored)); },
          response->mutable_next_page_token()));
  for (const v1::Session& session : sessions) *response->add_sessions() = latest(session);
  return absl::OkStatus();
}

}  // namespace fairlead::control
