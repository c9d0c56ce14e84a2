// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device that enrols anew, with another key pair: whoever held the old one is put out everywhere.
#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/testing/control_fixture.h"
#include "control/testing/csr.h"
#include "gtest/gtest.h"
#include "proto/enrollment.grpc.pb.h"
#include "proto/session.grpc.pb.h"

namespace fairlead::control {
namespace {

class EnrolledAnewTest : public ControlFixture {
 protected:
  // Enrols with a fresh key pair, by a fresh one-time key.
  void Enroll() {
    v1::CreateFirstAuthenticationKeyRequest request;
    request.mutable_first_authentication_key()->set_type(v1::FirstAuthenticationKey::ONE_TIME);
    v1::FirstAuthenticationKey key;
    ASSERT_TRUE(v1::EnrollmentService::NewStub(channel_)
                    ->CreateFirstAuthenticationKey(NewContext().get(), request, &key)
                    .ok());
    const bssl::UniquePtr<EVP_PKEY> pair = EcKeyForTest();
    v1::EdgeEvent event;
    v1::EstRequest* est = event.mutable_est_request();
    est->set_request_id(1);
    est->set_operation(v1::EstRequest::SIMPLEENROLL);
    est->set_unit_id(kUnit);
    est->set_key(key.key());
    est->set_body(absl::Base64Escape(CsrForTest(pair.get(), kUnit)));
    edge_.Send(event);
  }
};

TEST_F(EnrolledAnewTest, TheOldDevicesSessionsEnd) {
  Enroll();
  EXPECT_EQ(edge_.Await(v1::EdgeCommand::kEstResponse).est_response().http_status(), 200u);
  edge_.Connect(kUnit);
  edge_.AwaitMessage(v1::ServerMessage::kWelcome);
  const auto sessions = v1::SessionService::NewStub(channel_);
  v1::Session session;
  std::future<grpc::Status> created = std::async(std::launch::async, [&]() {
    v1::CreateSessionRequest request;
    request.set_device(absl::StrCat("devices/", kUnit));
    return sessions->CreateSession(NewContext().get(), request, &session);
  });
  const std::string id =
      edge_.Await(v1::EdgeCommand::kRegisterSession).register_session().session_id();
  edge_.Tunnel(id, v1::TunnelEvent::DEVICE_ATTACHED);
  ASSERT_TRUE(created.get().ok());

  Enroll();

  const v1::EndSession end = edge_.Await(v1::EdgeCommand::kEndSession).end_session();
  EXPECT_EQ(end.session_id(), id);
  EXPECT_EQ(end.close_code(), 4410u);
  EXPECT_EQ(end.reason(), absl::StrCat("device ", kUnit, " enrolled anew"));
}

}  // namespace
}  // namespace fairlead::control
