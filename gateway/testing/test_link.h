// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A server's end of EdgeService.Link for tests of the edge.
#ifndef FAIRLEAD_GATEWAY_TESTING_TEST_LINK_H_
#define FAIRLEAD_GATEWAY_TESTING_TEST_LINK_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/edge.grpc.pb.h"

namespace fairlead::gateway {

// A server's end of the link, blocking, with a deadline for everything.
class TestLink {
 public:
  explicit TestLink(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::EdgeService::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    stream_ = stub_->Link(&context_);
  }
  ~TestLink() { context_.TryCancel(); }

  bool Write(const v1::EdgeCommand& command) { return stream_->Write(command); }
  bool Configure(const std::string& name) {
    v1::EdgeCommand command;
    command.mutable_configure()->set_server_name(name);
    return Write(command);
  }
  // The next event; fails the test if the stream ended.
  v1::EdgeEvent Read() {
    v1::EdgeEvent event;
    EXPECT_TRUE(stream_->Read(&event)) << "the link ended";
    return event;
  }
  // The cases of the events up to and with snapshot_complete.
  std::vector<std::string> ReadSnapshot() {
    std::vector<std::string> told;
    v1::EdgeEvent event;
    while (stream_->Read(&event)) {
      told.push_back(event.GetDescriptor()->FindFieldByNumber(event.event_case())->name());
      if (event.has_snapshot_complete()) break;
    }
    return told;
  }
  // Reads to the end; gives the status and counts the events before it.
  grpc::Status Finish(int* events = nullptr) {
    v1::EdgeEvent event;
    while (stream_->Read(&event)) {
      if (events != nullptr) ++*events;
    }
    return stream_->Finish();
  }
  void HangUp() { stream_->WritesDone(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::EdgeService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::EdgeCommand, v1::EdgeEvent>> stream_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_TEST_LINK_H_
