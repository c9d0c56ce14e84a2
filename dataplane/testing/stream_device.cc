// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/testing/stream_device.h"

#include <sys/socket.h>

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "base/status_matchers.h"
#include "dataplane/testing/run.h"
#include "dataplane/tls_context.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane::testing {
namespace {

net::awaitable<absl::Status> Shake(TlsStream& stream, std::string name) {
  co_return co_await stream.Handshake(absl::Seconds(30), name, nullptr);
}

}  // namespace

std::string ManyBytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

int SocketOption(int descriptor, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(descriptor, level, name, &value, &size), 0);
  return value;
}

StreamDevice::StreamDevice(net::io_context& context) {
  SocketPair sockets(context);
  const auto server = TlsServerContext::Create(ca_.Issue({}), "").value();
  const auto client = TlsClientContext::Create({ca_.pem(), ""}, nullptr, {}).value();
  using Role = TlsStream::Role;
  stream_ =
      std::make_unique<TlsStream>(std::move(sockets.server), server->Acquire(), Role::kServer);
  client_ =
      std::make_unique<TlsStream>(std::move(sockets.client), client->Acquire(), Role::kClient);
  client_descriptor_ = client_->socket().native_handle();
  Task<absl::Status> accepted(context, Shake(*stream_, ""));
  Task<absl::Status> connected(context, Shake(*client_, "localhost"));
  EXPECT_THAT(accepted.Get(), IsOk());
  EXPECT_THAT(connected.Get(), IsOk());
}

net::awaitable<DeviceView> StreamDevice::Read() {
  DeviceView view;
  std::string buffer(64 * 1024, '\0');
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    auto [error, size] = co_await stream_->async_read_some(room, kToken);
    if (error) {
      view.end = error;
      co_return view;
    }
    view.bytes.append(buffer, 0, size);
  }
}

net::awaitable<DeviceView> StreamDevice::ReadAndClose() {
  DeviceView view = co_await Read();
  stream_->Close();
  co_return view;
}

net::awaitable<bool> StreamDevice::Write(std::string bytes) {
  net::const_buffer rest = net::buffer(bytes);
  while (rest.size() > 0) {
    auto [error, size] = co_await stream_->async_write_some(rest, kToken);
    if (error) co_return false;
    rest += size;
  }
  co_return true;
}

net::awaitable<bool> StreamDevice::WriteAndEnd(std::string bytes) {
  const bool written = co_await Write(std::move(bytes));
  // It goes out only if the kernel takes it at once.
  co_await stream_->socket().async_wait(net::socket_base::wait_write, kToken);
  stream_->SendCloseNotify();
  co_return written;
}

void StreamDevice::Reset() {
  const linger hard{1, 0};
  ::setsockopt(stream_->socket().native_handle(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  stream_->Close();
}

}  // namespace fairlead::dataplane::testing
