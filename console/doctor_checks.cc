// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See doctor_checks.h.
#include "console/doctor_checks.h"

#include <netdb.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/random.h"
#include "base/status.h"
#include "console/run.h"
#include "dataplane/tls_stream.h"
#include "dataplane/websocket.h"

namespace fairlead::console {

using dataplane::error_code;
using dataplane::HostHeader;
using dataplane::kToken;
using dataplane::net::awaitable;
using dataplane::net::ip::tcp;

namespace {

// A clock that differs by more makes certificates and logs hard to follow.
constexpr absl::Duration kMaxClockDifference = absl::Seconds(60);
constexpr char kSubprotocol[] = "fairlead.terminal.v1";
constexpr char kTunnelPath[] = "/console-connector/terminal";

// The addresses of a name, or why there are none.
struct Addresses {
  std::vector<tcp::endpoint> endpoints;
  std::string failure;
};

Addresses LookUp(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  Addresses addresses;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    addresses.failure = gai_strerror(error);
    return addresses;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    endpoint.resize(entry->ai_addrlen);
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    addresses.endpoints.push_back(endpoint);
  }
  freeaddrinfo(found);
  return addresses;
}

// The system's look-up cannot be interrupted, so it has a thread of its own, which may outlast us.
Addresses LookUpWithin(const std::string& host, std::uint16_t port, absl::Duration timeout) {
  auto promise = std::make_shared<std::promise<Addresses>>();
  std::future<Addresses> future = promise->get_future();
  std::thread([promise, host, port] { promise->set_value(LookUp(host, port)); }).detach();
  if (future.wait_for(absl::ToChronoNanoseconds(timeout)) != std::future_status::ready) {
    Addresses late;
    late.failure = "the name server does not answer";
    return late;
  }
  return future.get();
}

// Ends something once a time has passed, unless destroyed before.
class Watchdog {
 public:
  Watchdog(const dataplane::net::any_io_executor& executor, absl::Duration timeout,
           std::function<void()> end)
      : timer_(executor) {
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    timer_.async_wait([over = over_, end = std::move(end)](const error_code& cancelled) {
      if (!cancelled && !*over) end();
    });
  }
  ~Watchdog() { *over_ = true; }

 private:
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
  dataplane::net::steady_timer timer_;
};

// Tries each address; OK as soon as one answers.
awaitable<absl::Status> Connect(std::vector<tcp::endpoint> endpoints, absl::Duration timeout) {
  const auto executor = co_await dataplane::net::this_coro::executor;
  const absl::Duration share = timeout / static_cast<std::int64_t>(endpoints.size());
  std::vector<std::string> failures;
  for (const tcp::endpoint& endpoint : endpoints) {
    tcp::socket socket(executor);
    const Watchdog watchdog(executor, share, [&socket] {
      error_code ignored;
      socket.close(ignored);
    });
    const auto [error] = co_await socket.async_connect(endpoint, kToken);
    if (!error && socket.is_open()) co_return absl::OkStatus();
    failures.push_back(absl::StrCat(endpoint.address().to_string(), ": ",
                                    socket.is_open() ? error.message() : "no answer in time"));
  }
  co_return absl::UnavailableError(absl::StrJoin(failures, "; "));
}

// What a TLS handshake tells.
struct TlsFacts {
  std::string version;
  std::optional<dataplane::PeerCertificate> certificate;
};

awaitable<absl::StatusOr<TlsFacts>> ShakeHands(dataplane::Endpoint endpoint,
                                               dataplane::DialOptions options) {
  auto stream = co_await dataplane::DialTls(std::move(endpoint), std::move(options));
  if (!stream.ok()) co_return stream.status();
  TlsFacts facts;
  facts.version = (*stream)->version();
  facts.certificate = (*stream)->peer_certificate();
  (*stream)->Close();
  co_return facts;
}

// How a tunnel that is opened with a ticket that nobody issued ends.
struct TunnelFacts {
  std::string subprotocol;
  dataplane::CloseReason close;
};

awaitable<absl::StatusOr<TunnelFacts>> TryTunnel(dataplane::Endpoint endpoint,
                                                 dataplane::DialOptions options) {
  const absl::Duration timeout = options.timeout;
  std::vector<std::string> offered;
  offered.push_back(kSubprotocol);
  offered.push_back(absl::StrCat("fairlead.ticket.", RandomSecret()));
  auto dialled = co_await dataplane::DialWebSocket(std::move(endpoint), std::move(options), offered,
                                                   dataplane::HttpHeaders());
  if (!dialled.ok()) co_return dialled.status();
  TunnelFacts facts;
  facts.subprotocol = dialled->subprotocol;
  dataplane::WebSocket& websocket = *dialled->websocket;
  const Watchdog watchdog(websocket.executor(), timeout, [&websocket] { websocket.Abort(); });
  while (true) {
    const dataplane::Message message = co_await websocket.ReadMessage();
    if (message.open) continue;
    facts.close = message.close;
    co_return facts;
  }
}

std::string UtcText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

// The checks of one address in their order.
class AddressChecks {
 public:
  explicit AddressChecks(const CheckedAddress& address) : address_(address) {}

  std::vector<Check> Run() && {
    if (CheckName() && CheckPort() && CheckTls()) {
      CheckHttp();
      CheckTunnel();
    }
    return std::move(checks_);
  }

 private:
  bool Ok(std::string name, std::string message) {
    checks_.push_back({address_.leg, std::move(name), Check::Result::kOk, std::move(message)});
    return true;
  }
  bool Fail(std::string name, std::string message) {
    checks_.push_back({address_.leg, std::move(name), Check::Result::kFail, std::move(message)});
    return false;
  }

  // What is connected to from here: the proxy, if there is one.
  bool CheckName() {
    first_hop_ = address_.endpoint;
    if (!address_.proxy.empty()) {
      absl::StatusOr<dataplane::Endpoint> proxy = dataplane::ParseProxy(address_.proxy);
      if (!proxy.ok()) return Fail("proxy", std::string(proxy.status().message()));
      first_hop_ = *std::move(proxy);
    }
    Addresses found = LookUpWithin(first_hop_.host, first_hop_.port, address_.timeout);
    if (found.endpoints.empty()) {
      return Fail("name", absl::StrCat(hop(), first_hop_.host, " does not resolve (", found.failure,
                                       "): check its spelling and this host's name server"));
    }
    addresses_ = std::move(found.endpoints);
    return Ok("name", absl::StrCat(hop(), first_hop_.host, " is ",
                                   addresses_.front().address().to_string()));
  }

  bool CheckPort() {
    const absl::Status connected = console::Run(Connect(addresses_, address_.timeout));
    if (connected.ok()) return Ok("port", absl::StrCat(hop(), HostHeader(first_hop_), " answers"));
    return Fail(
        "port",
        absl::StrCat("nobody answers at ", hop(), HostHeader(first_hop_), " (", connected.message(),
                     "): check that it runs there, and that no firewall is between"));
  }

  bool CheckTls() {
    dataplane::DialOptions options;
    options.proxy = address_.proxy;
    options.timeout = address_.timeout;
    auto tls = dataplane::TlsClientContext::Create(address_.trust, nullptr, {"http/1.1"});
    if (!tls.ok()) return Fail("certificate", std::string(tls.status().message()));
    options.tls = *std::move(tls);
    options_ = options;
    const absl::StatusOr<TlsFacts> facts = console::Run(ShakeHands(address_.endpoint, options));
    if (!facts.ok() && ReasonOf(facts.status()) == "TLS_UNTRUSTED") {
      Ok("tls", absl::StrCat(HostHeader(address_.endpoint), " speaks TLS"));
      return Fail("certificate", std::string(facts.status().message()));
    }
    if (!facts.ok()) {
      return Fail("tls", absl::StrCat(facts.status().message(),
                                      ": check that it is this port, and that no other service or "
                                      "proxy answers in its place"));
    }
    Ok("tls", absl::StrCat(facts->version, " with ", HostHeader(address_.endpoint)));
    return Ok("certificate", facts->certificate.has_value()
                                 ? absl::StrCat("trusted, and valid until ",
                                                UtcText(facts->certificate->not_after))
                                 : "trusted");
  }

  void CheckHttp() {
    const auto health = Get("/healthz");
    if (!health.ok()) {
      Fail("http", std::string(health.status().message()));
      return;
    }
    CheckClock(*health);
    if (!address_.is_server) return;
    CheckAnswer("healthz", *health, "it is not well: see its log");
    const auto ready = Get("/readyz");
    if (!ready.ok()) {
      Fail("readyz", std::string(ready.status().message()));
    } else {
      CheckAnswer("readyz", *ready, "it runs, but cannot serve yet: see its log");
    }
  }

  absl::StatusOr<dataplane::HttpResponse> Get(const std::string& path) {
    dataplane::HttpRequest request;
    request.method = "GET";
    request.path = path;
    return console::Run(
        dataplane::Fetch(address_.endpoint, options_, std::move(request), address_.timeout));
  }

  void CheckAnswer(const std::string& name, const dataplane::HttpResponse& response,
                   absl::string_view otherwise) {
    if (response.status == 200) {
      Ok(name, absl::StrCat("/", name, " says that all is well"));
    } else {
      Fail(name,
           absl::StrCat("/", name, " answers with HTTP status ", response.status, ": ", otherwise));
    }
  }

  void CheckClock(const dataplane::HttpResponse& response) {
    const absl::string_view date = dataplane::FindHeader(response.headers, "Date");
    absl::Time theirs;
    if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", std::string(date), &theirs, nullptr)) {
      Fail("clock", "its answer has no Date: is there a proxy between that speaks for it?");
      return;
    }
    const absl::Time ours = address_.now();
    const std::string times =
        absl::StrCat("its clock says ", UtcText(theirs), ", this host's ", UtcText(ours));
    if (absl::AbsDuration(theirs - ours) > kMaxClockDifference) {
      Fail("clock", absl::StrCat(times, ": correct the one that is wrong, for example with NTP"));
    } else {
      Ok("clock", times);
    }
  }

  void CheckTunnel() {
    dataplane::Endpoint endpoint = address_.endpoint;
    endpoint.target = kTunnelPath;
    const absl::StatusOr<TunnelFacts> facts = console::Run(TryTunnel(endpoint, options_));
    if (!facts.ok()) {
      Fail("websocket",
           absl::StrCat("no WebSocket could be opened at ", kTunnelPath, ": ",
                        facts.status().message(), ": does a proxy between refuse WebSockets?"));
    } else if (facts->subprotocol != kSubprotocol) {
      Fail("websocket", absl::StrCat("the WebSocket at ", kTunnelPath, " is not of ", kSubprotocol,
                                     ": does another service or a proxy answer in its place?"));
    } else if (facts->close.code != dataplane::kCloseBadTicket) {
      Fail("websocket",
           absl::StrCat("a tunnel with a made-up ticket was closed with ", facts->close.code,
                        " in place of ", dataplane::kCloseBadTicket, " (", facts->close.text,
                        "): see the log of what answers there"));
    } else {
      Ok("websocket", "a tunnel opens, and a made-up ticket is refused");
    }
  }

  std::string hop() const { return address_.proxy.empty() ? "" : "the proxy "; }

  const CheckedAddress& address_;
  std::vector<Check> checks_;
  dataplane::Endpoint first_hop_;
  std::vector<tcp::endpoint> addresses_;
  dataplane::DialOptions options_;
};

}  // namespace

std::vector<Check> CheckAddress(const CheckedAddress& address) {
  return AddressChecks(address).Run();
}

}  // namespace fairlead::console
