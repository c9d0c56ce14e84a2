// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The control plane as a whole, by its services on an in-process channel, with a fake edge and a
// real store: access, devices, sessions, watches, start and stop.
#include "control/control.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "control/testing/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/audit.grpc.pb.h"
#include "proto/enrollment.grpc.pb.h"
#include "proto/icg.grpc.pb.h"
#include "proto/options.pb.h"
#include "proto/role.grpc.pb.h"
#include "proto/session.grpc.pb.h"
#include "proto/user.grpc.pb.h"

namespace fairlead::control {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ControlTest : public ControlFixture {
 protected:
  void SetUp() override {
    ControlFixture::SetUp();
    sessions_ = v1::SessionService::NewStub(channel_);
  }

  ControlOptions Options() override {
    ControlOptions options = ControlFixture::Options();
    options.token_check_interval = absl::Milliseconds(10);
    return options;
  }

  void Logout() {
    const auto context = NewContext();
    v1::LogoutResponse response;
    EXPECT_TRUE(v1::AuthService::NewStub(channel_)
                    ->Logout(context.get(), v1::LogoutRequest(), &response)
                    .ok());
  }

  // A device that is online.
  void ConnectDevice() {
    CreateDevice();
    edge_.Connect(kUnit);
    EXPECT_EQ(edge_.AwaitMessage(v1::ServerMessage::kWelcome).welcome().unit_id(), kUnit);
  }

  std::future<grpc::Status> CreateLater(v1::Session* session) {
    return std::async(std::launch::async, [this, session]() {
      v1::CreateSessionRequest request;
      request.set_device(absl::StrCat("devices/", kUnit));
      request.set_reason("why not");
      return sessions_->CreateSession(NewContext().get(), request, session);
    });
  }
  v1::Session CreateSession() {
    v1::Session session;
    std::future<grpc::Status> created = CreateLater(&session);
    const std::string id =
        edge_.Await(v1::EdgeCommand::kRegisterSession).register_session().session_id();
    edge_.Tunnel(id, v1::TunnelEvent::DEVICE_ATTACHED);
    const grpc::Status status = created.get();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return session;
  }
  // The details of the audit log's events of `action`, newest first.
  std::vector<std::string> AuditDetails(const std::string& action) {
    v1::ListAuditEventsRequest request;
    request.set_filter(absl::StrCat("action=", action));
    v1::ListAuditEventsResponse response;
    EXPECT_TRUE(v1::AuditService::NewStub(channel_)
                    ->ListAuditEvents(NewContext().get(), request, &response)
                    .ok());
    std::vector<std::string> details;
    for (const v1::AuditEvent& event : response.audit_events()) details.push_back(event.detail());
    return details;
  }
  static std::string IdOf(const v1::Session& session) { return session.name().substr(9); }

  std::unique_ptr<v1::SessionService::Stub> sessions_;
};

// Calls a method, streaming or not, without a token.
grpc::Status CallWithoutToken(grpc::ChannelInterface* channel,
                              const google::protobuf::MethodDescriptor& method) {
  const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
  const grpc::internal::RpcMethod rpc(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  const grpc::Slice empty("");
  request = grpc::ByteBuffer(&empty, 1);
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      channel, rpc, &context, request, &response);
}

TEST_F(ControlTest, EveryMethodButTheAnonymousOnesRefusesWithoutAToken) {
  int checked = 0;
  for (const google::protobuf::FileDescriptor* file :
       {v1::LoginRequest::descriptor()->file(), v1::Device::descriptor()->file(),
        v1::Session::descriptor()->file(), v1::FirstAuthenticationKey::descriptor()->file(),
        v1::Icg::descriptor()->file(), v1::User::descriptor()->file(),
        v1::Role::descriptor()->file(), v1::AuditEvent::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const google::protobuf::MethodDescriptor& method = *file->service(i)->method(j);
        const v1::AccessRule::Access access =
            method.options().GetExtension(v1::access_rule).access();
        if (access != v1::AccessRule::ACCESS_UNSPECIFIED) continue;
        const grpc::Status status = CallWithoutToken(channel_.get(), method);
        EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
            << method.full_name() << ": " << status.error_message();
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 20);
}

TEST_F(ControlTest, ASessionFromRequestToEnd) {
  ConnectDevice();

  const v1::Session session = CreateSession();
  EXPECT_EQ(session.console_ticket().size(), 43u);
  EXPECT_EQ(session.console_url(), "wss://ums.example:443/console-connector/terminal");
  const auto context = NewContext();
  v1::WatchSessionRequest watch;
  watch.set_name(session.name());
  const auto reader = sessions_->WatchSession(context.get(), watch);
  v1::Session seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.state(), v1::Session::OPENING);
  EXPECT_FALSE(seen.has_console_ticket());
  edge_.Tunnel(IdOf(session), v1::TunnelEvent::CONSOLE_ATTACHED);
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.state(), v1::Session::ACTIVE);
  edge_.Tunnel(IdOf(session), v1::TunnelEvent::ENDED, v1::TunnelEvent::CONSOLE, 1000);
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.state(), v1::Session::ENDED);
  EXPECT_EQ(seen.end().cause(), v1::SessionEnd::CONSOLE_CLOSED);
  EXPECT_FALSE(reader->Read(&seen));
  EXPECT_TRUE(reader->Finish().ok());

  v1::GetSessionRequest get;
  get.set_name(session.name());
  v1::Session got;
  ASSERT_TRUE(sessions_->GetSession(NewContext().get(), get, &got).ok());
  EXPECT_EQ(got.state(), v1::Session::ENDED);
  v1::ListSessionsRequest list;
  list.set_filter("state=ENDED");
  v1::ListSessionsResponse listed;
  ASSERT_TRUE(sessions_->ListSessions(NewContext().get(), list, &listed).ok());
  EXPECT_EQ(listed.sessions_size(), 1);
}

TEST_F(ControlTest, ACallerThatCancelsEndsItsSession) {
  ConnectDevice();
  grpc::ClientContext context;
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token_));
  v1::Session session;
  std::future<grpc::Status> created = std::async(std::launch::async, [&]() {
    v1::CreateSessionRequest request;
    request.set_device(absl::StrCat("devices/", kUnit));
    return sessions_->CreateSession(&context, request, &session);
  });
  const std::string id =
      edge_.Await(v1::EdgeCommand::kRegisterSession).register_session().session_id();

  context.TryCancel();

  EXPECT_EQ(created.get().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(edge_.Await(v1::EdgeCommand::kEndSession).end_session().session_id(), id);
}

TEST_F(ControlTest, TerminatingReturnsTheEndedSession) {
  ConnectDevice();
  const v1::Session session = CreateSession();
  edge_.Tunnel(IdOf(session), v1::TunnelEvent::CONSOLE_ATTACHED);

  std::future<grpc::Status> terminated;
  v1::Session ended;
  terminated = std::async(std::launch::async, [&]() {
    v1::TerminateSessionRequest request;
    request.set_name(session.name());
    return sessions_->TerminateSession(NewContext().get(), request, &ended);
  });
  edge_.Await(v1::EdgeCommand::kEndSession);
  edge_.Tunnel(IdOf(session), v1::TunnelEvent::ENDED, v1::TunnelEvent::SIDE_UNSPECIFIED, 4410);

  EXPECT_TRUE(terminated.get().ok());
  EXPECT_EQ(ended.state(), v1::Session::ENDED);
  EXPECT_EQ(ended.end().cause(), v1::SessionEnd::TERMINATED);
}

TEST_F(ControlTest, AnOfflineDeviceFailsAtOnce) {
  CreateDevice();
  v1::CreateSessionRequest request;
  request.set_device(absl::StrCat("devices/", kUnit));
  v1::Session session;

  const grpc::Status status = sessions_->CreateSession(NewContext().get(), request, &session);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr(kUnit));
}

TEST_F(ControlTest, WatchingDevicesShowsEachChange) {
  const auto context = NewContext();
  const auto reader = devices_->WatchDevices(context.get(), v1::WatchDevicesRequest());
  v1::DeviceEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::DeviceEvent::SNAPSHOT_COMPLETE);

  CreateDevice();
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.device().connection().state(), v1::Connection::OFFLINE);
  edge_.Connect(kUnit);
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.device().connection().state(), v1::Connection::ONLINE);
  v1::DeleteDeviceRequest request;
  request.set_name(absl::StrCat("devices/", kUnit));
  v1::DeleteDeviceResponse deleted;
  ASSERT_TRUE(devices_->DeleteDevice(NewContext().get(), request, &deleted).ok());
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::DeviceEvent::DELETED);
  EXPECT_EQ(edge_.Await(v1::EdgeCommand::kDropDevice).drop_device().unit_id(), kUnit);

  context->TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ControlTest, AWatchEndsWhenItsTokenIsRevoked) {
  const auto context = NewContext();
  const auto reader = devices_->WatchDevices(context.get(), v1::WatchDevicesRequest());
  v1::DeviceEvent event;
  ASSERT_TRUE(reader->Read(&event));

  Logout();

  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(ControlTest, ADeviceWatcherThatDoesNotReadIsEnded) {
  CreateDevice();
  const auto context = NewContext();
  const auto reader = devices_->WatchDevices(context.get(), v1::WatchDevicesRequest());
  v1::UpdateDeviceRequest request;
  request.mutable_device()->set_name(absl::StrCat("devices/", kUnit));
  v1::Device device;

  for (int i = 0; i < 1100; ++i) {
    request.mutable_device()->set_display_name(absl::StrCat(std::string(100, 'x'), i));
    ASSERT_TRUE(devices_->UpdateDevice(NewContext().get(), request, &device).ok());
  }

  v1::DeviceEvent event;
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ControlTest, SettingsAreKeptAndForwarded) {
  ConnectDevice();
  v1::UpdateTerminalSettingsRequest request;
  request.set_name(absl::StrCat("devices/", kUnit));
  request.mutable_terminal_settings()->set_enabled(false);
  v1::TerminalSettings settings;

  ASSERT_TRUE(devices_->UpdateTerminalSettings(NewContext().get(), request, &settings).ok());

  EXPECT_FALSE(settings.enabled());
  EXPECT_EQ(settings.max_sessions(), 16u);
  EXPECT_FALSE(edge_.AwaitMessage(v1::ServerMessage::kUpdateSettings).update_settings().enabled());
  request.mutable_terminal_settings()->set_max_sessions(0);
  EXPECT_EQ(devices_->UpdateTerminalSettings(NewContext().get(), request, &settings).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ControlTest, TagsAreChangedFilteredWatchedKeptAndAudited) {
  CreateDevice();
  const auto watching = NewContext();
  v1::WatchDevicesRequest watch;
  watch.set_filter("tag=till");
  const auto reader = devices_->WatchDevices(watching.get(), watch);
  v1::DeviceEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::DeviceEvent::SNAPSHOT_COMPLETE);
  v1::ChangeDeviceTagsRequest request;
  request.set_name(absl::StrCat("devices/", kUnit));
  request.add_add("till");
  request.add_add("Berlin");
  v1::Device device;

  ASSERT_TRUE(devices_->ChangeDeviceTags(NewContext().get(), request, &device).ok());

  EXPECT_THAT(device.tags(), ElementsAre("Berlin", "till"));
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::DeviceEvent::UPDATED);
  EXPECT_THAT(event.device().tags(), ElementsAre("Berlin", "till"));
  v1::ListDevicesRequest list;
  list.set_filter("tag=berlin");
  v1::ListDevicesResponse found;
  ASSERT_TRUE(devices_->ListDevices(NewContext().get(), list, &found).ok());
  EXPECT_EQ(found.devices_size(), 1);
  request.clear_add();
  request.add_remove("TILL");
  ASSERT_TRUE(devices_->ChangeDeviceTags(NewContext().get(), request, &device).ok());
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::DeviceEvent::DELETED);
  watching->TryCancel();
  EXPECT_THAT(AuditDetails("device.change_tags"), ElementsAre("now Berlin", "now Berlin, till"));
  request.clear_remove();
  EXPECT_EQ(devices_->ChangeDeviceTags(NewContext().get(), request, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.add_add("a b");
  EXPECT_EQ(devices_->ChangeDeviceTags(NewContext().get(), request, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.set_name("devices/NOSUCH");
  request.set_add(0, "a");
  EXPECT_EQ(devices_->ChangeDeviceTags(NewContext().get(), request, &device).error_code(),
            grpc::StatusCode::NOT_FOUND);

  Stop();
  Start();

  ASSERT_TRUE(devices_->ListDevices(NewContext().get(), list, &found).ok());
  ASSERT_EQ(found.devices_size(), 1);
  EXPECT_THAT(found.devices(0).tags(), ElementsAre("Berlin"));
}

TEST_F(ControlTest, ADeviceIsCreatedWithTags) {
  v1::CreateDeviceRequest request;
  request.mutable_device()->set_unit_id(kUnit);
  request.mutable_device()->add_tags("a,b");
  v1::Device device;
  EXPECT_EQ(devices_->CreateDevice(NewContext().get(), request, &device).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.mutable_device()->set_tags(0, "till");
  request.mutable_device()->add_tags("Berlin");

  ASSERT_TRUE(devices_->CreateDevice(NewContext().get(), request, &device).ok());

  EXPECT_THAT(device.tags(), ElementsAre("Berlin", "till"));
}

TEST_F(ControlTest, ARestartKeepsDevicesAndEndsSessions) {
  ConnectDevice();
  const v1::Session session = CreateSession();
  edge_.Tunnel(IdOf(session), v1::TunnelEvent::CONSOLE_ATTACHED);

  Stop();
  SetUp();

  v1::GetSessionRequest get;
  get.set_name(session.name());
  v1::Session got;
  ASSERT_TRUE(sessions_->GetSession(NewContext().get(), get, &got).ok());
  EXPECT_EQ(got.state(), v1::Session::ENDED);
  EXPECT_EQ(got.end().cause(), v1::SessionEnd::SERVER_STOPPED);
  v1::GetDeviceRequest get_device;
  get_device.set_name(absl::StrCat("devices/", kUnit));
  v1::Device device;
  ASSERT_TRUE(devices_->GetDevice(NewContext().get(), get_device, &device).ok());
  EXPECT_EQ(device.connection().state(), v1::Connection::OFFLINE);
  EXPECT_TRUE(device.has_last_seen_time());
}

TEST_F(ControlTest, TwoServersDoNotShareAStateFolder) {
  EXPECT_THAT(Control::Create(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another server")));
}

}  // namespace
}  // namespace fairlead::control
