// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Services on a real gRPC server, that answer by what they are asked for. For the tests of the
// adapters and of the bridge.
#ifndef FAIRLEAD_GATEWAY_TESTING_FAKE_SERVICES_H_
#define FAIRLEAD_GATEWAY_TESTING_FAKE_SERVICES_H_

#include <grpcpp/server_context.h>

#include <atomic>
#include <string>

#include "absl/synchronization/mutex.h"
#include "proto/device.grpc.pb.h"
#include "proto/session.grpc.pb.h"

namespace fairlead::gateway {

// What a call came with.
struct SeenCall {
  std::string peer;
  std::string authorization;
  std::string peer_address;
};

// GetSession and WatchSession understand these names:
//   sessions/code-N   fails with code N, the message "code N on sessions/code-N" and an ErrorInfo
//   sessions/slow     never ends by itself
//   sessions/count-N  (watch) N messages, then OK
//   sessions/text-T   (watch) fails with INTERNAL and 200 times T as message
//   others            answered with a session of that name
// Thread: any.
class FakeSessions : public v1::SessionService::CallbackService {
 public:
  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* context,
                                          const v1::CreateSessionRequest* request,
                                          v1::Session* response) override;
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const v1::GetSessionRequest* request,
                                       v1::Session* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;
  grpc::ServerWriteReactor<v1::Session>* WatchSession(
      grpc::CallbackServerContext* context, const v1::WatchSessionRequest* request) override;

  // The call before.
  SeenCall last() const;

  std::atomic<int> started{0};
  std::atomic<int> cancelled{0};
  // Messages whose writing has completed, of all watches.
  std::atomic<int> written{0};

 private:
  void See(const grpc::CallbackServerContext& context);

  mutable absl::Mutex mutex_;
  SeenCall last_;
};

// WatchDevices tells of one device, whose name is the filter, unless changes_only leaves it out and
// has it counted; then it ends with OK.
class FakeDevices : public v1::DeviceService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::DeviceEvent>* WatchDevices(
      grpc::CallbackServerContext* context, const v1::WatchDevicesRequest* request) override;
};

// The status for "sessions/code-N".
grpc::Status FailureFor(const std::string& name);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_FAKE_SERVICES_H_
