// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// WebSockets over real TLS on the loopback interface: handshake, frames of all sizes, limits, and
// moving to another thread.
#include "dataplane/websocket.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/testing/websocket_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::CloseWith;
using ::testing::HasSubstr;
using testing::ReadEnd;

class WebSocketTest : public testing::WebSocketFixture {};

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
