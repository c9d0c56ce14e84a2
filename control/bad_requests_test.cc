// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Requests that are wrong, to the control plane's services on an in-process channel: each is
// refused with a sentence that names the field.
#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/testing/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/session.grpc.pb.h"

namespace fairlead::control {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kNotPlain[] = {"a\nb",      "\x1b[2J",       "a\x7f",
                                     "a\xc2\x9b", "a\xe2\x80\xae", "\xe2\x80\x8b"};

class BadRequestsTest : public ControlFixture {
 protected:
  void SetUp() override {
    ControlFixture::SetUp();
    sessions_ = v1::SessionService::NewStub(channel_);
  }

  grpc::Status Create(const std::function<void(v1::Device&)>& change) {
    v1::CreateDeviceRequest request;
    request.mutable_device()->set_unit_id("d1");
    change(*request.mutable_device());
    v1::Device device;
    return devices_->CreateDevice(NewContext().get(), request, &device);
  }
  grpc::Status Update(const std::function<void(v1::Device&)>& change) {
    v1::UpdateDeviceRequest request;
    request.mutable_device()->set_name("devices/d1");
    change(*request.mutable_device());
    v1::Device device;
    return devices_->UpdateDevice(NewContext().get(), request, &device);
  }
  static void ExpectBad(const grpc::Status& status, const std::string& words) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  }

  std::unique_ptr<v1::SessionService::Stub> sessions_;
};

TEST_F(BadRequestsTest, GetTheCodeOfWhatIsWrong) {
  v1::CreateDeviceRequest create;
  v1::Device device;
  create.mutable_device()->set_unit_id("no spaces please");
  EXPECT_EQ(devices_->CreateDevice(NewContext().get(), create, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  create.mutable_device()->set_unit_id("d1");
  create.mutable_device()->set_address("no-port");
  EXPECT_EQ(devices_->CreateDevice(NewContext().get(), create, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  create.mutable_device()->set_address("192.0.2.7:30022");
  EXPECT_TRUE(devices_->CreateDevice(NewContext().get(), create, &device).ok());
  EXPECT_EQ(devices_->CreateDevice(NewContext().get(), create, &device).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  v1::ListDevicesRequest list;
  v1::ListDevicesResponse listed;
  list.set_page_size(1001);
  EXPECT_EQ(devices_->ListDevices(NewContext().get(), list, &listed).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  v1::GetSessionRequest get;
  v1::Session session;
  get.set_name("sessions/none");
  EXPECT_EQ(sessions_->GetSession(NewContext().get(), get, &session).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::WatchSessionRequest watch;
  watch.set_name("sessions/none");
  const auto context = NewContext();
  EXPECT_EQ(sessions_->WatchSession(context.get(), watch)->Finish().error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(BadRequestsTest, ADisplayNameIsPlainText) {
  ASSERT_TRUE(Create([](v1::Device& d) { d.set_display_name("Kasse 7, B\xc3\xbcro"); }).ok());
  for (const char* name : kNotPlain) {
    ExpectBad(Create([name](v1::Device& d) { d.set_display_name(name); }), "device.display_name");
    ExpectBad(Update([name](v1::Device& d) { d.set_display_name(name); }), "device.display_name");
  }
}

TEST_F(BadRequestsTest, AUnitIdIsNoFolder) {
  for (const char* unit_id : {".", ".."}) {
    ExpectBad(Create([unit_id](v1::Device& d) { d.set_unit_id(unit_id); }), "device.unit_id");
  }
  EXPECT_TRUE(Create([](v1::Device& d) { d.set_unit_id("..."); }).ok());
}

TEST_F(BadRequestsTest, APageTokenIsOneThatAListReturned) {
  for (const char* unit_id : {"a", "b"}) {
    ASSERT_TRUE(Create([unit_id](v1::Device& d) { d.set_unit_id(unit_id); }).ok());
  }
  v1::ListDevicesRequest list;
  list.set_page_size(1);
  v1::ListDevicesResponse page;
  ASSERT_TRUE(devices_->ListDevices(NewContext().get(), list, &page).ok());
  const std::string good = page.next_page_token();
  list.set_page_token(good);
  ASSERT_TRUE(devices_->ListDevices(NewContext().get(), list, &page).ok());
  ASSERT_EQ(page.devices_size(), 1);
  EXPECT_EQ(page.devices(0).unit_id(), "b");

  for (const std::string& bad :
       {std::string("xyz"), std::string("!"), good + "=", absl::WebSafeBase64Escape("a"),
        absl::WebSafeBase64Escape("icgs/a"), absl::WebSafeBase64Escape("devices/")}) {
    list.set_page_token(bad);
    ExpectBad(devices_->ListDevices(NewContext().get(), list, &page), "page_token");
  }
}

TEST_F(BadRequestsTest, TheFieldIsCalledByItsName) {
  v1::CreateSessionRequest create;
  create.set_device("ZZ");
  v1::Session session;
  ExpectBad(sessions_->CreateSession(NewContext().get(), create, &session), "device: \"ZZ\"");
  ExpectBad(Update([](v1::Device& d) { d.set_name("ZZ"); }), "device.name: \"ZZ\"");

  ASSERT_TRUE(Create([](v1::Device&) {}).ok());
  v1::UpdateTerminalSettingsRequest settings;
  settings.set_name("devices/d1");
  std::string euros;
  for (int i = 0; i < 128; ++i) euros += "\xe2\x82\xac";
  settings.mutable_terminal_settings()->set_default_profile(euros);
  v1::TerminalSettings answer;
  EXPECT_TRUE(devices_->UpdateTerminalSettings(NewContext().get(), settings, &answer).ok());
  settings.mutable_terminal_settings()->set_default_profile(std::string(129, 'p'));
  ExpectBad(devices_->UpdateTerminalSettings(NewContext().get(), settings, &answer),
            "terminal_settings.default_profile: longer than 128 characters");
  settings.mutable_terminal_settings()->set_default_profile("a\nb");
  ExpectBad(devices_->UpdateTerminalSettings(NewContext().get(), settings, &answer),
            "terminal_settings.default_profile");
}

}  // namespace
}  // namespace fairlead::control
