// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An edge for tests: keeps what it is told and says what the test wants. Serves one link at a time.
#ifndef FAIRLEAD_CONTROL_TESTING_FAKE_EDGE_SERVICE_H_
#define FAIRLEAD_CONTROL_TESTING_FAKE_EDGE_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::control {

// Thread: any.
class FakeEdgeService : public v1::EdgeService::Service {
 public:
  // Whether a new link is greeted, as an edge does, with an empty snapshot.
  explicit FakeEdgeService(bool greets = true) : greets_(greets) {}

  grpc::Status Link(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::EdgeEvent, v1::EdgeCommand>* stream) override {
    v1::EdgeCommand command;
    if (!stream->Read(&command)) return grpc::Status::OK;
    // Before the test can say anything: nothing may come before the hello.
    if (greets_) Greet(stream);
    {
      absl::MutexLock lock(&mutex_);
      context_ = context;
      stream_ = stream;
      ++links_;
      commands_.push_back(command);
    }
    while (stream->Read(&command)) {
      absl::MutexLock lock(&mutex_);
      commands_.push_back(command);
    }
    absl::MutexLock lock(&mutex_);
    stream_ = nullptr;
    context_ = nullptr;
    return grpc::Status::OK;
  }

  // Takes the next command of a kind, dropping those before it. Ends the test if none comes.
  v1::EdgeCommand Await(v1::EdgeCommand::CommandCase kind) {
    absl::MutexLock lock(&mutex_);
    while (true) {
      AwaitOrDie([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !commands_.empty(); });
      v1::EdgeCommand command = commands_.front();
      commands_.pop_front();
      if (command.command_case() == kind) return command;
    }
  }
  v1::ServerMessage AwaitMessage(v1::ServerMessage::MessageCase kind) {
    while (true) {
      v1::EdgeCommand command = Await(v1::EdgeCommand::kDeviceCommand);
      if (command.device_command().message().message_case() == kind) {
        return command.device_command().message();
      }
    }
  }
  // Waits until as many links have been opened in all.
  void AwaitLinks(int count) {
    absl::MutexLock lock(&mutex_);
    AwaitOrDie([this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return links_ >= count && stream_ != nullptr;
    });
  }

  void Send(const v1::EdgeEvent& event) {
    absl::MutexLock lock(&mutex_);
    AwaitOrDie([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stream_ != nullptr; });
    stream_->Write(event);
  }
  void Tunnel(const std::string& id, v1::TunnelEvent::Type type,
              v1::TunnelEvent::Side by = v1::TunnelEvent::SIDE_UNSPECIFIED,
              std::uint32_t code = 0) {
    v1::EdgeEvent event;
    event.mutable_tunnel_event()->set_session_id(id);
    event.mutable_tunnel_event()->set_type(type);
    event.mutable_tunnel_event()->set_ended_by(by);
    event.mutable_tunnel_event()->set_close_code(code);
    Send(event);
  }
  void Connect(const std::string& unit_id, std::uint64_t connection_id = 1) {
    v1::EdgeEvent event;
    event.mutable_device_connected()->set_unit_id(unit_id);
    event.mutable_device_connected()->set_connection_id(connection_id);
    event.mutable_device_connected()->mutable_hello()->set_os_generation(v1::Device::OS_12);
    Send(event);
  }

  // Ends the link as a lost connection would.
  void Break() {
    absl::MutexLock lock(&mutex_);
    AwaitOrDie([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return context_ != nullptr; });
    context_->TryCancel();
  }

 private:
  template <typename Predicate>
  void AwaitOrDie(Predicate predicate) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (mutex_.AwaitWithTimeout(absl::Condition(&predicate), absl::Seconds(20))) return;
    spdlog::critical("the fake edge waited in vain");
    std::abort();
  }

  static void Greet(grpc::ServerReaderWriter<v1::EdgeEvent, v1::EdgeCommand>* stream) {
    v1::EdgeEvent event;
    event.mutable_hello()->set_boot_id("boot");
    stream->Write(event);
    event.mutable_snapshot_complete();
    stream->Write(event);
  }

  const bool greets_;
  absl::Mutex mutex_;
  grpc::ServerContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  grpc::ServerReaderWriter<v1::EdgeEvent, v1::EdgeCommand>* stream_ ABSL_GUARDED_BY(mutex_) =
      nullptr;
  int links_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<v1::EdgeCommand> commands_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_FAKE_EDGE_SERVICE_H_
