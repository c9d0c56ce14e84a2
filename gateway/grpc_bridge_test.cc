// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// gRPC over real TLS connections on the loopback interface: calls, reflection, health, who calls,
// and what happens to others when one connection misbehaves or breaks.
#include "gateway/grpc_bridge.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/fd_splice.h"
#include "dataplane/testing/test_pki.h"
#include "gateway/async_call.h"
#include "gateway/testing/fake_services.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::kToken;
using dataplane::TlsStream;
using dataplane::testing::TestCa;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kServerUri[] = "urn:fairlead:server:ums";

// One call by the callback API, and whether it has ended.
struct Call {
  grpc::ClientContext context;
  v1::GetSessionRequest request;
  v1::Session response;
  grpc::Status status;
  std::atomic<bool> done{false};
};

class GrpcBridgeTest : public ::testing::Test {
 protected:
  GrpcBridgeTest() : acceptor_(io_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    server_tls_ = *dataplane::TlsServerContext::Create(ca_.Issue({}), ca_.pem());
  }

  ~GrpcBridgeTest() override {
    channels_.clear();
    if (server_ != nullptr) {
      server_->Shutdown(gpr_now(GPR_CLOCK_REALTIME));
      RunUntil(io_, [&] { return bridge_->open_now() == 0; });
    }
  }

  void Start(absl::Duration ping_interval = absl::Seconds(20)) {
    grpc::ServerBuilder builder;
    ConfigureServer(&builder, ping_interval);
    builder.RegisterService(&sessions_);
    server_ = builder.BuildAndStart();
    bridge_ = std::make_unique<GrpcBridge>(*server_, peers_);
    net::co_spawn(io_, Accept(), net::detached);
  }

  net::awaitable<void> Accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kToken);
      if (error) co_return;
      net::co_spawn(io_, ServeOne(std::move(socket)), net::detached);
    }
  }

  net::awaitable<void> ServeOne(net::ip::tcp::socket socket) {
    auto tls = std::make_unique<TlsStream>(std::move(socket), server_tls_->Acquire(),
                                           TlsStream::Role::kServer);
    const absl::Status status = co_await tls->Handshake(absl::Seconds(10), "", nullptr);
    if (!status.ok()) co_return;
    dataplane::PeerInfo peer;
    peer.address = "127.0.0.1:" + std::to_string(tls->socket().remote_endpoint().port());
    peer.certificate = tls->peer_certificate();
    co_await bridge_->Serve(std::move(tls), std::move(peer));
  }

  std::unique_ptr<TlsStream> Dial(const std::string& uri = "") {
    const dataplane::TlsIdentity identity =
        ca_.Issue(dataplane::testing::ClientSpec(uri.empty() ? "urn:x" : uri));
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    dataplane::DialOptions options;
    options.tls =
        *dataplane::TlsClientContext::Create(trust, uri.empty() ? nullptr : &identity, {"h2"});
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = acceptor_.local_endpoint().port();
    auto tls = Await(io_, dataplane::DialTls(endpoint, options));
    EXPECT_THAT(tls, IsOk());
    EXPECT_EQ((*tls)->alpn(), "h2");
    return *std::move(tls);
  }

  std::shared_ptr<grpc::Channel> Connect(const std::string& uri = "") {
    std::unique_ptr<TlsStream> tls = Dial(uri);
    last_tls_ = tls.get();
    const auto pair = dataplane::MakeFdPair();
    EXPECT_THAT(pair, IsOk());
    channels_.push_back(grpc::CreateInsecureChannelFromFd("fairlead", pair->theirs));
    net::co_spawn(io_, dataplane::Splice(std::move(tls), pair->ours), net::detached);
    return channels_.back();
  }

  static void Begin(v1::SessionService::Stub* stub, const std::string& name, Call* call) {
    call->request.set_name(name);
    stub->async()->GetSession(&call->context, &call->request, &call->response,
                              [call](grpc::Status status) {
                                call->status = std::move(status);
                                call->done = true;
                              });
  }

  grpc::Status Get(const std::shared_ptr<grpc::Channel>& channel) {
    const auto stub = v1::SessionService::NewStub(channel);
    Call call;
    Begin(stub.get(), "sessions/1", &call);
    RunUntil(io_, [&] { return call.done.load(); });
    return call.status;
  }

  net::io_context io_;
  TestCa ca_;
  std::shared_ptr<dataplane::TlsServerContext> server_tls_;
  net::ip::tcp::acceptor acceptor_;
  FakeSessions sessions_;
  CallPeers peers_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcBridge> bridge_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  TlsStream* last_tls_ = nullptr;
};

TEST_F(GrpcBridgeTest, TellsWhoCalls) {
  Start();
  const auto with = Connect(kServerUri);
  const auto without = Connect();

  ASSERT_TRUE(Get(with).ok());
  const auto known = peers_.Resolve(sessions_.last().peer);
  ASSERT_TRUE(Get(without).ok());
  const auto unknown = peers_.Resolve(sessions_.last().peer);

  ASSERT_TRUE(known.has_value());
  EXPECT_THAT(known->certificate_uris, ElementsAre(kServerUri));
  EXPECT_THAT(known->address, HasSubstr("127.0.0.1:"));
  ASSERT_TRUE(unknown.has_value());
  EXPECT_THAT(unknown->certificate_uris, IsEmpty());
  EXPECT_NE(unknown->address, known->address);
}

TEST_F(GrpcBridgeTest, ForgetsThePeerWithTheConnection) {
  Start();
  ASSERT_TRUE(Get(Connect()).ok());
  EXPECT_EQ(bridge_->open_now(), 1u);

  channels_.clear();

  RunUntil(io_, [&] { return bridge_->open_now() == 0; });
  EXPECT_FALSE(peers_.Resolve(sessions_.last().peer).has_value());
}

TEST_F(GrpcBridgeTest, ServesHealthAndReflection) {
  Start();
  {
    AsyncCalls calls(Connect(), 10);
    const grpc::Slice nothing("");
    const UnaryResult health =
        Await(io_, calls.Unary("/grpc.health.v1.Health/Check", {}, grpc::ByteBuffer(&nothing, 1),
                               absl::Seconds(10)));
    ASSERT_TRUE(health.status.ok()) << health.status.error_message();
    grpc::Slice answer;
    ASSERT_TRUE(health.response.DumpToSingleSlice(&answer).ok());
    // HealthCheckResponse{status: SERVING}.
    EXPECT_EQ(std::string(answer.begin(), answer.end()), "\x08\x01");

    // ServerReflectionRequest{list_services: "*"}.
    const grpc::Slice list("\x3a\x01*");
    const auto stream = calls.Stream(
        io_.get_executor(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", {},
        grpc::ByteBuffer(&list, 1));
    grpc::ByteBuffer message;
    ASSERT_TRUE(Await(io_, stream->Read(&message)));
    ASSERT_TRUE(message.DumpToSingleSlice(&answer).ok());
    EXPECT_THAT(std::string(answer.begin(), answer.end()), HasSubstr("fairlead.v1.SessionService"));
    EXPECT_FALSE(Await(io_, stream->Read(&message)));
    EXPECT_TRUE(stream->status().ok());
  }
}

TEST_F(GrpcBridgeTest, CarriesManyCallsAtOnce) {
  Start();
  const auto stub = v1::SessionService::NewStub(Connect());
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(std::make_unique<Call>());
    Begin(stub.get(), "sessions/" + std::to_string(i), calls.back().get());
  }

  for (int i = 0; i < 100; ++i) {
    RunUntil(io_, [&] { return calls[i]->done.load(); });
    EXPECT_TRUE(calls[i]->status.ok()) << calls[i]->status.error_message();
    EXPECT_EQ(calls[i]->response.name(), "sessions/" + std::to_string(i));
  }
}

TEST_F(GrpcBridgeTest, CarriesLargeMessages) {
  Start();
  const auto stub = v1::SessionService::NewStub(Connect());
  grpc::ClientContext context;
  v1::ListSessionsRequest request;
  request.set_page_size(150'000);
  v1::ListSessionsResponse response;
  std::atomic<bool> done{false};
  grpc::Status status;
  stub->async()->ListSessions(&context, &request, &response, [&](grpc::Status result) {
    status = std::move(result);
    done = true;
  });

  RunUntil(io_, [&] { return done.load(); });

  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.sessions_size(), 150'000);
}

TEST_F(GrpcBridgeTest, EndsTheCallsOfALostConnectionAlone) {
  Start();
  const auto lost = v1::SessionService::NewStub(Connect());
  TlsStream* const tls = last_tls_;
  const auto other = Connect();
  Call call;
  Begin(lost.get(), "sessions/slow", &call);
  RunUntil(io_, [&] { return sessions_.started == 1; });

  ::shutdown(tls->socket().native_handle(), SHUT_RDWR);

  RunUntil(io_, [&] { return call.done.load(); });
  EXPECT_EQ(call.status.error_code(), grpc::UNAVAILABLE);
  RunUntil(io_, [&] { return sessions_.cancelled == 1 && bridge_->open_now() == 1; });
  EXPECT_TRUE(Get(other).ok());
}

TEST_F(GrpcBridgeTest, ClosesAConnectionThatSendsGarbageAlone) {
  Start();
  const auto other = Connect();
  ASSERT_TRUE(Get(other).ok());
  const auto garbage = Dial();
  const std::string bytes(100'000, '\xff');
  const auto sent =
      Await(io_, net::async_write(*garbage, net::buffer(bytes), net::as_tuple(net::use_awaitable)));
  (void)sent;

  RunUntil(io_, [&] { return bridge_->open_now() == 1; });

  EXPECT_TRUE(Get(other).ok());
}

TEST_F(GrpcBridgeTest, ClosesAConnectionThatAnswersNoPingAlone) {
  Start(absl::Seconds(1));
  const auto stalled = Dial();
  const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  Await(io_, net::async_write(*stalled, net::buffer(preface), net::as_tuple(net::use_awaitable)));
  RunUntil(io_, [&] { return bridge_->open_now() == 1; });
  const auto other = Connect();
  EXPECT_TRUE(Get(other).ok());

  RunUntil(io_, [&] { return bridge_->open_now() == 1; });

  EXPECT_TRUE(Get(other).ok());
}

TEST_F(GrpcBridgeTest, EndsWithTheServer) {
  Start();
  const auto stub = v1::SessionService::NewStub(Connect());
  Call call;
  Begin(stub.get(), "sessions/slow", &call);
  RunUntil(io_, [&] { return sessions_.started == 1; });

  server_->Shutdown(gpr_now(GPR_CLOCK_REALTIME));

  RunUntil(io_, [&] { return bridge_->open_now() == 0 && call.done; });
  EXPECT_FALSE(call.status.ok());
}

}  // namespace
}  // namespace fairlead::gateway
