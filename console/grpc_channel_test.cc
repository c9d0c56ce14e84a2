// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The channel against a gRPC server behind real TLS, and against servers that are no good.
#include "console/grpc_channel.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/fd_splice.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

namespace net = dataplane::net;
using dataplane::kToken;
using dataplane::TlsStream;
using dataplane::testing::TestCa;
using ::testing::HasSubstr;

using ChannelOr = absl::StatusOr<std::shared_ptr<grpc::Channel>>;

class GrpcChannelTest : public ::testing::Test {
 protected:
  GrpcChannelTest() : acceptor_(io_, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
    grpc::EnableDefaultHealthCheckService(true);
    server_tls_ = *dataplane::TlsServerContext::Create(ca_.Issue({}), "");
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&other_methods_);
    server_ = builder.BuildAndStart();
    net::co_spawn(io_, Accept(), net::detached);
  }

  ~GrpcChannelTest() override {
    server_->Shutdown(gpr_now(GPR_CLOCK_REALTIME));
    RunUntil([this] { return open_ == 0; });
  }

  template <class Predicate>
  void RunUntil(Predicate done) {
    ASSERT_TRUE(dataplane::testing::RunUntil(io_, done));
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
    const auto pair = dataplane::MakeFdPair();
    grpc::AddInsecureChannelFromFd(server_.get(), pair->theirs);
    ++open_;
    co_await dataplane::Splice(std::move(tls), pair->ours);
    --open_;
  }

  ChannelOr Dial(std::string alpn, const std::string& ca_pem) {
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_pem;
    dataplane::DialOptions options;
    options.tls = *dataplane::TlsClientContext::Create(trust, nullptr, {std::move(alpn)});
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = acceptor_.local_endpoint().port();
    std::optional<ChannelOr> result;
    net::co_spawn(
        io_, DialGrpc(endpoint, options),
        [&result](std::exception_ptr, ChannelOr channel) { result = std::move(channel); });
    RunUntil([&result] { return result.has_value(); });
    return *std::move(result);
  }

  // Asks whether the server is healthy.
  grpc::Status Check(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    const grpc::Slice nothing("");
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    std::atomic<bool> done{false};
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                   [&status, &done](grpc::Status result) {
                     status = std::move(result);
                     done = true;
                   });
    RunUntil([&done] { return done.load(); });
    return status;
  }

  net::io_context io_;
  TestCa ca_;
  std::shared_ptr<dataplane::TlsServerContext> server_tls_;
  net::ip::tcp::acceptor acceptor_;
  // A server wants a service besides the built-in ones.
  grpc::CallbackGenericService other_methods_;
  std::unique_ptr<grpc::Server> server_;
  int open_ = 0;
};

TEST_F(GrpcChannelTest, CallsOverTls) {
  const ChannelOr channel = Dial("h2", ca_.pem());
  ASSERT_THAT(channel, IsOk());

  EXPECT_TRUE(Check(*channel).ok());
  EXPECT_TRUE(Check(*channel).ok());
}

TEST_F(GrpcChannelTest, EndsTheConnectionWhenDropped) {
  ChannelOr channel = Dial("h2", ca_.pem());
  ASSERT_THAT(channel, IsOk());
  ASSERT_TRUE(Check(*channel).ok());
  ASSERT_EQ(open_, 1);

  channel->reset();

  RunUntil([this] { return open_ == 0; });
}

TEST_F(GrpcChannelTest, FailsItsCallsWhenTheServerIsGone) {
  const ChannelOr channel = Dial("h2", ca_.pem());
  ASSERT_THAT(channel, IsOk());
  ASSERT_TRUE(Check(*channel).ok());

  server_->Shutdown(gpr_now(GPR_CLOCK_REALTIME));
  RunUntil([this] { return open_ == 0; });

  EXPECT_EQ(Check(*channel).error_code(), grpc::UNAVAILABLE);
}

TEST_F(GrpcChannelTest, RefusesAServerWithoutGrpc) {
  EXPECT_THAT(Dial("http/1.1", ca_.pem()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("does not speak gRPC")));
}

TEST_F(GrpcChannelTest, RefusesAServerThatIsNotTrusted) {
  const TestCa other;

  EXPECT_THAT(Dial("h2", other.pem()), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace fairlead::console
