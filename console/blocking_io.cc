// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See blocking_io.h.
#include "console/blocking_io.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstdint>

namespace fairlead::console {

using dataplane::net::awaitable;
using dataplane::net::co_spawn;
using dataplane::net::use_awaitable;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// A write of at most this much does not block once poll has said that a pipe is writable
// (PIPE_BUF).
constexpr std::size_t kWriteBytes = 4096;

}  // namespace

BlockingIo::BlockingIo(int input, int output)
    : input_(input), output_(output), stop_(eventfd(0, EFD_CLOEXEC)) {}

BlockingIo::~BlockingIo() {
  Stop();
  reader_.join();
  writer_.join();
  close(stop_);
}

void BlockingIo::Stop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = write(stop_, &one, sizeof(one));
}

bool BlockingIo::AwaitReady(int fd, short events) const {
  while (true) {
    pollfd entries[] = {{fd, events, 0}, {stop_, POLLIN, 0}};
    if (poll(entries, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (entries[1].revents != 0) return false;
    if (entries[0].revents != 0) return true;
  }
}

awaitable<std::string> BlockingIo::ReadOnThread() {
  std::string bytes(kReadBytes, '\0');
  ssize_t n = -1;
  while (AwaitReady(input_, POLLIN)) {
    n = read(input_, bytes.data(), bytes.size());
    if (n >= 0 || (errno != EINTR && errno != EAGAIN)) break;
  }
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  co_return bytes;
}

awaitable<bool> BlockingIo::WriteOnThread(absl::string_view bytes) {
  while (!bytes.empty()) {
    if (!AwaitReady(output_, POLLOUT)) co_return false;
    const ssize_t n = write(output_, bytes.data(), std::min(bytes.size(), kWriteBytes));
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR && errno != EAGAIN) {
      co_return false;
    }
  }
  co_return true;
}

awaitable<std::string> BlockingIo::Read() {
  awaitable<std::string> work = ReadOnThread();
  co_return co_await co_spawn(reader_.get_executor(), std::move(work), use_awaitable);
}

awaitable<bool> BlockingIo::Write(absl::string_view bytes) {
  awaitable<bool> work = WriteOnThread(bytes);
  co_return co_await co_spawn(writer_.get_executor(), std::move(work), use_awaitable);
}

awaitable<bool> BlockingIo::AwaitHangUp() { co_return false; }

}  // namespace fairlead::console
