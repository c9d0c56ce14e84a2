// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See socket_io.h.
#include "console/socket_io.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace fairlead::console {

using dataplane::error_code;
using dataplane::kToken;
using dataplane::net::awaitable;
using dataplane::net::ip::tcp;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::chrono::milliseconds kLookInterval(500);

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

// "0100007F:1F90", as /proc/net/tcp writes an address and a port of this host.
std::string ProcAddress(const tcp::endpoint& endpoint) {
  std::string text;
  const auto append = [&text](const auto& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
      std::uint32_t word = 0;
      std::memcpy(&word, bytes.data() + at, sizeof(word));
      text += absl::StrFormat("%08X", word);
    }
  };
  if (endpoint.address().is_v4()) {
    append(endpoint.address().to_v4().to_bytes());
  } else {
    append(endpoint.address().to_v6().to_bytes());
  }
  return absl::StrFormat("%s:%04X", text, endpoint.port());
}

// Whether the client's own end of the connection is on this host and no process has it open any
// more: it then belongs to no inode.
bool IsOrphanOnThisHost(const tcp::endpoint& client, const tcp::endpoint& ours) {
  std::ifstream table(client.address().is_v4() ? "/proc/net/tcp" : "/proc/net/tcp6");
  const std::string local = ProcAddress(client);
  const std::string remote = ProcAddress(ours);
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() > 9 && fields[1] == local && fields[2] == remote) return fields[9] == "0";
  }
  return false;
}

}  // namespace

SocketIo::SocketIo(tcp::socket socket)
    : socket_(std::move(socket)), pause_(socket_.get_executor()) {
  const int fd = socket_.native_handle();
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

awaitable<std::string> SocketIo::Read() {
  if (stopped_) co_return "";
  std::string bytes(kReadBytes, '\0');
  const auto buffer = dataplane::net::buffer(bytes);
  const auto [error, size] = co_await socket_.async_read_some(buffer, kToken);
  bytes.resize(error || stopped_ ? 0 : size);
  co_return bytes;
}

awaitable<bool> SocketIo::Write(absl::string_view bytes) {
  if (stopped_) co_return false;
  const auto buffer = dataplane::net::buffer(bytes.data(), bytes.size());
  const auto [error, size] = co_await dataplane::net::async_write(socket_, buffer, kToken);
  co_return !error && size == bytes.size();
}

awaitable<bool> SocketIo::AwaitHangUp() {
  error_code error;
  const tcp::endpoint client = socket_.remote_endpoint(error);
  const tcp::endpoint ours = socket_.local_endpoint(error);
  while (!stopped_) {
    // A reset and an unanswered probe both leave an error on the socket.
    int failure = 0;
    socklen_t size = sizeof(failure);
    const int got = getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &size);
    tcp_info info{};
    socklen_t info_size = sizeof(info);
    getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &info_size);
    if (error || got != 0 || failure != 0 || info.tcpi_state == TCP_CLOSE) co_return true;
    if (IsOrphanOnThisHost(client, ours)) co_return true;
    pause_.expires_after(kLookInterval);
    co_await pause_.async_wait(kToken);
  }
  co_return false;
}

void SocketIo::Stop() {
  stopped_ = true;
  error_code ignored;
  socket_.cancel(ignored);
  pause_.cancel();
}

awaitable<void> SocketIo::Finish(absl::Duration timeout) {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  // Shared with the timer, whose handler may run after this coroutine.
  const auto done = std::make_shared<bool>(false);
  pause_.expires_after(absl::ToChronoNanoseconds(timeout));
  pause_.async_wait([this, done](const error_code& cancelled) {
    error_code ignored;
    if (!cancelled && !*done) socket_.close(ignored);
  });
  // What the client still sends would turn a close into a reset, which may overtake our last bytes.
  std::array<char, 4096> dropped;
  const auto buffer = dataplane::net::buffer(dropped);
  while (!error && socket_.is_open()) {
    const auto [failed, size] = co_await socket_.async_read_some(buffer, kToken);
    error = failed;
  }
  *done = true;
  pause_.cancel();
  socket_.close(error);
}

}  // namespace fairlead::console
