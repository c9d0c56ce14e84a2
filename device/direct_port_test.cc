// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An OS 11 device's own port with real TLS and real programs: a server's certificate gets a
// terminal, nobody else gets anything; what ends a terminal from either side; renewal.
#include "device/direct_port.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "device/testing/folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "terminal/telnet_client.h"

namespace fairlead::device {
namespace {

using dataplane::kToken;
using dataplane::TlsIdentity;
using dataplane::TlsStream;
using dataplane::testing::Await;
using dataplane::testing::ClientSpec;
using dataplane::testing::TestCa;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kServerRole[] = "urn:fairlead:server:ums-1";

// Nobody asks this device for anything.
class NoDialer : public TunnelDialer {
 public:
  net::awaitable<absl::StatusOr<std::unique_ptr<dataplane::WebSocket>>> Dial(
      std::string /*ticket*/) override {
    co_return absl::UnimplementedError("no tunnels");
  }
};

class DirectPortTest : public testing::Test {
 protected:
  DirectPortTest() {
    const TlsIdentity own = ca_.Issue(ClientSpec("urn:fairlead:device:unit"));
    {
      const StateDir state = *StateDir::Open(folder_.path());
      EXPECT_THAT(state.Write("device.key", own.private_key_pem), IsOk());
      EXPECT_THAT(state.Write(kEnrolledCaFile, ca_.pem()), IsOk());
    }
    state_ = std::make_unique<StateDir>(*StateDir::Open(folder_.path()));
    identity_ = std::make_unique<Identity>(*Identity::Load(*state_, "unit"));
    certificate_ = own.certificate_chain_pem;
    options_.addresses = {"127.0.0.1:0"};
  }

  void Start(const std::string& script) {
    auto profiles = Profiles::Parse(
        "profiles { name: 'p' working_directory: '/' argv: '/bin/sh' argv: '-c' argv: \"" + script +
        "\" environment { key: 'LC_ALL' value: 'C' } }");
    ASSERT_THAT(profiles, IsOk());
    TerminalTimeouts timeouts;
    timeouts.hang_up = absl::Milliseconds(300);
    terminals_ = std::make_unique<Terminals>(
        context_.get_executor(), *profiles, dialer_, [](v1::DeviceMessage) {}, SystemClock(),
        timeouts);
    port_ = std::make_unique<DirectPort>(context_.get_executor(), options_, *state_, *identity_, "",
                                         *terminals_);
    ASSERT_THAT(port_->Start(), IsOk());
  }
  void EnrollAndStart(const std::string& script) {
    ASSERT_THAT(identity_->Add(certificate_), IsOk());
    Start(script);
  }

  absl::StatusOr<std::unique_ptr<TlsStream>> Dial(const TlsIdentity* identity,
                                                  std::vector<std::string> alpn = {}) {
    dataplane::TlsTrust trust;
    trust.ca_pem = ca_.pem();
    // The device's certificate is known by its role; its name is nobody's.
    trust.uri = "urn:fairlead:device:unit";
    dataplane::DialOptions options;
    options.tls = dataplane::TlsClientContext::Create(trust, identity, std::move(alpn)).value();
    dataplane::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = port_->ports().at(0);
    return Await(context_, dataplane::DialTls(endpoint, options));
  }

  // Connects as the server and reads all that comes, as a Telnet client.
  void Connect() {
    const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
    auto stream = Dial(&server);
    ASSERT_THAT(stream, IsOk());
    stream_ = *std::move(stream);
    net::co_spawn(context_, Read(*this), net::detached);
  }

  static net::awaitable<void> Read(DirectPortTest& self) {
    char bytes[4096];
    for (;;) {
      auto [error, count] = co_await self.stream_->async_read_some(net::buffer(bytes), kToken);
      if (error) {
        self.end_ = error;
        break;
      }
      self.bytes_.append(bytes, count);
      const auto received = self.client_.Receive(absl::string_view(bytes, count));
      self.output_ += received.output;
      if (!received.answers.empty()) co_await Write(self, received.answers);
    }
    self.over_ = true;
  }
  static net::awaitable<void> Write(DirectPortTest& self, std::string bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const net::const_buffer rest(bytes.data() + at, bytes.size() - at);
      auto [error, count] = co_await self.stream_->async_write_some(rest, kToken);
      if (error) co_return;
      at += count;
    }
  }
  void Type(absl::string_view keys) {
    net::co_spawn(context_, Write(*this, client_.Encode(keys)), net::detached);
  }

  // Whether a peer with `identity` is told anything, given that it types.
  std::string Hears(const TlsIdentity* identity) {
    auto stream = Dial(identity);
    if (!stream.ok()) return "";
    stream_ = *std::move(stream);
    net::co_spawn(context_, Write(*this, "id\r\n"), net::detached);
    net::co_spawn(context_, Read(*this), net::detached);
    RunUntil([this] { return over_; });
    over_ = false;
    return std::exchange(bytes_, std::string());
  }

  template <class Condition>
  void RunUntil(const Condition& condition) {
    ASSERT_TRUE(dataplane::testing::RunUntil(context_, condition)) << output_.substr(0, 500);
  }
  void AwaitOutput(const std::string& text) {
    RunUntil([&] { return absl::StrContains(output_, text); });
  }

  net::io_context context_;
  TestCa ca_;
  const Folder folder_;
  std::unique_ptr<StateDir> state_;
  std::unique_ptr<Identity> identity_;
  std::string certificate_;
  dataplane::StreamListenerOptions options_;
  NoDialer dialer_;
  std::unique_ptr<Terminals> terminals_;
  std::unique_ptr<DirectPort> port_;
  terminal::TelnetClient client_{"xterm", terminal::WindowSize{132, 43}};
  std::unique_ptr<TlsStream> stream_;
  std::string bytes_;
  std::string output_;
  dataplane::error_code end_;
  bool over_ = false;
};

TEST_F(DirectPortTest, GivesAServerATerminal) {
  EnrollAndStart("stty -echo; echo ready; read x; stty size; echo got $x; exit 7");
  Connect();
  AwaitOutput("ready");
  EXPECT_THAT(bytes_, StartsWith(std::string("\xFF\xFB\x01\xFF\xFB\x03\xFF\xFD\x1F", 9)));
  Type("hello\r");
  RunUntil([this] { return over_; });
  EXPECT_THAT(output_, HasSubstr("43 132\r\ngot hello\r\n"));
  // A clean end, after everything.
  EXPECT_EQ(end_, net::error::eof);
  RunUntil([this] { return terminals_->idle(); });
}

TEST_F(DirectPortTest, ALotOfOutputIsCompleteBeforeTheEnd) {
  EnrollAndStart("stty -opost; head -c 20000000 /dev/zero; echo end");
  Connect();
  RunUntil([this] { return over_; });
  EXPECT_EQ(end_, net::error::eof);
  EXPECT_EQ(output_.size(), 20000004u);
}

TEST_F(DirectPortTest, AServerThatVanishesHangsUp) {
  EnrollAndStart("echo ready; exec sleep 1000");
  Connect();
  AwaitOutput("ready");
  stream_->Close();
  RunUntil([this] { return terminals_->idle() && over_; });
}

TEST_F(DirectPortTest, ServesNobodyElse) {
  EnrollAndStart("echo leaked; exec cat");
  EXPECT_EQ(Hears(nullptr), "");
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:other"));
  EXPECT_EQ(Hears(&device), "");
  const TlsIdentity icg = ca_.Issue(ClientSpec("urn:fairlead:icg:1"));
  EXPECT_EQ(Hears(&icg), "");
  TestCa other("Other CA");
  const TlsIdentity stranger = other.Issue(ClientSpec(kServerRole));
  EXPECT_EQ(Hears(&stranger), "");
  EXPECT_TRUE(terminals_->idle());
}

TEST_F(DirectPortTest, AProbeStartsNothing) {
  const std::string trace = folder_.path() + "/started";
  EnrollAndStart("echo ready; touch " + trace + "; exec sleep 1000");
  v1::TerminalSettings settings;
  settings.set_max_sessions(1);
  terminals_->Apply(settings);
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  for (int i = 0; i < 3; ++i) {
    auto stream = Dial(&server, {dataplane::kProbeProtocol});
    ASSERT_THAT(stream, IsOk());
    EXPECT_EQ((*stream)->alpn(), dataplane::kProbeProtocol);
    stream_ = *std::move(stream);
    over_ = false;
    net::co_spawn(context_, Read(*this), net::detached);
    RunUntil([this] { return over_; });
    // A clean end, and nothing before it.
    EXPECT_EQ(end_, net::error::eof);
    EXPECT_EQ(bytes_, "");
    EXPECT_TRUE(terminals_->idle());
  }
  EXPECT_FALSE(std::filesystem::exists(trace));

  over_ = false;
  Connect();
  AwaitOutput("ready");
  stream_->Close();
  RunUntil([this] { return terminals_->idle() && over_; });
}

// What it is told: whether a terminal could be had.
TEST_F(DirectPortTest, AProbeNeedsTheServersCertificate) {
  EnrollAndStart("exec sleep 1000");
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:other"));
  for (const TlsIdentity* identity : {&device, static_cast<const TlsIdentity*>(nullptr)}) {
    auto stream = Dial(identity, {dataplane::kProbeProtocol});
    // With TLS 1.3 the refusal comes after this side's handshake.
    ASSERT_THAT(stream, IsOk());
    stream_ = *std::move(stream);
    over_ = false;
    net::co_spawn(context_, Read(*this), net::detached);
    RunUntil([this] { return over_; });
    EXPECT_NE(end_, net::error::eof);
    EXPECT_FALSE(stream_->failure().ok());
  }
}

TEST_F(DirectPortTest, OpensWithEnrolmentAndFollowsRenewal) {
  Start("echo ready; exec sleep 1000");
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_FALSE(Dial(&server).ok());
  ASSERT_THAT(identity_->Add(certificate_), IsOk());
  auto first = Dial(&server);
  ASSERT_THAT(first, IsOk());
  (*first)->Close();
  RunUntil([this] { return terminals_->idle(); });
}

TEST_F(DirectPortTest, WhatTheSettingsForbidIsALineOnTheStream) {
  EnrollAndStart("echo ready; exec sleep 1000");
  v1::TerminalSettings settings;
  settings.set_max_sessions(0);
  terminals_->Apply(settings);
  Connect();
  RunUntil([this] { return over_; });
  EXPECT_THAT(output_, HasSubstr("as many as its settings allow; end one first.\r\n"));
  EXPECT_EQ(end_, net::error::eof);
}

}  // namespace
}  // namespace fairlead::device
