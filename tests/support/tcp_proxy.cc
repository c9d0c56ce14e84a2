// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See tcp_proxy.h.
#include "tests/support/tcp_proxy.h"

#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "dataplane/asio.h"
#include "tests/support/blocking.h"

namespace fairlead::tests {

using dataplane::kToken;
using dataplane::net::awaitable;
using dataplane::net::buffer;
using dataplane::net::co_spawn;
using dataplane::net::detached;
using dataplane::net::ip::tcp;

namespace {

// Two joined connections.
struct Pair {
  explicit Pair(tcp::socket accepted)
      : client(std::move(accepted)), server(client.get_executor()) {}
  void Close() {
    dataplane::error_code ignored;
    client.close(ignored);
    server.close(ignored);
  }
  tcp::socket client;
  tcp::socket server;
  int ended_directions = 0;
};

}  // namespace

// Everything runs on the test's I/O thread.
struct TcpProxy::State : std::enable_shared_from_this<TcpProxy::State> {
  explicit State(std::uint16_t target)
      : target_port(target),
        acceptor(TestThreads().executor(0),
                 tcp::endpoint(dataplane::net::ip::address_v4::loopback(), 0)),
        gate(TestThreads().executor(0)) {
    gate.expires_at(std::chrono::steady_clock::time_point::max());
  }

  std::atomic<std::uint16_t> target_port;
  std::atomic<std::uint64_t> bytes{0};
  tcp::acceptor acceptor;
  // Fires (by being cancelled) when forwarding may go on.
  dataplane::net::steady_timer gate;
  bool black_hole = false;
  std::vector<std::weak_ptr<Pair>> pairs;

  awaitable<void> Pump(std::shared_ptr<Pair> pair, tcp::socket& from, tcp::socket& to) {
    std::vector<char> data(64 * 1024);
    while (true) {
      while (black_hole) co_await gate.async_wait(kToken);
      const auto [read_error, n] = co_await from.async_read_some(buffer(data), kToken);
      if (read_error) co_return OnEnd(*pair, to, read_error == dataplane::net::error::eof);
      while (black_hole) co_await gate.async_wait(kToken);
      const auto [write_error, m] =
          co_await dataplane::net::async_write(to, buffer(data.data(), n), kToken);
      if (write_error) co_return OnEnd(*pair, to, false);
      bytes += n;
    }
  }

  // Passes the end of one direction on; after a failure, and after both ends, nothing is left.
  static void OnEnd(Pair& pair, tcp::socket& to, bool clean) {
    if (!clean || ++pair.ended_directions == 2) return pair.Close();
    dataplane::error_code ignored;
    to.shutdown(tcp::socket::shutdown_send, ignored);
  }

  awaitable<void> Serve(std::shared_ptr<State> self, std::shared_ptr<Pair> pair) {
    while (black_hole) co_await gate.async_wait(kToken);
    const tcp::endpoint target(dataplane::net::ip::address_v4::loopback(), target_port);
    const auto [error] = co_await pair->server.async_connect(target, kToken);
    if (error) {
      pair->Close();
      co_return;
    }
    dataplane::error_code ignored;
    pair->client.set_option(tcp::no_delay(true), ignored);
    pair->server.set_option(tcp::no_delay(true), ignored);
    const auto executor = acceptor.get_executor();
    co_spawn(executor, self->Pump(pair, pair->client, pair->server), detached);
    co_await self->Pump(pair, pair->server, pair->client);
  }

  awaitable<void> Accept(std::shared_ptr<State> self) {
    while (acceptor.is_open()) {
      auto [error, socket] = co_await acceptor.async_accept(kToken);
      if (error) co_return;
      auto pair = std::make_shared<Pair>(std::move(socket));
      pairs.push_back(pair);
      co_spawn(acceptor.get_executor(), Serve(self, pair), detached);
    }
  }

  void CloseAll() {
    for (const std::weak_ptr<Pair>& weak : pairs) {
      if (const std::shared_ptr<Pair> pair = weak.lock()) pair->Close();
    }
    pairs.clear();
  }

  awaitable<void> SetBlackHole(bool on) {
    black_hole = on;
    if (!on) CloseAll();
    gate.cancel();
    co_return;
  }

  awaitable<void> Stop() {
    acceptor.close();
    CloseAll();
    black_hole = false;
    gate.cancel();
    co_return;
  }
};

TcpProxy::TcpProxy(std::uint16_t target_port) : state_(std::make_shared<State>(target_port)) {
  co_spawn(TestThreads().executor(0), state_->Accept(state_), detached);
}

TcpProxy::~TcpProxy() { Block(state_->Stop()); }

void TcpProxy::SetTarget(std::uint16_t target_port) { state_->target_port = target_port; }

std::uint64_t TcpProxy::bytes() const { return state_->bytes; }

std::uint16_t TcpProxy::port() const { return state_->acceptor.local_endpoint().port(); }

void TcpProxy::BlackHole() { Block(state_->SetBlackHole(true)); }

void TcpProxy::Recover() { Block(state_->SetBlackHole(false)); }

}  // namespace fairlead::tests
