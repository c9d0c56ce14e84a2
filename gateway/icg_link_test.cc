// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The server's link to an ICG over real TLS on the loopback interface: both of its forms, and who
// may use them.
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/grpc_fd_channel.h"
#include "dataplane/fd_splice.h"
#include "dataplane/io_threads.h"
#include "dataplane/keepalive.h"
#include "dataplane/tls_stream.h"
#include "gateway/edge_websocket.h"
#include "gateway/testing/icg_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::WebSocketDialResult;
using dataplane::testing::TestCa;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

net::awaitable<ChannelOr> DialAsAnybody(dataplane::Endpoint endpoint,
                                        dataplane::DialOptions options) {
  auto tls = co_await dataplane::DialTls(std::move(endpoint), std::move(options));
  if (!tls.ok()) co_return tls.status();
  const absl::StatusOr<int> fd = dataplane::SpliceToFd(*std::move(tls));
  if (!fd.ok()) co_return fd.status();
  co_return ChannelOverFd("icg", *fd, ChannelPings());
}

// What holds for both forms of the link.
class LinkFormTest : public IcgTest, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Forms, LinkFormTest, ::testing::Values("grpcs", "wss"));

TEST_P(LinkFormTest, AServerLinks) {
  Link({}, GetParam());

  EXPECT_THAT(snapshot_, ElementsAre("hello", "snapshot_complete"));
  const WebSocketDialResult device = Connect("a");
  v1::EdgeCommand command;
  command.mutable_device_command()->set_unit_id("a");
  command.mutable_device_command()->mutable_message()->mutable_welcome()->set_unit_id("a");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_THAT(Next(device), HasSubstr("binary "));
  command.mutable_drop_device()->set_unit_id("a");
  command.mutable_drop_device()->set_close_code(4403);
  command.mutable_drop_device()->set_reason("Enough.");
  ASSERT_TRUE(link_->Write(command));
  EXPECT_EQ(Next(device), "close 4403");
  EXPECT_EQ(close_reason(), "Enough.");
  EXPECT_EQ(ReadUntil(v1::EdgeEvent::kDeviceDisconnected).device_disconnected().reason(),
            "Enough.");
}

TEST_P(LinkFormTest, AConfigurationMayBeLarge) {
  v1::EdgeConfiguration configuration;
  for (int i = 0; i < 160'000; ++i) {
    configuration.add_revoked_fingerprints(Sha256Of(std::to_string(i)));
  }
  ASSERT_GT(configuration.ByteSizeLong(), 5u << 20);
  Link(configuration, GetParam());

  EXPECT_THAT(snapshot_, Contains("snapshot_complete"));
}

TEST_P(LinkFormTest, EventsComeInOrderUnderALoad) {
  Link({}, GetParam());
  for (int i = 0; i < 2000; ++i) {
    v1::EdgeCommand command;
    command.mutable_register_session()->set_session_id(absl::StrCat("bad", i));
    ASSERT_TRUE(link_->Write(command));
  }

  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(ReadUntil(v1::EdgeEvent::kTunnelEvent).tunnel_event().session_id(),
              absl::StrCat("bad", i));
  }
}

TEST_P(LinkFormTest, TheLinkEndsWithItsChannel) {
  Link({}, GetParam());
  Unlink();
  EXPECT_FALSE(gateway_->ready());

  // And can be had anew.
  Link({}, GetParam());
  EXPECT_EQ(CheckStatus(), "ok");
}

TEST_P(LinkFormTest, TheEdgesReasonReachesTheServer) {
  Link({}, GetParam());
  const auto channel = channel_;
  const auto older = std::move(link_);
  Link({}, GetParam());

  const grpc::Status status = older->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), HasSubstr("newer link"));
}

TEST_P(LinkFormTest, TheLinkIsDialledAgainAfterARestart) {
  Link({}, GetParam());
  const std::string listen = absl::StrCat("127.0.0.1:", gateway_->port());
  StopEdge();

  EXPECT_EQ(link_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  {
    TestLink late(channel_);
    late.Configure("ums");
    EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  StartIcg(listen);
  Link({}, GetParam());
  EXPECT_THAT(snapshot_, ElementsAre("hello", "snapshot_complete"));
}

TEST_P(LinkFormTest, AnotherIcgIsNotTaken) {
  EdgeDialRequest request = Request(GetParam());
  request.icg_id = "other";

  EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kPermissionDenied,
                                          HasSubstr("is urn:fairlead:icg:dmz, not icgs/other")));
}

TEST_P(LinkFormTest, AForeignCertificateIsNotTaken) {
  const TestCa other("Another CA");
  EdgeDialRequest request = Request(GetParam());
  request.ca_pem = other.pem();

  EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(LinkFormTest, NobodyThere) {
  const EdgeDialRequest request = Request(GetParam());
  StopEdge();

  EXPECT_THAT(DialEdge(request),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nobody answers")));
}

TEST_F(IcgTest, OnlyAServersCertificateLinksByGrpc) {
  for (const char* uri : {"urn:fairlead:device:a", "urn:fairlead:icg:dmz"}) {
    const ChannelOr channel = DialEdge(Request("grpcs", uri));
    ASSERT_THAT(channel, IsOk());
    TestLink link(*channel);
    link.Configure("ums");
    EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED) << uri;
  }
  dataplane::IoThreads threads(1);
  std::promise<ChannelOr> promise;
  net::co_spawn(
      threads.executor(0), DialAsAnybody(At("/"), Dialling("", {"h2"})),
      [&promise](std::exception_ptr, ChannelOr channel) { promise.set_value(std::move(channel)); });
  {
    const ChannelOr channel = promise.get_future().get();
    ASSERT_THAT(channel, IsOk());
    TestLink link(*channel);
    link.Configure("ums");
    EXPECT_EQ(link.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  }
  EXPECT_FALSE(gateway_->ready());
}

TEST_F(IcgTest, OnlyAServersCertificateLinksByWebSocket) {
  for (const char* uri : {"urn:fairlead:device:a", "urn:fairlead:icg:dmz"}) {
    EXPECT_THAT(DialEdge(Request("wss", uri)),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("not a server's")))
        << uri;
  }
  EXPECT_THAT(Dial(kLinkPath, "", {kLinkSubprotocol}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Only a server")));
  EXPECT_THAT(Dial(kLinkPath, kServerUri, {"fairlead.unified.v1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(kLinkSubprotocol)));
  EXPECT_FALSE(gateway_->ready());
}

TEST_F(IcgTest, WhatIsNoCommandEndsTheWebSocket) {
  auto text = Dial(kLinkPath, kServerUri, {kLinkSubprotocol});
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(text->subprotocol, kLinkSubprotocol);
  ASSERT_THAT(Await(io_, text->websocket->WriteText("{}")), IsOk());
  EXPECT_EQ(Next(*text), "close 4400");

  auto garbage = Dial(kLinkPath, kServerUri, {kLinkSubprotocol});
  ASSERT_THAT(garbage, IsOk());
  ASSERT_THAT(Await(io_, garbage->websocket->WriteBinary("\xff\xff\xff")), IsOk());
  EXPECT_EQ(Next(*garbage), "close 4400");
}

TEST(LinkKeepAliveTest, ADeadPeerIsFoundOutWithin30Seconds) {
  dataplane::KeepAlive keep_alive(LinkKeepAlive(), absl::ZeroDuration());
  keep_alive.OnReadStarted(absl::ZeroDuration());
  absl::Duration now;
  for (;;) {
    now = keep_alive.NextPoll();
    ASSERT_LE(now, absl::Seconds(30));
    const auto action = keep_alive.Poll(now);
    if (action == dataplane::KeepAlive::Action::kLost) break;
    if (action == dataplane::KeepAlive::Action::kSendPing) keep_alive.OnPingSent(now);
  }
  EXPECT_GE(now, absl::Seconds(20));

  // A write that nobody takes.
  dataplane::KeepAlive stalled(LinkKeepAlive(), absl::ZeroDuration());
  stalled.OnWriteStarted(absl::ZeroDuration());
  EXPECT_EQ(stalled.Poll(absl::Seconds(29)), dataplane::KeepAlive::Action::kLost);
}

TEST_F(IcgTest, AddressesThatAreNone) {
  for (const char* address :
       {"", "icg:8443", "https://icg:8443", "grpcs://", "wss://icg:8443/path", "grpcs://icg:x"}) {
    EXPECT_THAT(ParseLinkAddress(address), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
    EdgeDialRequest request = Request("grpcs");
    request.address = address;
    EXPECT_THAT(DialEdge(request), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
  }
  EXPECT_EQ(ParseLinkAddress("wss://[::1]:7")->endpoint.host, "::1");
}

}  // namespace
}  // namespace fairlead::gateway
