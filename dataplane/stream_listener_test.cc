// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Who gets through to the handler and who does not: role, certificate, deadline, caps; and which
// certificate is shown after a renewal.
#include "dataplane/stream_listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/client.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::Await;
using ::fairlead::dataplane::testing::ClientSpec;
using ::fairlead::dataplane::testing::LeafSpec;
using ::fairlead::dataplane::testing::Task;
using ::fairlead::dataplane::testing::TestCa;
using net::ip::tcp;
using ::testing::HasSubstr;

constexpr char kServerRole[] = "urn:fairlead:server:ums-1";

class StreamListenerTest : public ::testing::Test {
 protected:
  StreamListenerTest() {
    options_.addresses = {"127.0.0.1:0"};
    identity_ = ca_.Issue(LeafSpec());
  }

  void Start() {
    tls_ = TlsServerContext::CreateMutual(identity_, ca_.pem(), "urn:fairlead:server:", {"b", "a"})
               .value();
    listener_ = std::make_unique<StreamListener>(
        context_.get_executor(), [this] { return shows_ ? tls_->Acquire() : nullptr; },
        [this](std::unique_ptr<TlsStream> stream, PeerInfo peer) {
          return Echo(*this, std::move(stream), std::move(peer));
        },
        options_);
    ASSERT_THAT(listener_->Start(), IsOk());
  }

  static net::awaitable<void> Echo(StreamListenerTest& self, std::unique_ptr<TlsStream> stream,
                                   PeerInfo peer) {
    ++self.handled_;
    self.alpn_ = stream->alpn();
    if (peer.certificate.has_value()) self.peers_.push_back(peer.certificate->uris.at(0));
    char bytes[64];
    auto [error, count] = co_await stream->async_read_some(net::buffer(bytes), kToken);
    if (error) co_return;
    self.heard_.append(bytes, count);
    co_await stream->async_write_some(net::buffer(bytes, count), kToken);
    co_await stream->Shutdown(absl::Seconds(5));
  }

  // What a client with `identity` gets for "hello": the answer, or why there is none.
  net::awaitable<std::string> Say(const TlsIdentity* identity) {
    TlsTrust trust;
    trust.ca_pem = ca_.pem();
    DialOptions options;
    options.tls = TlsClientContext::Create(trust, identity, offers_).value();
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = listener_->ports().at(0);
    auto stream = co_await DialTls(endpoint, options);
    if (!stream.ok()) co_return std::string(stream.status().message());
    fingerprint_ = (*stream)->peer_certificate()->fingerprint;
    co_await (*stream)->async_write_some(net::buffer("hello", 5), kToken);
    char bytes[64];
    auto [error, count] = co_await (*stream)->async_read_some(net::buffer(bytes), kToken);
    if (error) co_return absl::StrCat("no answer: ", (*stream)->failure().ToString());
    co_return std::string(bytes, count);
  }

  // A connection that says `bytes` in plain, and what it gets until it is closed.
  net::awaitable<std::string> SayPlainly(std::string bytes) {
    tcp::socket socket(context_);
    const tcp::endpoint endpoint(net::ip::address_v4::loopback(), listener_->ports().at(0));
    co_await socket.async_connect(endpoint, kToken);
    co_await net::async_write(socket, net::buffer(bytes), kToken);
    std::string got(4096, '\0');
    auto [error, count] = co_await net::async_read(socket, net::buffer(got), kToken);
    got.resize(count);
    co_return got;
  }

  net::io_context context_;
  TestCa ca_;
  TlsIdentity identity_;
  StreamListenerOptions options_;
  std::shared_ptr<TlsServerContext> tls_;
  std::unique_ptr<StreamListener> listener_;
  bool shows_ = true;
  std::vector<std::string> offers_;
  std::string alpn_ = "none yet";
  int handled_ = 0;
  std::string heard_;
  std::vector<std::string> peers_;
  std::string fingerprint_;
};

TEST_F(StreamListenerTest, ServesTheRightRole) {
  Start();
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_THAT(peers_, ::testing::ElementsAre(kServerRole));
}

TEST_F(StreamListenerTest, SelectsAProtocolThatItKnows) {
  Start();
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_EQ(alpn_, "");
  offers_ = {"z", "a", "b"};
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_EQ(alpn_, "b");
  offers_ = {"z", "ab"};
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_EQ(alpn_, "");
}

TEST_F(StreamListenerTest, AProtocolDoesNotReplaceACertificate) {
  Start();
  offers_ = {"a"};
  EXPECT_THAT(Await(context_, Say(nullptr)), HasSubstr("no answer"));
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:unit"));
  EXPECT_THAT(Await(context_, Say(&device)), HasSubstr("no answer"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(StreamListenerTest, RefusesAnotherRole) {
  Start();
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:unit"));
  EXPECT_THAT(Await(context_, Say(&device)), HasSubstr("no answer"));
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(heard_, "");
}

TEST_F(StreamListenerTest, RefusesAnotherCaAndNone) {
  Start();
  TestCa other("Other CA");
  const TlsIdentity stranger = other.Issue(ClientSpec(kServerRole));
  EXPECT_THAT(Await(context_, Say(&stranger)), HasSubstr("no answer"));
  LeafSpec old = ClientSpec(kServerRole);
  old.not_before = -absl::Hours(2);
  old.not_after = -absl::Hours(1);
  const TlsIdentity expired = ca_.Issue(old);
  EXPECT_THAT(Await(context_, Say(&expired)), HasSubstr("no answer"));
  EXPECT_THAT(Await(context_, Say(nullptr)), HasSubstr("no answer"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(StreamListenerTest, RefusesWhatIsNoTls) {
  Start();
  Await(context_, SayPlainly("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(StreamListenerTest, R28CutsASilentPeerAtTheDeadline) {
  options_.handshake_timeout = absl::Milliseconds(30);
  Start();
  EXPECT_EQ(Await(context_, SayPlainly("")), "");
}

TEST_F(StreamListenerTest, R28CapsThoseWhoDoNotShakeHands) {
  options_.max_unauthenticated_per_host = 2;
  Start();
  const tcp::endpoint endpoint(net::ip::address_v4::loopback(), listener_->ports().at(0));
  tcp::socket first(context_);
  tcp::socket second(context_);
  first.connect(endpoint);
  second.connect(endpoint);
  // The third is closed at once, long before the deadline.
  EXPECT_EQ(Await(context_, SayPlainly("")), "");
  // A place that is given back serves the next.
  first.close();
  second.close();
  context_.restart();
  while (context_.poll() > 0) {
  }
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
}

TEST_F(StreamListenerTest, ShowsARenewedCertificateAtOnce) {
  Start();
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  const std::string before = fingerprint_;
  ASSERT_THAT(tls_->Reload(ca_.Issue(LeafSpec()), ca_.pem()), IsOk());
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_NE(fingerprint_, before);
  offers_ = {"a"};
  EXPECT_EQ(Await(context_, Say(&server)), "hello");
  EXPECT_EQ(alpn_, "a");
  // The role is still demanded.
  const TlsIdentity device = ca_.Issue(ClientSpec("urn:fairlead:device:unit"));
  EXPECT_THAT(Await(context_, Say(&device)), HasSubstr("no answer"));
}

TEST_F(StreamListenerTest, WithoutACertificateNobodyIsServed) {
  shows_ = false;
  Start();
  const TlsIdentity server = ca_.Issue(ClientSpec(kServerRole));
  EXPECT_NE(Await(context_, Say(&server)), "hello");
  EXPECT_EQ(handled_, 0);
}

TEST_F(StreamListenerTest, SaysThatThePortIsInUse) {
  Start();
  StreamListenerOptions options;
  options.addresses = {absl::StrCat("127.0.0.1:", listener_->ports().at(0))};
  StreamListener second(context_.get_executor(), nullptr, nullptr, options);
  EXPECT_THAT(second.Start(), StatusIs(absl::StatusCode::kUnavailable,
                                       HasSubstr("another program uses this port")));
}

}  // namespace
}  // namespace fairlead::dataplane
