// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See fd_splice.h. Two pumps and a watchdog share a State; the first to end stops the others, and
// the last one out is the caller, which then closes TLS in order.
#include "dataplane/fd_splice.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dataplane/async_event.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kBufferBytes = 16 * 1024;
constexpr absl::Duration kShutdownTimeout = absl::Seconds(2);

struct State {
  State(std::unique_ptr<TlsStream> stream, absl::Duration timeout)
      : tls(std::move(stream)),
        local(tls->get_executor()),
        watchdog(tls->get_executor()),
        out_done(tls->get_executor()),
        watchdog_done(tls->get_executor()),
        write_timeout(absl::ToChronoMilliseconds(timeout)) {}

  // Ends both pumps; what they have in hand is dropped.
  void Stop() {
    stopped = true;
    error_code ignored;
    local.close(ignored);
    tls->socket().cancel(ignored);
    watchdog.cancel();
  }

  std::unique_ptr<TlsStream> tls;
  net::local::stream_protocol::socket local;
  net::steady_timer watchdog;
  AsyncEvent out_done;
  AsyncEvent watchdog_done;
  const std::chrono::milliseconds write_timeout;
  // Counts writes to TLS; odd while one is pending.
  std::uint64_t writes = 0;
  bool stopped = false;
  // TLS still takes a close_notify.
  bool orderly = true;
};

// From the peer to the library.
net::awaitable<void> PumpIn(std::shared_ptr<State> state) {
  std::array<char, kBufferBytes> buffer;
  while (!state->stopped) {
    auto [read_error, size] = co_await state->tls->async_read_some(net::buffer(buffer), kToken);
    if (read_error) {
      if (read_error != net::error::eof && read_error != net::error::operation_aborted) {
        state->orderly = false;
      }
      break;
    }
    if (state->stopped) break;
    const auto chunk = net::buffer(buffer.data(), size);
    auto [write_error, written] = co_await net::async_write(state->local, chunk, kToken);
    if (write_error) break;
  }
  state->Stop();
}

// Writes all of `rest` to the peer; false if it cannot.
net::awaitable<bool> WriteTls(State& state, net::const_buffer rest) {
  while (rest.size() > 0 && !state.stopped) {
    ++state.writes;
    auto [error, size] = co_await state.tls->async_write_some(rest, kToken);
    ++state.writes;
    if (error) {
      state.orderly = false;
      co_return false;
    }
    rest += size;
  }
  co_return rest.size() == 0;
}

// From the library to the peer.
net::awaitable<void> PumpOut(std::shared_ptr<State> state) {
  std::array<char, kBufferBytes> buffer;
  while (!state->stopped) {
    auto [error, size] = co_await state->local.async_read_some(net::buffer(buffer), kToken);
    if (error) break;
    const net::const_buffer chunk(buffer.data(), size);
    const bool written = co_await WriteTls(*state, chunk);
    if (!written) break;
  }
  state->Stop();
  state->out_done.Set();
}

// Stops the splice when one write to the peer lasts for the whole timeout.
net::awaitable<void> Watch(std::shared_ptr<State> state) {
  while (!state->stopped) {
    const std::uint64_t before = state->writes;
    state->watchdog.expires_after(state->write_timeout);
    co_await state->watchdog.async_wait(kToken);
    if (!state->stopped && before % 2 == 1 && before == state->writes) {
      state->orderly = false;
      state->Stop();
    }
  }
  state->watchdog_done.Set();
}

}  // namespace

absl::StatusOr<FdPair> MakeFdPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no socketpair for a gRPC connection: ", std::strerror(errno),
                     "; raise the limit of open files"));
  }
  return FdPair{fds[0], fds[1]};
}

net::awaitable<void> Splice(std::unique_ptr<TlsStream> tls, int fd, absl::Duration write_timeout) {
  const auto state = std::make_shared<State>(std::move(tls), write_timeout);
  error_code error;
  state->local.assign(net::local::stream_protocol(), fd, error);
  if (error) {
    close(fd);
    state->tls->Close();
    co_return;
  }
  const net::any_io_executor executor = state->tls->get_executor();
  net::co_spawn(executor, PumpOut(state), net::detached);
  net::co_spawn(executor, Watch(state), net::detached);
  co_await PumpIn(state);
  co_await state->out_done.Wait();
  co_await state->watchdog_done.Wait();
  if (state->orderly) co_await state->tls->Shutdown(kShutdownTimeout);
  state->tls->Close();
}

absl::StatusOr<int> SpliceToFd(std::unique_ptr<TlsStream> tls) {
  const absl::StatusOr<FdPair> pair = MakeFdPair();
  if (!pair.ok()) {
    tls->Close();
    return pair.status();
  }
  const net::any_io_executor executor = tls->get_executor();
  net::co_spawn(executor, Splice(std::move(tls), pair->ours), net::detached);
  return pair->theirs;
}

}  // namespace fairlead::dataplane
