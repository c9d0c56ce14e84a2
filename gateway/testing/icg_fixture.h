// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An ICG, and the server that links to it in either form. See edge_fixture.h.
#ifndef FAIRLEAD_GATEWAY_TESTING_ICG_FIXTURE_H_
#define FAIRLEAD_GATEWAY_TESTING_ICG_FIXTURE_H_

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/edge_dialer.h"
#include "gateway/testing/edge_fixture.h"

namespace fairlead::gateway {

inline constexpr char kServerUri[] = "urn:fairlead:server:ums";

using ChannelOr = absl::StatusOr<std::shared_ptr<grpc::Channel>>;

class IcgTest : public EdgeFixture {
 protected:
  ~IcgTest() override {
    link_.reset();
    channel_.reset();
    StopEdge();
  }

  void SetUp() override { StartIcg("127.0.0.1:0"); }

  void StartIcg(const std::string& listen) {
    GatewayOptions options;
    options.role = "icg";
    options.listen = {listen};
    options.io_threads = 2;
    dataplane::testing::LeafSpec leaf;
    leaf.uris = {"urn:fairlead:icg:dmz"};
    options.identity = ca_.Issue(leaf);
    options.client_ca_pem = ca_.pem();
    options.web_console = false;
    IcgOptions icg;
    icg.id = "dmz";
    options.icg = icg;
    StartEdge(std::move(options));
  }

  EdgeDialRequest Request(const std::string& scheme, const std::string& uri = kServerUri) {
    const dataplane::TlsIdentity identity = ca_.Issue(dataplane::testing::ClientSpec(uri));
    EdgeDialRequest request;
    request.icg_id = "dmz";
    request.address = absl::StrCat(scheme, "://127.0.0.1:", gateway_->port());
    request.certificate_chain_pem = identity.certificate_chain_pem;
    request.private_key_pem = identity.private_key_pem;
    request.ca_pem = ca_.pem();
    return request;
  }

  ChannelOr DialEdge(EdgeDialRequest request) {
    std::promise<ChannelOr> promise;
    dialer_.Dial(std::move(request),
                 [&promise](ChannelOr channel) { promise.set_value(std::move(channel)); });
    return promise.get_future().get();
  }

  void Link(v1::EdgeConfiguration configuration = {}, const std::string& scheme = "grpcs") {
    link_.reset();
    ChannelOr channel = DialEdge(Request(scheme));
    ASSERT_THAT(channel, IsOk());
    channel_ = *std::move(channel);
    link_ = std::make_unique<TestLink>(channel_);
    v1::EdgeCommand command;
    configuration.set_server_name("ums");
    *command.mutable_configure() = std::move(configuration);
    ASSERT_TRUE(link_->Write(command));
    snapshot_ = link_->ReadSnapshot();
    RunUntil(io_, [&] { return gateway_->ready(); });
  }

  // As if the server had gone.
  void Unlink() {
    link_.reset();
    channel_.reset();
    RunUntil(io_, [&] { return CheckStatus() == "warn"; });
  }

  std::string CheckStatus() {
    const std::string body = Fetch("GET", "/usg/check-status").body;
    const std::string prefix = "{\"status\":\"";
    EXPECT_EQ(body.substr(0, prefix.size()), prefix);
    return body.substr(prefix.size(), body.rfind('"') - prefix.size());
  }

  // A device whose hello the server has seen.
  dataplane::WebSocketDialResult Connect(const std::string& unit_id) {
    auto device = DialHub(unit_id);
    EXPECT_THAT(device, IsOk());
    if (!device.ok()) return dataplane::WebSocketDialResult();
    SayHello(*device);
    EXPECT_EQ(ReadUntil(v1::EdgeEvent::kDeviceConnected).device_connected().unit_id(), unit_id);
    return *std::move(device);
  }
  v1::EdgeEvent ReadUntil(v1::EdgeEvent::EventCase wanted) {
    for (;;) {
      v1::EdgeEvent event = link_->Read();
      if (event.event_case() == wanted || event.event_case() == v1::EdgeEvent::EVENT_NOT_SET) {
        return event;
      }
    }
  }

  LinkDialer dialer_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<TestLink> link_;
  // What the link's snapshot told, as TestLink gives it.
  std::vector<std::string> snapshot_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_TESTING_ICG_FIXTURE_H_
