// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The device service beside an audit log that fails: no change of a device without its record,
// neither in the store nor in the directory, and no record of a change that was not made.
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "control/device_service.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/device.grpc.pb.h"

namespace fairlead::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BossAuthenticator : public Authenticator {
 public:
  absl::StatusOr<Caller> Authenticate(const grpc::CallbackServerContext&) const override {
    Caller caller;
    caller.user = "users/boss";
    return caller;
  }
  Caller Anonymous(const grpc::CallbackServerContext&) const override { return Caller(); }
};

// A change of the device by one method of the service.
struct Change {
  const char* action;
  std::function<grpc::Status(v1::DeviceService::Stub&, grpc::ClientContext*)> call;
};

std::vector<Change> Changes(const std::string& unit_id) {
  const std::string name = "devices/" + unit_id;
  const auto update = [name](v1::DeviceService::Stub& stub, grpc::ClientContext* context) {
    v1::UpdateDeviceRequest request;
    request.mutable_device()->set_name(name);
    request.mutable_device()->set_display_name("till");
    request.mutable_device()->set_address("192.0.2.7:30022");
    v1::Device device;
    return stub.UpdateDevice(context, request, &device);
  };
  const auto change_tags = [name](v1::DeviceService::Stub& stub, grpc::ClientContext* context) {
    v1::ChangeDeviceTagsRequest request;
    request.set_name(name);
    request.add_add("berlin");
    v1::Device device;
    return stub.ChangeDeviceTags(context, request, &device);
  };
  const auto update_settings = [name](v1::DeviceService::Stub& stub, grpc::ClientContext* context) {
    v1::UpdateTerminalSettingsRequest request;
    request.set_name(name);
    request.mutable_terminal_settings()->set_max_sessions(3);
    v1::TerminalSettings settings;
    return stub.UpdateTerminalSettings(context, request, &settings);
  };
  const auto remove = [name](v1::DeviceService::Stub& stub, grpc::ClientContext* context) {
    v1::DeleteDeviceRequest request;
    request.set_name(name);
    v1::DeleteDeviceResponse response;
    return stub.DeleteDevice(context, request, &response);
  };
  const auto create = [](v1::DeviceService::Stub& stub, grpc::ClientContext* context) {
    v1::CreateDeviceRequest request;
    request.mutable_device()->set_unit_id("new");
    v1::Device device;
    return stub.CreateDevice(context, request, &device);
  };
  return {{"device.create", create},
          {"device.update", update},
          {"device.change_tags", change_tags},
          {"device.update_terminal_settings", update_settings},
          {"device.delete", remove}};
}

class DeviceAuditTest : public SessionFixture {
 protected:
  DeviceAuditTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    grpc_server_ = builder.BuildAndStart();
    stub_ = v1::DeviceService::NewStub(grpc_server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~DeviceAuditTest() override {
    grpc_server_->Shutdown();
    workers_.Stop();
  }

  grpc::Status Call(const Change& change) {
    grpc::ClientContext context;
    return change.call(*stub_, &context);
  }
  static std::vector<std::string> Texts(const std::vector<v1::Device>& devices) {
    std::vector<std::string> texts;
    for (const v1::Device& device : devices) texts.push_back(device.DebugString());
    return texts;
  }
  std::vector<std::string> InDirectory() {
    std::string next_token;
    return Texts(directory().List(DeviceFilter(), Page(), &next_token).value());
  }
  std::vector<std::string> InStore() { return Texts(store_.AllDevices().value()); }

  BossAuthenticator authenticator_;
  ThreadExecutor workers_{"workers", 1, 100};
  CallSupport calls_{workers_, authenticator_};
  DeviceService service_{calls_,  {store_, clock_}, directory(),
                         edges(), sessions(),       server_->audit};
  std::unique_ptr<grpc::Server> grpc_server_;
  std::unique_ptr<v1::DeviceService::Stub> stub_;
};

TEST_F(DeviceAuditTest, NoChangeIsMadeWithoutItsRecord) {
  const std::vector<std::string> in_directory = InDirectory();
  const std::vector<std::string> in_store = InStore();
  store_.FailAudits(absl::InternalError("disk full"));

  for (const Change& change : Changes(kUnit)) {
    SCOPED_TRACE(change.action);
    EXPECT_EQ(Call(change).error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(InDirectory(), in_directory);
    EXPECT_EQ(InStore(), in_store);
    EXPECT_THAT(store_.AuditLines(), IsEmpty());
  }
}

TEST_F(DeviceAuditTest, NoRecordIsKeptOfAChangeThatWasNotMade) {
  for (const Change& change : Changes("another")) {
    if (std::string(change.action) == "device.create") continue;
    EXPECT_EQ(Call(change).error_code(), grpc::StatusCode::NOT_FOUND) << change.action;
  }
  EXPECT_THAT(store_.AuditLines(), IsEmpty());
}

TEST_F(DeviceAuditTest, EachChangeHasOneRecord) {
  for (const Change& change : Changes(kUnit)) {
    EXPECT_TRUE(Call(change).ok()) << change.action;
  }

  EXPECT_THAT(
      store_.AuditLines(),
      ElementsAre("users/boss device.create SUCCEEDED", "users/boss device.update SUCCEEDED",
                  "users/boss device.change_tags SUCCEEDED",
                  "users/boss device.update_terminal_settings SUCCEEDED",
                  "users/boss device.delete SUCCEEDED"));
  EXPECT_EQ(store_.audit()[2].detail(), "now berlin");
  EXPECT_EQ(store_.audit()[2].resource(), "devices/00E0C514325B");
}

}  // namespace
}  // namespace fairlead::control
