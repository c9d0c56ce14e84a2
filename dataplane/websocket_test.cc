// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// WebSockets over real TLS on the loopback interface: handshake, frames of all sizes, close codes
// in both directions, loss, limits, and moving to another thread.
#include "dataplane/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "dataplane/beast_websocket.h"
#include "dataplane/testing/test_server.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;
using testing::TestServer;

// How a served WebSocket ended, for the test to wait for.
struct Ends {
  std::promise<CloseReason> echo;
  std::promise<std::thread::id> moved_to;
  // A WebSocket that nobody reads.
  std::promise<std::unique_ptr<WebSocket>> held;
};

net::awaitable<void> Echo(WebSocket* websocket, CloseReason* end) {
  std::string buffer(64 * 1024, '\0');
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    const ReadResult got = co_await websocket->ReadSome(room);
    if (!got.open) {
      *end = got.close;
      co_return;
    }
    const net::const_buffer data = net::buffer(buffer.data(), got.size);
    const absl::Status status = co_await websocket->WriteSome(data, got.kind, got.fin);
    if (!status.ok()) co_return;
  }
}

// Selects the subprotocol "b" if it is offered.
net::awaitable<void> ServeEcho(Ends* ends, HttpRequest request,
                               std::unique_ptr<PendingUpgrade> pending) {
  request.peer.MarkAuthenticated();
  std::string selected;
  for (const std::string& offered : pending->offered_subprotocols()) {
    if (offered == "b") selected = offered;
  }
  auto accepted = co_await pending->Accept(selected);
  CloseReason end;
  if (accepted.ok()) {
    const std::unique_ptr<WebSocket> websocket = *std::move(accepted);
    co_await Echo(websocket.get(), &end);
  }
  ends->echo.set_value(end);
}

net::awaitable<void> ServeClosing(CloseReason reason, HttpRequest /*request*/,
                                  std::unique_ptr<PendingUpgrade> pending) {
  auto accepted = co_await pending->Accept("");
  if (accepted.ok()) co_await (*accepted)->Close(reason);
}

net::awaitable<void> ServeRefusing(HttpRequest /*request*/,
                                   std::unique_ptr<PendingUpgrade> pending) {
  HttpResponse response =
      ErrorResponse(absl::PermissionDeniedError("device \"7\" is not yours; ask an administrator"));
  co_await pending->Refuse(std::move(response));
}

net::awaitable<void> ServeDropping(HttpRequest /*request*/,
                                   std::unique_ptr<PendingUpgrade> pending) {
  pending.reset();
  co_return;
}

net::awaitable<void> ServeOnOtherThread(Ends* ends, std::unique_ptr<PendingUpgrade> pending) {
  ends->moved_to.set_value(std::this_thread::get_id());
  auto accepted = co_await pending->Accept("");
  CloseReason end;
  if (accepted.ok()) {
    const std::unique_ptr<WebSocket> websocket = *std::move(accepted);
    co_await Echo(websocket.get(), &end);
  }
  ends->echo.set_value(end);
}

net::awaitable<void> ServeMoving(Ends* ends, net::any_io_executor target, HttpRequest /*request*/,
                                 std::unique_ptr<PendingUpgrade> pending) {
  pending->MoveTo(target);
  co_await net::co_spawn(target, ServeOnOtherThread(ends, std::move(pending)), kToken);
}

net::awaitable<void> ServeHolding(Ends* ends, HttpRequest /*request*/,
                                  std::unique_ptr<PendingUpgrade> pending) {
  auto accepted = co_await pending->Accept("");
  if (accepted.ok()) ends->held.set_value(*std::move(accepted));
}

class WebSocketTest : public ::testing::Test {
 protected:
  WebSocketTest() {
    router_.Add(Upgrade("/echo", [this](HttpRequest request, auto pending) {
      return ServeEcho(&ends_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/close", [this](HttpRequest request, auto pending) {
      return ServeClosing(server_reason_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/refuse", ServeRefusing));
    router_.Add(Upgrade("/hold", [this](HttpRequest request, auto pending) {
      return ServeHolding(&ends_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/drop", ServeDropping));
    router_.Add(Upgrade("/move", [this](HttpRequest request, auto pending) {
      return ServeMoving(&ends_, spare_.executor(0), std::move(request), std::move(pending));
    }));
    server_ = std::make_unique<TestServer>(router_);
  }
  // The server's connections end before the thread that they may have moved to, and that thread
  // before the server's own, which the last of a moved connection still refers to.
  ~WebSocketTest() override {
    server_->EndConnections();
    spare_.Stop();
    server_.reset();
  }

  static Route Upgrade(std::string path, UpgradeHandler handler) {
    Route route;
    route.pattern = std::move(path);
    route.on_upgrade = std::move(handler);
    return route;
  }

  absl::StatusOr<WebSocketDialResult> Dial(std::string path,
                                           std::vector<std::string> subprotocols = {}) {
    return server_->Run(DialWebSocket(server_->At(std::move(path)), server_->Options(),
                                      std::move(subprotocols), HttpHeaders()));
  }
  // On failure the test ends.
  std::unique_ptr<WebSocket> MustDial(std::string path) {
    auto dialled = Dial(std::move(path));
    if (!dialled.ok()) ADD_FAILURE() << dialled.status();
    return dialled.ok() ? std::move(dialled->websocket) : nullptr;
  }
  // A WebSocket goes on its own thread.
  void Drop(std::unique_ptr<WebSocket> websocket) { server_->Run(Destroy(std::move(websocket))); }
  static net::awaitable<void> Destroy(std::unique_ptr<WebSocket> websocket) {
    websocket.reset();
    co_return;
  }

  static net::awaitable<Message> RoundTrip(WebSocket* websocket, std::string payload,
                                           FrameKind kind) {
    // Writing and reading at once, or both ends would wait for each other with full buffers.
    auto reading = std::make_shared<std::promise<Message>>();
    net::co_spawn(websocket->executor(), ReadInto(websocket, reading), Ignore);
    const net::const_buffer data = net::buffer(payload);
    const absl::Status status = co_await websocket->WriteSome(data, kind, Fin::kLast);
    EXPECT_THAT(status, IsOk());
    co_return co_await Await(reading->get_future());
  }
  static void Ignore(std::exception_ptr) {}
  static net::awaitable<void> ReadInto(WebSocket* websocket,
                                       std::shared_ptr<std::promise<Message>> result) {
    Message message = co_await websocket->ReadMessage();
    result->set_value(std::move(message));
  }
  static net::awaitable<Message> Await(std::future<Message> future) {
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      co_await net::post(co_await net::this_coro::executor, kToken);
    }
    co_return future.get();
  }

  Router router_;
  Ends ends_;
  CloseReason server_reason_;
  IoThreads spare_{1};
  std::unique_ptr<TestServer> server_;
};

TEST_F(WebSocketTest, EchoesMessagesOfEveryLengthEncoding) {
  auto websocket = MustDial("/echo");
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 1u << 20}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 31 + size);
    for (const FrameKind kind : {FrameKind::kBinary, FrameKind::kText}) {
      if (kind == FrameKind::kText) payload.assign(size, 'x');
      const Message message = server_->Run(RoundTrip(websocket.get(), payload, kind));
      ASSERT_TRUE(message.open) << size << ": " << message.close.text;
      EXPECT_EQ(message.kind, kind);
      EXPECT_TRUE(message.payload == payload) << size;
    }
  }
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, BinaryBytesArriveUnchanged) {
  auto websocket = MustDial("/echo");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  // Half of a UTF-8 character is no text, and as binary nobody's business.
  for (const std::string& payload : {all, std::string("\xE2\x82"), std::string("\xAC")}) {
    const Message message = server_->Run(RoundTrip(websocket.get(), payload, FrameKind::kBinary));
    EXPECT_EQ(message.payload, payload);
  }
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, TextMustBeUtf8) {
  auto websocket = MustDial("/echo");
  const Message message = server_->Run(RoundTrip(websocket.get(), "\xC3\x28", FrameKind::kText));
  EXPECT_FALSE(message.open);
  EXPECT_EQ(message.close.code, 1007);
  EXPECT_EQ(ends_.echo.get_future().get().code, 1007);
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, AMessageBeyondTheLimitEndsWith1009) {
  auto websocket = MustDial("/echo");
  const Message message = server_->Run(
      RoundTrip(websocket.get(), std::string(kMaxMessageBytes + 1, 'x'), FrameKind::kBinary));
  EXPECT_FALSE(message.open);
  EXPECT_EQ(message.close.code, kCloseTooBig);
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseTooBig);
  Drop(std::move(websocket));
}

net::awaitable<Message> SendInPieces(WebSocket* websocket) {
  const std::string part = "abc";
  const net::const_buffer data = net::buffer(part);
  (co_await websocket->WriteSome(data, FrameKind::kText, Fin::kMore)).IgnoreError();
  const net::const_buffer nothing;
  (co_await websocket->WriteSome(nothing, FrameKind::kText, Fin::kMore)).IgnoreError();
  (co_await websocket->WriteSome(data, FrameKind::kText, Fin::kLast)).IgnoreError();
  Message message = co_await websocket->ReadMessage();
  co_return message;
}

TEST_F(WebSocketTest, FragmentsMakeOneMessage) {
  auto websocket = MustDial("/echo");
  const Message message = server_->Run(SendInPieces(websocket.get()));
  EXPECT_EQ(message.payload, "abcabc");
  EXPECT_EQ(message.kind, FrameKind::kText);
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, SelectsASubprotocolThatWasOffered) {
  auto dialled = Dial("/echo", {"a", "b", "c"});
  ASSERT_THAT(dialled, IsOk());
  EXPECT_EQ(dialled->subprotocol, "b");
  Drop(std::move(dialled->websocket));
}

TEST_F(WebSocketTest, SelectsNoSubprotocolIfNoneFits) {
  auto dialled = Dial("/echo", {"a"});
  ASSERT_THAT(dialled, IsOk());
  EXPECT_EQ(dialled->subprotocol, "");
  Drop(std::move(dialled->websocket));
}

net::awaitable<CloseReason> ReadEnd(WebSocket* websocket) {
  const Message message = co_await websocket->ReadMessage();
  co_return message.close;
}

TEST_F(WebSocketTest, TheServersCloseCodeArrives) {
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

TEST_F(WebSocketTest, TheServersLossIs1006) {
  server_reason_.code = kCloseLost;
  auto websocket = MustDial("/close");
  EXPECT_EQ(server_->Run(ReadEnd(websocket.get())).code, kCloseLost);
  Drop(std::move(websocket));
}

net::awaitable<void> CloseWith(WebSocket* websocket, CloseReason reason) {
  co_await websocket->Close(std::move(reason));
}

TEST_F(WebSocketTest, TheClientsCloseCodeArrives) {
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

TEST_F(WebSocketTest, TheClientsLossIs1006) {
  auto websocket = MustDial("/echo");
  Drop(std::move(websocket));
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseLost);
}

net::awaitable<void> AbortOne(WebSocket* websocket) {
  websocket->Abort();
  co_return;
}

TEST_F(WebSocketTest, AbortEndsAPendingRead) {
  auto websocket = MustDial("/echo");
  auto reading =
      net::co_spawn(server_->client_executor(), ReadEnd(websocket.get()), net::use_future);

  server_->Run(AbortOne(websocket.get()));

  EXPECT_EQ(reading.get().code, kCloseLost);
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, CloseEndsAPendingRead) {
  auto websocket = MustDial("/echo");
  auto reading =
      net::co_spawn(server_->client_executor(), ReadEnd(websocket.get()), net::use_future);

  server_->Run(CloseWith(websocket.get(), CloseReason{kCloseNormal, ""}));

  EXPECT_EQ(reading.get().code, kCloseNormal);
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseNormal);
  Drop(std::move(websocket));
}

// Dials /hold with periods of its own; the server's end is never read.
class DeafPeerTest : public WebSocketTest {
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

TEST_F(WebSocketTest, ARefusalKeepsCodeAndMessage) {
  EXPECT_THAT(Dial("/refuse"), StatusIs(absl::StatusCode::kPermissionDenied,
                                        "device \"7\" is not yours; ask an administrator"));
}

TEST_F(WebSocketTest, ADroppedUpgradeIsAnswered) {
  EXPECT_THAT(Dial("/drop"), StatusIs(absl::StatusCode::kInternal, HasSubstr("try again")));
}

TEST_F(WebSocketTest, AnUnknownPathIsNotFound) {
  EXPECT_THAT(Dial("/nowhere"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing at /nowhere")));
}

net::awaitable<std::thread::id> ThreadOf() { co_return std::this_thread::get_id(); }

TEST_F(WebSocketTest, MovesToAnotherThread) {
  auto websocket = MustDial("/move");
  const auto spare_thread = net::co_spawn(spare_.executor(0), ThreadOf(), net::use_future).get();
  EXPECT_EQ(ends_.moved_to.get_future().get(), spare_thread);

  const Message message =
      server_->Run(RoundTrip(websocket.get(), std::string(1 << 20, 'm'), FrameKind::kBinary));
  EXPECT_EQ(message.payload.size(), std::size_t{1 << 20});

  server_->Run(CloseWith(websocket.get(), CloseReason{kCloseNormal, ""}));
  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseNormal);
  Drop(std::move(websocket));
}

TEST_F(WebSocketTest, CloseAllEndsAMovedConnection) {
  auto websocket = MustDial("/move");
  ends_.moved_to.get_future().get();

  server_->listener().CloseAll();

  EXPECT_EQ(ends_.echo.get_future().get().code, kCloseLost);
  EXPECT_EQ(server_->Run(ReadEnd(websocket.get())).code, kCloseLost);
  Drop(std::move(websocket));
}

}  // namespace
}  // namespace fairlead::dataplane
