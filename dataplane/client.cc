// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Dialling; http_client.cc and websocket_client.cc speak over what is dialled here.
#include "dataplane/client.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "dataplane/deadline.h"
#include "dataplane/proxy_connect.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;
using Moment = Deadline::Moment;

absl::Duration Until(Moment deadline) {
  return absl::FromChrono(deadline - std::chrono::steady_clock::now());
}

// A name look-up that can be given up: the system's resolver cannot be interrupted, so the look-up
// then ends by itself and finds nobody waiting.
struct Lookup {
  explicit Lookup(const net::any_io_executor& executor) : resolver(executor), over(executor) {}

  tcp::resolver resolver;
  // Waited for by the dialling coroutine; made to pass when the look-up ends.
  net::steady_timer over;
  bool done = false;
  error_code error;
  std::vector<tcp::endpoint> endpoints;
};

void StartLookup(const std::shared_ptr<Lookup>& lookup, const Endpoint& endpoint) {
  lookup->resolver.async_resolve(
      endpoint.host, std::to_string(endpoint.port), tcp::resolver::numeric_service,
      [lookup](const error_code& error, const tcp::resolver::results_type& results) {
        lookup->done = true;
        lookup->error = error;
        for (const auto& entry : results) lookup->endpoints.push_back(entry.endpoint());
        lookup->over.expires_at(Moment::min());
      });
}

absl::Status LookupFailure(const Endpoint& endpoint, const Lookup& lookup) {
  if (!lookup.done) {
    return absl::UnavailableError(absl::StrCat("looking up the name ", endpoint.host,
                                               " took too long: check the name server"));
  }
  if (lookup.error == net::error::host_not_found_try_again) {
    return absl::UnavailableError(
        absl::StrCat("cannot look up the name ", endpoint.host, " now: ", lookup.error.message()));
  }
  return absl::NotFoundError(absl::StrCat("the name ", endpoint.host, " does not resolve (",
                                          lookup.error.message(), "): check its spelling"));
}

net::awaitable<absl::StatusOr<std::vector<tcp::endpoint>>> Resolve(const Endpoint& endpoint,
                                                                   Moment deadline) {
  error_code not_an_address;
  const auto address = net::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) {
    co_return std::vector<tcp::endpoint>{tcp::endpoint(address, endpoint.port)};
  }
  const auto lookup = std::make_shared<Lookup>(co_await net::this_coro::executor);
  lookup->over.expires_at(deadline);
  StartLookup(lookup, endpoint);
  co_await lookup->over.async_wait(kToken);
  if (!lookup->done || lookup->endpoints.empty()) {
    lookup->resolver.cancel();
    co_return LookupFailure(endpoint, *lookup);
  }
  co_return std::move(lookup->endpoints);
}

// Lifetime: `socket` must outlive it.
Deadline CloseAt(tcp::socket& socket, Moment moment) {
  return Deadline(socket.get_executor(), moment, [&socket] {
    error_code ignored;
    socket.close(ignored);
  });
}

net::awaitable<error_code> ConnectOne(std::shared_ptr<tcp::socket> socket, tcp::endpoint address,
                                      Moment deadline) {
  const Deadline guard = CloseAt(*socket, deadline);
  auto [error] = co_await socket->async_connect(address, kToken);
  if (!socket->is_open()) co_return net::error::timed_out;
  co_return error;
}

using Connected = absl::StatusOr<std::shared_ptr<tcp::socket>>;

// Tries each address, giving each its share of the time that is left.
net::awaitable<Connected> Connect(const Endpoint& endpoint, std::vector<tcp::endpoint> addresses,
                                  Moment deadline) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const Moment now = std::chrono::steady_clock::now();
    const auto tries_left = static_cast<int>(addresses.size() - i);
    const Moment try_until = now + std::max(deadline - now, Moment::duration::zero()) / tries_left;
    const auto socket = std::make_shared<tcp::socket>(executor);
    const tcp::endpoint address = addresses[i];
    const error_code error = co_await ConnectOne(socket, address, try_until);
    if (!error) co_return socket;
    failures.push_back(absl::StrCat(address.address().to_string(), ": ", error.message()));
  }
  co_return absl::UnavailableError(
      absl::StrCat("nobody answers at ", HostHeader(endpoint), " (", absl::StrJoin(failures, "; "),
                   "): check that the server runs and can be reached"));
}

net::awaitable<Connected> ResolveAndConnect(const Endpoint& endpoint, Moment deadline) {
  auto addresses = co_await Resolve(endpoint, deadline);
  if (!addresses.ok()) co_return addresses.status();
  co_return co_await Connect(endpoint, *std::move(addresses), deadline);
}

// Sends the request and reads the answer. Nothing that belongs to the tunnel is read: a TLS server
// speaks only when it was spoken to.
net::awaitable<absl::Status> AskProxy(std::shared_ptr<tcp::socket> socket, const Endpoint& proxy,
                                      const Endpoint& target, Moment deadline) {
  const Deadline guard = CloseAt(*socket, deadline);
  const std::string request = ConnectRequest(target);
  auto [write_error, written] = co_await net::async_write(*socket, net::buffer(request), kToken);
  ProxyAnswer answer;
  error_code error = write_error;
  char buffer[1024];
  const net::mutable_buffer room = net::buffer(buffer);
  while (!error && answer.state() == ProxyAnswer::State::kReading) {
    auto [read_error, size] = co_await socket->async_read_some(room, kToken);
    error = read_error;
    if (!error) answer.Feed(absl::string_view(buffer, size));
  }
  if (!socket->is_open()) {
    co_return absl::UnavailableError(absl::StrCat(
        "the proxy ", HostHeader(proxy), " did not answer in time when it was asked for ",
        HostHeader(target), ": check that host and port are a proxy's, and that it is well"));
  }
  if (error) {
    co_return absl::UnavailableError(absl::StrCat(
        "the proxy ", HostHeader(proxy), " closed the connection when it was asked for ",
        HostHeader(target), " (", error.message(), "): check that host and port are a proxy's"));
  }
  co_return TunnelStatus(proxy, target, answer);
}

net::awaitable<Connected> ConnectThrough(std::string proxy_url, const Endpoint& target,
                                         Moment deadline) {
  const absl::StatusOr<Endpoint> proxy = ParseProxy(proxy_url);
  if (!proxy.ok()) co_return proxy.status();
  Connected socket = co_await ResolveAndConnect(*proxy, deadline);
  if (!socket.ok()) co_return Annotate(socket.status(), "the proxy " + HostHeader(*proxy));
  const absl::Status asked = co_await AskProxy(*socket, *proxy, target, deadline);
  if (!asked.ok()) co_return asked;
  co_return socket;
}

}  // namespace

net::awaitable<absl::StatusOr<std::unique_ptr<TlsStream>>> DialTls(Endpoint endpoint,
                                                                   DialOptions options) {
  // Longer makes no sense, and could not be counted from now.
  const absl::Duration timeout = std::min(options.timeout, absl::Hours(24));
  const Moment deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  Connected socket = absl::UnknownError("");
  if (options.proxy.empty()) {
    socket = co_await ResolveAndConnect(endpoint, deadline);
  } else {
    socket = co_await ConnectThrough(options.proxy, endpoint, deadline);
  }
  if (!socket.ok()) co_return socket.status();
  auto stream = std::make_unique<TlsStream>(std::move(**socket), options.tls->Acquire(),
                                            TlsStream::Role::kClient);
  SetSendQueue(stream->socket().native_handle(), options.send_queue);
  const TlsTrust* const trust = options.trust.has_value() ? &*options.trust : nullptr;
  const absl::Status status = co_await stream->Handshake(Until(deadline), endpoint.host, trust);
  if (absl::IsDeadlineExceeded(status)) {
    co_return absl::UnavailableError(absl::StrCat(
        HostHeader(endpoint), " accepts connections but does not finish the TLS handshake within ",
        absl::FormatDuration(options.timeout)));
  }
  if (!status.ok()) co_return Annotate(status, HostHeader(endpoint));
  co_return stream;
}

}  // namespace fairlead::dataplane
