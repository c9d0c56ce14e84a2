// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// URLs and dialling; http_client.cc and websocket_client.cc speak over what is dialled here.
#include "dataplane/client.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;
using Moment = std::chrono::steady_clock::time_point;

absl::Status BadUrl(absl::string_view url, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", url, "\" is not a usable URL: ", what));
}

bool IsHostCharacter(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; }

absl::Status CheckHost(absl::string_view url, absl::string_view host, bool bracketed) {
  if (host.empty()) return BadUrl(url, "it names no host");
  if (bracketed) {
    error_code error;
    net::ip::make_address_v6(std::string(host).c_str(), error);
    return error ? BadUrl(url, "what is in brackets is no IPv6 address") : absl::OkStatus();
  }
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return BadUrl(url, absl::StrCat("\"", host, "\" cannot be a host name"));
  }
  return absl::OkStatus();
}

absl::Status ParseAuthority(absl::string_view url, absl::string_view authority,
                            Endpoint& endpoint) {
  if (absl::StrContains(authority, "@")) {
    return BadUrl(url, "user name and password do not belong into it");
  }
  const bool bracketed = absl::ConsumePrefix(&authority, "[");
  const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == absl::string_view::npos) return BadUrl(url, "a \"]\" is missing");
  const absl::string_view host = authority.substr(0, end);
  FAIRLEAD_RETURN_IF_ERROR(CheckHost(url, host, bracketed));
  endpoint.host = std::string(host);
  absl::string_view port = end == absl::string_view::npos ? "" : authority.substr(end);
  if (bracketed) absl::ConsumePrefix(&port, "]");
  if (port.empty()) return absl::OkStatus();
  std::uint32_t number = 0;
  if (!absl::ConsumePrefix(&port, ":") || port.size() > 5 || !absl::SimpleAtoi(port, &number) ||
      number == 0 || number > 65535 || !absl::ascii_isdigit(port[0])) {
    return BadUrl(url, "the port must be a number from 1 to 65535");
  }
  endpoint.port = static_cast<std::uint16_t>(number);
  return absl::OkStatus();
}

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

// Closes a socket at a moment, unless destroyed before.
class SocketDeadline {
 public:
  SocketDeadline(const std::shared_ptr<tcp::socket>& socket, Moment deadline)
      : timer_(socket->get_executor(), deadline) {
    timer_.async_wait([socket, over = over_](const error_code& error) {
      error_code ignored;
      if (!error && !*over) socket->close(ignored);
    });
  }
  ~SocketDeadline() { *over_ = true; }
  SocketDeadline(const SocketDeadline&) = delete;
  SocketDeadline& operator=(const SocketDeadline&) = delete;

 private:
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
  net::steady_timer timer_;
};

net::awaitable<error_code> ConnectOne(std::shared_ptr<tcp::socket> socket, tcp::endpoint address,
                                      Moment deadline) {
  const SocketDeadline guard(socket, deadline);
  auto [error] = co_await socket->async_connect(address, kToken);
  if (!socket->is_open()) co_return net::error::timed_out;
  co_return error;
}

// Tries each address, giving each its share of the time that is left.
net::awaitable<absl::StatusOr<tcp::socket>> Connect(const Endpoint& endpoint,
                                                    std::vector<tcp::endpoint> addresses,
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
    if (!error) co_return std::move(*socket);
    failures.push_back(absl::StrCat(address.address().to_string(), ": ", error.message()));
  }
  co_return absl::UnavailableError(
      absl::StrCat("nobody answers at ", HostHeader(endpoint), " (", absl::StrJoin(failures, "; "),
                   "): check that the server runs and can be reached"));
}

}  // namespace

absl::StatusOr<Endpoint> ParseUrl(absl::string_view url) {
  absl::string_view rest = url;
  if (!absl::ConsumePrefix(&rest, "https://") && !absl::ConsumePrefix(&rest, "wss://")) {
    return BadUrl(url, "it must begin with https:// or wss://");
  }
  for (const char c : rest) {
    if (!absl::ascii_isgraph(c)) return BadUrl(url, "it holds a character that must be escaped");
  }
  if (absl::StrContains(rest, "#")) return BadUrl(url, "a fragment (#) has no meaning here");
  const std::size_t end = rest.find_first_of("/?");
  Endpoint endpoint;
  FAIRLEAD_RETURN_IF_ERROR(ParseAuthority(url, rest.substr(0, end), endpoint));
  if (end != absl::string_view::npos) {
    endpoint.target = absl::StrCat(rest[end] == '?' ? "/" : "", rest.substr(end));
  }
  return endpoint;
}

net::awaitable<absl::StatusOr<std::unique_ptr<TlsStream>>> DialTls(Endpoint endpoint,
                                                                   DialOptions options) {
  // Longer makes no sense, and could not be counted from now.
  const absl::Duration timeout = std::min(options.timeout, absl::Hours(24));
  const Moment deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  auto addresses = co_await Resolve(endpoint, deadline);
  if (!addresses.ok()) co_return addresses.status();
  auto socket = co_await Connect(endpoint, *std::move(addresses), deadline);
  if (!socket.ok()) co_return socket.status();
  auto stream = std::make_unique<TlsStream>(*std::move(socket), options.tls->Acquire(),
                                            TlsStream::Role::kClient);
  const absl::Status status = co_await stream->Handshake(Until(deadline), endpoint.host, nullptr);
  if (absl::IsDeadlineExceeded(status)) {
    co_return absl::UnavailableError(absl::StrCat(
        HostHeader(endpoint), " accepts connections but does not finish the TLS handshake within ",
        absl::FormatDuration(options.timeout)));
  }
  if (!status.ok()) co_return Annotate(status, HostHeader(endpoint));
  co_return stream;
}

}  // namespace fairlead::dataplane
