// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What every service of control does with a call: find out who calls, run the work on the worker
// threads, and turn its status into gRPC's. Services stay thin functions of caller and request.
#ifndef FAIRLEAD_CONTROL_CALL_H_
#define FAIRLEAD_CONTROL_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/executor.h"

namespace fairlead::control {

// Who calls.
struct Caller {
  // "users/admin"; "anonymous" for a method that takes anyone.
  std::string user;
  std::vector<std::string> roles;
  // The network address the call came from.
  std::string peer_address;
  // SHA-256 of the bearer token; empty for none.
  std::string token_sha256;
  absl::Time expire_time;
};

// Finds out who calls, from the call's metadata and its connection.
// Thread: worker threads (it may read the store).
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // Errors: UNAUTHENTICATED no token, or one that is unknown, expired or revoked: log in again.
  virtual absl::StatusOr<Caller> Authenticate(const grpc::CallbackServerContext& context) const = 0;

  // The caller of a method that takes anyone: only the address is filled.
  virtual Caller Anonymous(const grpc::CallbackServerContext& context) const = 0;
};

// OK, or gRPC's status with the same code and message and, if there is a reason, an ErrorInfo
// (proto/error.proto) in a fairlead.v1.Status as error details.
grpc::Status ToGrpcStatus(const absl::Status& status);

// What services share. Lifetime: outlives every service.
struct CallSupport {
  // Runs calls; more than one thread. Blocking store calls are allowed on it.
  Executor& workers;
  const Authenticator& authenticator;
};

// The answer when the workers' queue is full or they are stopped.
absl::Status WorkersBusy();

// Answers a unary call with `work(caller, request, response)`, an absl::Status, run on the workers
// after the caller's token was checked.
template <typename Request, typename Response, typename Work>
grpc::ServerUnaryReactor* UnaryCall(const CallSupport& support,
                                    grpc::CallbackServerContext* context, const Request* request,
                                    Response* response, Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const Authenticator* authenticator = &support.authenticator;
  const bool posted = support.workers.Post([=, work = std::move(work)]() mutable {
    absl::StatusOr<Caller> caller = authenticator->Authenticate(*context);
    reactor->Finish(
        ToGrpcStatus(caller.ok() ? work(*caller, *request, response) : caller.status()));
  });
  if (!posted) reactor->Finish(ToGrpcStatus(WorkersBusy()));
  return reactor;
}

// The same for a method that takes anyone.
template <typename Request, typename Response, typename Work>
grpc::ServerUnaryReactor* AnonymousUnaryCall(const CallSupport& support,
                                             grpc::CallbackServerContext* context,
                                             const Request* request, Response* response,
                                             Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const Authenticator* authenticator = &support.authenticator;
  const bool posted = support.workers.Post([=, work = std::move(work)]() mutable {
    reactor->Finish(ToGrpcStatus(work(authenticator->Anonymous(*context), *request, response)));
  });
  if (!posted) reactor->Finish(ToGrpcStatus(WorkersBusy()));
  return reactor;
}

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_CALL_H_
