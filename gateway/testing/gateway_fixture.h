// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The server's edge, linked in-process, and sessions registered with it. See edge_fixture.h.
#ifndef FAIRLEAD_GATEWAY_TESTING_GATEWAY_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_GATEWAY_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "base/random.h"
#include "gateway/testing/edge_fixture.h"
#include "proto/rest_services.h"

namespace fairlead::gateway {

// A session's tickets, as the server makes them.
struct Tickets {
  std::string session = RandomId();
  std::string console = RandomSecret();
  std::string device = RandomSecret();
};

class GatewayTest : public EdgeFixture {
 protected:
  ~GatewayTest() override { StopServer(); }

  GatewayOptions Options() {
    GatewayOptions options;
    options.listen = {"127.0.0.1:0"};
    options.io_threads = 2;
    options.identity = ca_.Issue(dataplane::testing::LeafSpec());
    options.client_ca_pem = ca_.pem();
    options.api_services = proto::RestServices();
    return options;
  }

  void SetUp() override { StartEdge(Options()); }

  void StopServer() {
    link_.reset();
    StopEdge();
  }
  void Restart(GatewayOptions options) {
    StopServer();
    StartEdge(std::move(options));
  }

  void Link(v1::EdgeConfiguration configuration = {}) {
    link_ = std::make_unique<TestLink>(server_->InProcessChannel(grpc::ChannelArguments()));
    v1::EdgeCommand command;
    configuration.set_server_name("ums");
    *command.mutable_configure() = std::move(configuration);
    ASSERT_TRUE(link_->Write(command));
    link_->ReadSnapshot();
  }

  void Register(const Tickets& tickets, absl::Duration pairing = absl::Seconds(30)) {
    v1::EdgeCommand command;
    v1::RegisterSession& session = *command.mutable_register_session();
    session.set_session_id(tickets.session);
    session.set_console_ticket_sha256(Sha256Of(tickets.console));
    session.set_device_ticket_sha256(Sha256Of(tickets.device));
    session.set_unit_id("a");
    session.mutable_pairing_timeout()->set_nanos(
        static_cast<std::int32_t>(absl::ToInt64Nanoseconds(pairing % absl::Seconds(1))));
    session.mutable_pairing_timeout()->set_seconds(absl::ToInt64Seconds(pairing));
    ASSERT_TRUE(link_->Write(command));
    const v1::TunnelEvent accepted = NextTunnelEvent();
    EXPECT_EQ(accepted.session_id(), tickets.session);
    EXPECT_EQ(accepted.type(), v1::TunnelEvent::ACCEPTED);
  }

  v1::TunnelEvent NextTunnelEvent() {
    for (;;) {
      const v1::EdgeEvent event = link_->Read();
      if (event.has_tunnel_event()) return event.tunnel_event();
      if (event.event_case() == v1::EdgeEvent::EVENT_NOT_SET) return v1::TunnelEvent();
    }
  }

  std::unique_ptr<TestLink> link_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_GATEWAY_FIXTURE_H_
