// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// How WebSockets over real TLS end: close codes in both directions, losses, and peers that do not
// answer.
#include <memory>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/beast_websocket.h"
#include "dataplane/testing/websocket_fixture.h"
#include "dataplane/websocket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::CloseWith;
using testing::ReadEnd;

class WebSocketEndTest : public testing::WebSocketFixture {};

TEST_F(WebSocketEndTest, TheServersCloseCodeArrives) {
  const struct {
    CloseReason sent;
    std::uint16_t code;
    std::string text;
  } cases[] = {
      {{kCloseNormal, ""}, 1000, ""},
      {{kCloseTerminated, "ended by an administrator"}, 4410, "ended by an administrator"},
      {{kCloseNoCode, "never sent"}, 1005, ""},
      {{1015, "never sent as such"}, 1011, "never sent as such"},
      {{4400, std::string(122, 'x') + "\xC3\xA4"}, 4400, std::string(122, 'x')},
  };
  for (const auto& c : cases) {
    server_reason_ = c.sent;
    auto websocket = MustDial("/close");
    const CloseReason end = server_->Run(ReadEnd(websocket.get()));
    EXPECT_EQ(end.code, c.code);
    EXPECT_EQ(end.text, c.text);
    Drop(std::move(websocket));
  }
}

TEST_F(WebSocketEndTest, TheServersLossIs1006) {
  server_reason_.code = kCloseLost;
  auto websocket = MustDial("/close");
  EXPECT_EQ(server_->Run(ReadEnd(websocket.get())).code, kCloseLost);
  Drop(std::move(websocket));
}

TEST_F(WebSocketEndTest, TheClientsCloseCodeArrives) {
  auto websocket = MustDial("/echo");
  CloseReason reason;
  reason.code = 4408;
  reason.text = "idle";

  server_->Run(CloseWith(websocket.get(), reason));

  const CloseReason end = ends_.echo.get_future().get();
  EXPECT_EQ(end.code, 4408);
  EXPECT_EQ(end.text, "idle");
  // The end stays what it was, and closing again is harmless.
  EXPECT_EQ(server_->Run(ReadEnd(websocket.get())).code, 4408);
  server_->Run(CloseWith(websocket.get(), CloseReason()));
  Drop(std::move(websocket));
}

TEST_F(WebSocketEndTest, TheClientsLossIs1006) {
  auto websocket = MustDial("/echo");
  Drop(std::move(websocket));
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseLost);
}

net::awaitable<void> AbortOne(WebSocket* websocket) {
  websocket->Abort();
  co_return;
}

TEST_F(WebSocketEndTest, AbortEndsAPendingRead) {
  auto websocket = MustDial("/echo");
  auto reading =
      net::co_spawn(server_->client_executor(), ReadEnd(websocket.get()), net::use_future);

  server_->Run(AbortOne(websocket.get()));

  EXPECT_EQ(reading.get().code, kCloseLost);
  Drop(std::move(websocket));
}

TEST_F(WebSocketEndTest, CloseEndsAPendingRead) {
  auto websocket = MustDial("/echo");
  auto reading =
      net::co_spawn(server_->client_executor(), ReadEnd(websocket.get()), net::use_future);

  server_->Run(CloseWith(websocket.get(), CloseReason{kCloseNormal, ""}));

  EXPECT_EQ(reading.get().code, kCloseNormal);
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseNormal);
  Drop(std::move(websocket));
}

// Dials /hold with periods of its own; the server's end is never read.
class DeafPeerTest : public testing::WebSocketFixture {
 protected:
  DeafPeerTest() {
    websocket_ = server_->Run(DialHold(server_->At("/hold"), server_->Options(), Periods()));
    held_ = ends_.held.get_future().get();
  }
  ~DeafPeerTest() override {
    Drop(std::move(websocket_));
    const net::any_io_executor executor = held_->executor();
    net::co_spawn(executor, Destroy(std::move(held_)), net::use_future).get();
  }

  static KeepAliveOptions Periods() {
    KeepAliveOptions options;
    options.ping_interval = options.pong_timeout = absl::Milliseconds(20);
    options.write_timeout = options.close_timeout = absl::Milliseconds(100);
    return options;
  }
  static net::awaitable<std::unique_ptr<WebSocket>> DialHold(Endpoint endpoint, DialOptions options,
                                                             KeepAliveOptions periods) {
    auto dialled = co_await DialTls(endpoint, options);
    if (!dialled.ok()) co_return nullptr;
    std::unique_ptr<TlsStream> stream = *std::move(dialled);
    WebSocketHandshake handshake;
    handshake.host = HostHeader(endpoint);
    handshake.target = endpoint.target;
    PeerInfo peer;
    auto upgraded = co_await HandshakeWebSocket(std::move(stream), std::move(peer),
                                                std::move(handshake), periods);
    if (!upgraded.ok()) co_return nullptr;
    co_return std::move(upgraded->websocket);
  }

  std::unique_ptr<WebSocket> websocket_;
  std::unique_ptr<WebSocket> held_;
};

TEST_F(DeafPeerTest, UnansweredPingsEndTheConnectionAsLost) {
  const CloseReason end = server_->Run(ReadEnd(websocket_.get()));
  EXPECT_EQ(end.code, kCloseLost);
  EXPECT_EQ(end.text, "the peer no longer answers");
}

net::awaitable<absl::Status> WriteUntilItFails(WebSocket* websocket) {
  const std::string data(kMaxMessageBytes, 'x');
  for (;;) {
    const absl::Status status = co_await websocket->WriteBinary(data);
    if (!status.ok()) co_return status;
  }
}

TEST_F(DeafPeerTest, AStalledWriteEndsTheConnectionAsLost) {
  EXPECT_THAT(server_->Run(WriteUntilItFails(websocket_.get())),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(server_->Run(ReadEnd(websocket_.get())).text, "the peer no longer answers");
}

TEST_F(DeafPeerTest, ClosingDoesNotWaitForEver) {
  server_->Run(CloseWith(websocket_.get(), CloseReason{kCloseNormal, ""}));
  EXPECT_EQ(server_->Run(ReadEnd(websocket_.get())).code, kCloseNormal);
}

}  // namespace
}  // namespace fairlead::dataplane
