// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers a TLS stream in the guise of a WebSocket, over real sockets: bytes both ways, and every
// kind of end.
#include "dataplane/stream_websocket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;
using testing::SocketPair;
using testing::Task;
using testing::TestCa;
using Role = TlsStream::Role;

// Every byte value, in an order that repeats late.
std::string Bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

CloseReason MakeReason(std::uint16_t code, std::string text = "") {
  CloseReason reason;
  reason.code = code;
  reason.text = std::move(text);
  return reason;
}

net::awaitable<absl::Status> Shake(TlsStream& stream, std::string name) {
  co_return co_await stream.Handshake(absl::Seconds(30), name, nullptr);
}

// All that a device reads until the end, and how that came.
struct DeviceView {
  std::string bytes;
  error_code end;
};

net::awaitable<DeviceView> ReadDevice(TlsStream& device) {
  DeviceView view;
  std::string buffer(64 * 1024, '\0');
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    auto [error, size] = co_await device.async_read_some(room, kToken);
    if (error) {
      view.end = error;
      co_return view;
    }
    view.bytes.append(buffer, 0, size);
  }
}

net::awaitable<bool> WriteDevice(TlsStream& device, std::string bytes) {
  net::const_buffer rest = net::buffer(bytes);
  while (rest.size() > 0) {
    auto [error, size] = co_await device.async_write_some(rest, kToken);
    if (error) co_return false;
    rest += size;
  }
  co_return true;
}

net::awaitable<bool> WriteDeviceAndEnd(TlsStream& device, std::string bytes) {
  const bool written = co_await WriteDevice(device, std::move(bytes));
  // It goes out only if the kernel takes it at once.
  co_await device.socket().async_wait(net::socket_base::wait_write, kToken);
  device.SendCloseNotify();
  co_return written;
}

// Reads to the end, and closes.
net::awaitable<DeviceView> ReadDeviceAndClose(TlsStream& device) {
  DeviceView view = co_await ReadDevice(device);
  device.Close();
  co_return view;
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
    SocketPair sockets(context_);
    const auto server = TlsServerContext::Create(ca_.Issue({}), "").value();
    const auto client = TlsClientContext::Create({ca_.pem(), ""}, nullptr, {}).value();
    device_ =
        std::make_unique<TlsStream>(std::move(sockets.server), server->Acquire(), Role::kServer);
    auto stream =
        std::make_unique<TlsStream>(std::move(sockets.client), client->Acquire(), Role::kClient);
    Task<absl::Status> accepted(context_, Shake(*device_, ""));
    Task<absl::Status> connected(context_, Shake(*stream, "localhost"));
    ASSERT_THAT(accepted.Get(), IsOk());
    ASSERT_THAT(connected.Get(), IsOk());
    descriptor_ = stream->socket().native_handle();
    PeerInfo peer;
    peer.address = "192.0.2.1:30022";
    leg_ = MakeStreamWebSocket(std::move(stream), peer, options);
  }

  // The device's connection is reset.
  void Reset() {
    const linger hard{1, 0};
    ::setsockopt(device_->socket().native_handle(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    device_->Close();
  }

  int Option(int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    EXPECT_EQ(::getsockopt(descriptor_, level, name, &value, &size), 0);
    return value;
  }

  net::io_context context_;
  TestCa ca_;
  std::unique_ptr<TlsStream> device_;
  std::unique_ptr<WebSocket> leg_;
  int descriptor_ = -1;
};

TEST_F(StreamWebSocketTest, GivesWhatTheDeviceSendsAsBinary) {
  Connect();
  const std::string sent = Bytes(3 << 20);
  Task<bool> device(context_, WriteDeviceAndEnd(*device_, sent));
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
  const std::string sent = Bytes(3 << 20);
  Task<DeviceView> device(context_, ReadDeviceAndClose(*device_));

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
  Task<bool> written(context_, WriteDevice(*device_, "bye"));
  ASSERT_TRUE(written.Get());
  device_->Close();

  const Message all = testing::Await(context_, ReadLeg(*leg_));
  EXPECT_EQ(all.payload, "bye");
  EXPECT_EQ(all.close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, AHalfCloseIsAnsweredWithCloseNotify) {
  Connect();
  device_->SendCloseNotify();
  Task<DeviceView> device(context_, ReadDevice(*device_));

  const Message all = testing::Await(context_, ReadLeg(*leg_));
  EXPECT_EQ(all.close.code, kCloseNormal);
  EXPECT_EQ(device.Get().end, net::error::eof);
  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, AResetIsALoss) {
  Connect();
  Reset();

  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseLost);
  EXPECT_THAT(testing::Await(context_, leg_->WriteBinary("x")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("192.0.2.1:30022")));
  EXPECT_THAT(testing::Await(context_, leg_->WriteText("x")),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(StreamWebSocketTest, AForgedRecordIsALoss) {
  Connect();
  const std::string forged("\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37);
  ASSERT_EQ(::send(device_->socket().native_handle(), forged.data(), forged.size(), 0),
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
  Task<DeviceView> device(context_, ReadDevice(*device_));
  Task<Message> leg(context_, ReadLeg(*leg_));
  context_.poll();

  Task<bool> closed(context_, CloseLeg(*leg_, MakeReason(kCloseTerminated, "ended")));

  EXPECT_EQ(leg.Get().close.code, kCloseTerminated);
  EXPECT_EQ(device.Get().end, net::error::eof);
  device_->Close();
  EXPECT_TRUE(closed.Get());
}

TEST_F(StreamWebSocketTest, CloseDoesNotWaitForAPeerThatNeverCloses) {
  StreamWebSocketOptions options;
  options.close_timeout = absl::Milliseconds(20);
  Connect(options);

  EXPECT_TRUE(testing::Await(context_, CloseLeg(*leg_, MakeReason(kCloseNormal))));
  EXPECT_EQ(testing::Await(context_, ReadLeg(*leg_)).close.code, kCloseNormal);
}

TEST_F(StreamWebSocketTest, AWriteWithoutProgressEndsTheLeg) {
  StreamWebSocketOptions options;
  options.write_timeout = absl::Milliseconds(50);
  Connect(options);
  Task<Message> leg(context_, ReadLeg(*leg_));

  // More than the kernel holds for a device that does not read.
  EXPECT_THAT(testing::Await(context_, leg_->WriteBinary(Bytes(32 << 20))),
              StatusIs(absl::StatusCode::kUnavailable));
  const Message all = leg.Get();
  EXPECT_EQ(all.close.code, kCloseLost);
  EXPECT_THAT(all.close.text, HasSubstr("takes nothing"));
}

TEST_F(StreamWebSocketTest, TheKernelWatchesASilentPeer) {
  Connect();

  EXPECT_EQ(Option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Option(IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(Option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(Option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_LT(Option(IPPROTO_TCP, TCP_USER_TIMEOUT), 40'000);
}

}  // namespace
}  // namespace fairlead::dataplane
