// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See connect_proxy.h.
#include "dataplane/testing/connect_proxy.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "dataplane/asio.h"
#include "dataplane/endpoint.h"
#include "dataplane/io_threads.h"

namespace fairlead::dataplane::testing {
namespace {

using net::ip::tcp;
using Socket = std::shared_ptr<tcp::socket>;

// The request up to its empty line; empty if the client went away.
net::awaitable<std::string> ReadRequest(Socket client) {
  std::string head;
  char buffer[1024];
  const net::mutable_buffer room = net::buffer(buffer);
  while (head.find("\r\n\r\n") == std::string::npos) {
    auto [error, size] = co_await client->async_read_some(room, kToken);
    if (error) co_return "";
    head.append(buffer, size);
  }
  co_return head;
}

// "host:port" of "CONNECT host:port HTTP/1.1".
std::string TargetOf(const std::string& request) {
  const std::vector<std::string> words = absl::StrSplit(request, ' ');
  return words.size() > 1 && words[0] == "CONNECT" ? words[1] : "";
}

net::awaitable<bool> ConnectTo(Socket server, std::string target) {
  const absl::StatusOr<Endpoint> endpoint = ParseAddress(target);
  if (!endpoint.ok()) co_return false;
  tcp::resolver resolver(server->get_executor());
  const std::string port = std::to_string(endpoint->port);
  auto [unknown, addresses] = co_await resolver.async_resolve(endpoint->host, port, kToken);
  if (unknown) co_return false;
  auto [refused, address] = co_await net::async_connect(*server, addresses, kToken);
  co_return !refused;
}

net::awaitable<void> Say(Socket client, std::string text) {
  co_await net::async_write(*client, net::buffer(text), kToken);
}

}  // namespace

struct ConnectProxy::State {
  State() : acceptor(thread.executor(0), {net::ip::address_v4::loopback(), 0}) {}

  net::awaitable<void> Accept();
  net::awaitable<void> Serve(Socket client);
  net::awaitable<void> Copy(Socket from, Socket to);

  IoThreads thread{1};
  tcp::acceptor acceptor;
  // On the proxy's thread alone.
  std::set<Socket> sockets;

  absl::Mutex mutex;
  std::string answer ABSL_GUARDED_BY(mutex);
  bool silent ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::string> targets ABSL_GUARDED_BY(mutex);
  std::uint64_t bytes ABSL_GUARDED_BY(mutex) = 0;
};

net::awaitable<void> ConnectProxy::State::Accept() {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(kToken);
    if (error) co_return;
    auto client = std::make_shared<tcp::socket>(std::move(socket));
    sockets.insert(client);
    net::co_spawn(acceptor.get_executor(), Serve(std::move(client)), net::detached);
  }
}

net::awaitable<void> ConnectProxy::State::Serve(Socket client) {
  const std::string target = TargetOf(co_await ReadRequest(client));
  std::string instead;
  {
    absl::MutexLock lock(&mutex);
    if (silent) co_return;
    instead = target.empty() ? "HTTP/1.1 405 Method Not Allowed\r\n\r\n" : answer;
  }
  const auto server = std::make_shared<tcp::socket>(client->get_executor());
  if (instead.empty()) {
    const bool connected = co_await ConnectTo(server, target);
    if (!connected) instead = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
  }
  if (!instead.empty()) {
    co_await Say(client, instead);
    co_return;
  }
  sockets.insert(server);
  {
    absl::MutexLock lock(&mutex);
    targets.push_back(target);
  }
  co_await Say(client, "HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n");
  net::co_spawn(client->get_executor(), Copy(client, server), net::detached);
  co_await Copy(server, client);
}

// Hands on bytes, and their end.
net::awaitable<void> ConnectProxy::State::Copy(Socket from, Socket to) {
  std::vector<char> buffer(16 * 1024);
  const net::mutable_buffer room = net::buffer(buffer);
  error_code ignored;
  for (;;) {
    auto [read_error, size] = co_await from->async_read_some(room, kToken);
    if (read_error) break;
    const net::const_buffer got = net::buffer(buffer.data(), size);
    auto [write_error, written] = co_await net::async_write(*to, got, kToken);
    if (write_error) break;
    absl::MutexLock lock(&mutex);
    bytes += size;
  }
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

ConnectProxy::ConnectProxy() : state_(std::make_shared<State>()) {
  net::co_spawn(state_->acceptor.get_executor(), state_->Accept(), net::detached);
}

ConnectProxy::~ConnectProxy() {
  CutAll();
  state_->thread.Stop();
}

std::uint16_t ConnectProxy::port() const { return state_->acceptor.local_endpoint().port(); }

std::string ConnectProxy::url() const { return absl::StrCat("http://127.0.0.1:", port()); }

void ConnectProxy::AnswerWith(std::string bytes) {
  absl::MutexLock lock(&state_->mutex);
  state_->answer = std::move(bytes);
}

void ConnectProxy::Refuse(int status) {
  AnswerWith(absl::StrCat("HTTP/1.1 ", status, " Refused\r\nContent-Length: 0\r\n\r\n"));
}

void ConnectProxy::FallSilent() {
  absl::MutexLock lock(&state_->mutex);
  state_->silent = true;
}

int ConnectProxy::tunnels() const { return static_cast<int>(targets().size()); }

std::vector<std::string> ConnectProxy::targets() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->targets;
}

std::uint64_t ConnectProxy::bytes() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->bytes;
}

void ConnectProxy::CutAll() {
  absl::Notification done;
  net::post(state_->acceptor.get_executor(), [state = state_, &done] {
    error_code ignored;
    for (const Socket& socket : state->sockets) {
      // A process that was started meanwhile has copies of the descriptors: closing ours ends
      // nothing then.
      socket->shutdown(tcp::socket::shutdown_both, ignored);
      socket->close(ignored);
    }
    state->sockets.clear();
    done.Notify();
  });
  done.WaitForNotification();
}

}  // namespace fairlead::dataplane::testing
