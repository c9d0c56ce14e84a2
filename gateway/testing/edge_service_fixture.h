// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An EdgeServer behind a real gRPC server in this process, and actions that remember what they were
// told to do.
#ifndef FAIRLEAD_GATEWAY_TESTING_EDGE_SERVICE_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_EDGE_SERVICE_FIXTURE_H_

#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "gateway/edge_service.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/test_link.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/server_posix.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {

// Remembers what it was told to do.
class FakeActions : public EdgeActions {
 public:
  void Configure(const v1::EdgeConfiguration& configuration) override {
    Note("configure " + configuration.server_name());
  }
  absl::Status RegisterSession(const v1::RegisterSession& session) override {
    Note("register " + session.session_id());
    absl::MutexLock lock(&mutex_);
    return registration_;
  }
  void EndSession(const v1::EndSession& end) override { Note("end " + end.session_id()); }
  void SendToDevice(const v1::DeviceCommand& command) override {
    Note("send " + command.unit_id());
  }
  void DropDevice(const v1::DropDevice& drop) override { Note("drop " + drop.unit_id()); }
  void DialDevice(const v1::DialDevice& dial) override { Note("dial " + dial.unit_id()); }
  void ProbeDevice(const v1::ProbeDevice& probe) override { Note("probe " + probe.unit_id()); }
  void ForwardConsole(const v1::ForwardConsole& forward) override {
    Note("forward " + forward.session_id());
  }

  void FailRegistration(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    registration_ = std::move(status);
  }
  // Waits until `count` things were done, and gives them.
  std::vector<std::string> Await(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    wanted_ = count;
    mutex_.AwaitWithTimeout(absl::Condition(this, &FakeActions::Enough), absl::Seconds(10));
    return done_;
  }

 private:
  void Note(std::string what) {
    absl::MutexLock lock(&mutex_);
    done_.push_back(std::move(what));
  }
  bool Enough() const { return done_.size() >= wanted_; }

  absl::Mutex mutex_;
  std::vector<std::string> done_;
  std::size_t wanted_ = 0;
  absl::Status registration_;
};

// Who calls over a channel that is not in-process.
class FakeResolver : public CallPeerResolver {
 public:
  absl::optional<CallPeer> Resolve(absl::string_view peer) const override {
    if (peer.substr(0, 3) != "fd:" || uris.empty()) return absl::nullopt;
    return CallPeer{"192.0.2.1:4711", uris};
  }
  std::vector<std::string> uris;
};

inline v1::EdgeEvent Connected(const std::string& unit_id, std::uint64_t connection_id) {
  v1::EdgeEvent event;
  event.mutable_device_connected()->set_unit_id(unit_id);
  event.mutable_device_connected()->set_connection_id(connection_id);
  return event;
}

class EdgeServiceFixture : public ::testing::Test {
 protected:
  EdgeServiceFixture() { Restart(); }
  ~EdgeServiceFixture() override { Stop(); }

  void Stop() {
    if (server_ == nullptr) return;
    edge_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    server_.reset();
    edge_.reset();
  }
  void Restart() {
    Stop();
    edge_ = std::make_unique<EdgeServer>(resolver_, clock_, io_.get_executor(), options_);
    edge_->SetActions(&actions_);
    grpc::ServerBuilder builder;
    builder.RegisterService(edge_->service());
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
  }
  // A channel that is not in-process: the caller's certificate counts.
  std::shared_ptr<grpc::Channel> Dial() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    grpc::AddInsecureChannelFromFd(server_.get(), ends[0]);
    return grpc::CreateInsecureChannelFromFd("edge", ends[1]);
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  FakeResolver resolver_;
  FakeActions actions_;
  EdgeServerOptions options_;
  std::unique_ptr<EdgeServer> edge_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_EDGE_SERVICE_FIXTURE_H_
