// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a TLS stream in the guise of a WebSocket, over real sockets: bytes both ways, and every
// kind of end.
#include "dataplane/stream_websocket.h"

#include <netinet/tcp.h>

#include <memory>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/stream_device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::DeviceView;
using ::testing::HasSubstr;
using testing::ManyBytes;
using testing::SocketOption;
using testing::StreamDevice;
using testing::Task;

CloseReason MakeReason(std::uint16_t code, std::string text = "") {
  CloseReason reason;
  reason.code = code;
  reason.text = std::move(text);
  return reason;
}

net::awaitable<Message> ReadLeg(WebSocket& leg) {
  Message all;
  for (;;) {
    Message message = co_await leg.ReadMessage();
    if (!message.open) {
      all.close = message.close;
      co_return all;
    }
    all.kind = message.kind;
    all.payload += message.payload;
  }
}

net::awaitable<bool> CloseLeg(WebSocket& leg, CloseReason reason) {
  co_await leg.Close(std::move(reason));
  co_return true;
}

class StreamWebSocketTest : public ::testing::Test {
 protected:
  void Connect(StreamWebSocketOptions options = StreamWebSocketOptions()) {
    device_ = std::make_unique<StreamDevice>(context_);
    PeerInfo peer;
    peer.address = "192.0.2.1:30022";
    leg_ = MakeStreamWebSocket(device_->TakeClient(), peer, options);
  }

  net::io_context context_;
  std::unique_ptr<StreamDevice> device_;
  std::unique_ptr<WebSocket> leg_;
};

TEST_F(StreamWebSocketTest, GivesWhatTheDeviceSendsAsBinary) {
  Connect();
  const std::string sent = ManyBytes(3 << 20);
  Task<bool> device(context_, device_->WriteAndEnd(sent));
  Task<Message> leg(context_, ReadLeg(*leg_));

  const Message all = leg.Get();
  EXPECT_TRUE(all.payload == sent);
  EXPECT_EQ(all.kind, FrameKind::kBinary);
  EXPECT_EQ(all.close.code, kCloseNormal);
  EXPECT_TRUE(device.Get());
  EXPECT_EQ(leg_->peer().address, "192.0.2.1:30022");
}

TEST_F(StreamWebSocketTest, BinaryGoesOutAndTextDoesNot) {
  Connect();
  const std::string sent = ManyBytes(3 << 20);
  Task<DeviceView> device(context_, device_->ReadAndClose());

  EXPECT_THAT(testing::Await(context_, leg_->WriteText("attached!")), IsOk());
  EXPECT_THAT(testing::Await(context_, leg_->WriteBinary(sent)), IsOk());
  EXPECT_THAT(testing::Await(context_, leg_->WriteBinary("")), IsOk());
  EXPECT_TRUE(testing::Await(context_, CloseLeg(*leg_, MakeReason(kCloseNormal))));

  const DeviceView view = device.Get();
  EXPECT_TRUE(view.bytes == sent);
  EXPECT_EQ(view.end, net::error::eof);
}

// Telnet servers that know nothing of close_notify just close.
TEST_F(StreamWebSocketTest, APlainEndOfStreamIsANormalClose) {
  Connect();
  Task<bool> written(context_, device_->Write("bye"));
  ASSERT_TRUE(written.Get());
  device_->stream().Close();

  const Message all = testing::Await(context_, ReadLeg(*leg_));
  EXPECT_EQ(all.payload, "bye");
  EXPECT_EQ(all.close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, AHalfCloseIsAnsweredWithCloseNotify) {
  Connect();
  device_->stream().SendCloseNotify();
  Task<DeviceView> device(context_, device_->Read());

  const Message all = testing::Await(context_, ReadLeg(*leg_));
  EXPECT_EQ(all.close.code, kCloseNormal);
  EXPECT_EQ(device.Get().end, net::error::eof);
  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, AResetIsALoss) {
  Connect();
  device_->Reset();

  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseLost);
  EXPECT_THAT(testing::Await(context_, leg_->WriteBinary("x")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("192.0.2.1:30022")));
  EXPECT_THAT(testing::Await(context_, leg_->WriteText("x")),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(StreamWebSocketTest, AForgedRecordIsALoss) {
  Connect();
  const std::string forged("\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37);
  ASSERT_EQ(::send(device_->stream().socket().native_handle(), forged.data(), forged.size(), 0),
            static_cast<ssize_t>(forged.size()));

  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseLost);
}

TEST_F(StreamWebSocketTest, AbortEndsAPendingRead) {
  Connect();
  Task<Message> leg(context_, ReadLeg(*leg_));
  context_.poll();
  ASSERT_FALSE(leg.done());

  leg_->Abort();

  EXPECT_EQ(leg.Get().close.code, kCloseLost);
}

TEST_F(StreamWebSocketTest, CloseEndsAPendingReadWithItsReason) {
  Connect();
  Task<DeviceView> device(context_, device_->Read());
  Task<Message> leg(context_, ReadLeg(*leg_));
  context_.poll();

  Task<bool> closed(context_, CloseLeg(*leg_, MakeReason(kCloseTerminated, "ended")));

  EXPECT_EQ(leg.Get().close.code, kCloseTerminated);
  EXPECT_EQ(device.Get().end, net::error::eof);
  device_->stream().Close();
  EXPECT_TRUE(closed.Get());
}

TEST_F(StreamWebSocketTest, CloseDoesNotWaitForAPeerThatNeverCloses) {
  StreamWebSocketOptions options;
  options.close_timeout = absl::Milliseconds(20);
  Connect(options);

  EXPECT_TRUE(testing::Await(context_, CloseLeg(*leg_, MakeReason(kCloseNormal))));
  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, APeerThatReadsNothingForAWhileIsWaitedFor) {
  StreamWebSocketOptions options;
  options.check_interval = absl::Milliseconds(1);
  Connect(options);
  const std::string output = ManyBytes(32 << 20);
  Task<absl::Status> written(context_, leg_->WriteBinary(output));
  // More than the kernel holds for a peer that does not read.
  for (int checks = 0; checks < 100; ++checks) context_.run_one();
  EXPECT_FALSE(written.done());

  Task<DeviceView> device(context_, device_->ReadAndClose());
  EXPECT_THAT(written.Get(), IsOk());
  EXPECT_TRUE(testing::Await(context_, CloseLeg(*leg_, MakeReason(kCloseNormal))));
  EXPECT_EQ(device.Get().bytes.size(), output.size());
}

TEST_F(StreamWebSocketTest, AResetWhileAWriteWaitsIsALoss) {
  StreamWebSocketOptions options;
  options.check_interval = absl::Milliseconds(1);
  Connect(options);
  const std::string output = ManyBytes(32 << 20);
  Task<absl::Status> written(context_, leg_->WriteBinary(output));
  for (int checks = 0; checks < 100; ++checks) context_.run_one();
  device_->Reset();

  EXPECT_THAT(written.Get(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseLost);
}

TEST_F(StreamWebSocketTest, TheKernelWatchesASilentPeer) {
  Connect();

  EXPECT_EQ(SocketOption(device_->client_descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

}  // namespace
}  // namespace fairlead::dataplane
