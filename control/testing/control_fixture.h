// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The whole control plane with a real store, its services on an in-process channel, a fake of the
// server's own edge, and an administrator who is logged in.
#ifndef FAIRLEAD_CONTROL_TESTING_CONTROL_FIXTURE_H_
#define FAIRLEAD_CONTROL_TESTING_CONTROL_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/control.h"
#include "control/testing/fake_edge_service.h"
#include "gtest/gtest.h"
#include "proto/auth.grpc.pb.h"
#include "proto/device.grpc.pb.h"

namespace fairlead::control {

inline constexpr char kUnit[] = "00E0C514325B";

class ControlFixture : public ::testing::Test {
 protected:
  ~ControlFixture() override { Stop(); }

  void SetUp() override { Start(); }

  virtual ControlOptions Options() {
    ControlOptions options;
    options.state_dir =
        absl::StrCat(::testing::TempDir(), "/control_", getpid(), "_",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name());
    options.admin_password = kPassword;
    return options;
  }

  void Start() {
    auto control = Control::Create(Options());
    ASSERT_THAT(control, IsOk());
    control_ = *std::move(control);
    grpc::ServerBuilder builder;
    for (grpc::Service* service : control_->services()) builder.RegisterService(service);
    builder.RegisterService(&edge_);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
    control_->SetPublicAddress("ums.example:443");
    ASSERT_THAT(control_->Start(channel_), IsOk());
    devices_ = v1::DeviceService::NewStub(channel_);
    Login();
  }
  void Stop() {
    if (control_ == nullptr) return;
    control_->Stop();
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now());
      server_->Wait();
    }
    server_.reset();
    control_.reset();
  }

  void Login() {
    grpc::ClientContext context;
    v1::LoginRequest request;
    request.set_username("admin");
    request.set_password(kPassword);
    v1::LoginResponse response;
    const grpc::Status status =
        v1::AuthService::NewStub(channel_)->Login(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    token_ = response.access_token();
  }
  std::unique_ptr<grpc::ClientContext> NewContext() {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", absl::StrCat("Bearer ", token_));
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    return context;
  }

  void CreateDevice() {
    v1::CreateDeviceRequest request;
    request.mutable_device()->set_unit_id(kUnit);
    v1::Device device;
    const grpc::Status status = devices_->CreateDevice(NewContext().get(), request, &device);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  FakeEdgeService edge_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DeviceService::Stub> devices_;
  std::string token_;

 private:
  static constexpr char kPassword[] = "correct horse battery";
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_TESTING_CONTROL_FIXTURE_H_
