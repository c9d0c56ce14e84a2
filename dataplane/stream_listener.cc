// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See stream_listener.h. The state outlives the listener for as long as a connection uses it.
#include "dataplane/stream_listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/acceptor.h"
#include "dataplane/connection_limits.h"
#include "dataplane/stream_peer.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

using net::ip::tcp;

constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);
constexpr absl::Duration kWarningInterval = absl::Seconds(10);

}  // namespace

struct StreamListener::State {
  State(net::any_io_executor the_executor, TlsSource the_tls, Handler the_handler,
        StreamListenerOptions the_options)
      : executor(std::move(the_executor)),
        tls(std::move(the_tls)),
        handler(std::move(the_handler)),
        options(std::move(the_options)),
        limits(std::make_shared<ConnectionLimits>(options.max_unauthenticated,
                                                  options.max_unauthenticated_per_host)) {}

  void Admit(const std::shared_ptr<State>& self, tcp::socket socket);
  // Logs a refusal, but not at the pace of whoever causes them.
  void Warn(const PeerInfo& peer, absl::string_view why);

  static net::awaitable<void> Accept(std::shared_ptr<State> state,
                                     std::shared_ptr<tcp::acceptor> acceptor);
  static net::awaitable<void> Serve(std::shared_ptr<State> state, tcp::socket socket,
                                    std::shared_ptr<SSL_CTX> context, PeerInfo peer);

  const net::any_io_executor executor;
  const TlsSource tls;
  const Handler handler;
  const StreamListenerOptions options;
  const std::shared_ptr<ConnectionLimits> limits;
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
  std::vector<std::uint16_t> ports;
  WarningGate gate{kWarningInterval};
  bool stopped = false;
};

void StreamListener::State::Warn(const PeerInfo& peer, absl::string_view why) {
  std::size_t suppressed = 0;
  if (!gate.Allow(SystemClock().Monotonic(), suppressed)) return;
  spdlog::warn("refused a connection from {}: {} ({} more refusals not logged)", peer.address,
               Printable(why), suppressed);
}

net::awaitable<void> StreamListener::State::Accept(std::shared_ptr<State> state,
                                                   std::shared_ptr<tcp::acceptor> acceptor) {
  net::steady_timer pause(state->executor);
  while (!state->stopped) {
    auto [error, socket] = co_await acceptor->async_accept(kToken);
    if (!error) {
      state->Admit(state, std::move(socket));
      continue;
    }
    if (state->stopped) co_return;
    // The peer left already, or the process lacks descriptors for the moment.
    pause.expires_after(absl::ToChronoNanoseconds(kAcceptPause));
    co_await pause.async_wait(kToken);
  }
}

void StreamListener::State::Admit(const std::shared_ptr<State>& self, tcp::socket socket) {
  PeerInfo peer = PeerOf(socket);
  const std::string key = LimitKey(peer.host);
  switch (limits->Admit(key)) {
    case ConnectionLimits::Verdict::kAdmitted:
      break;
    case ConnectionLimits::Verdict::kTooManyInAll:
      return Warn(peer, "too many connections are shaking hands");
    case ConnectionLimits::Verdict::kTooManyFromHost:
      return Warn(peer, "too many connections from this host are shaking hands");
  }
  peer.admission = std::make_shared<AdmittedConnection>(limits, key);
  std::shared_ptr<SSL_CTX> context = tls();
  if (context == nullptr) return Warn(peer, "there is no certificate to show yet");
  net::co_spawn(executor, Serve(self, std::move(socket), std::move(context), std::move(peer)),
                net::detached);
}

net::awaitable<void> StreamListener::State::Serve(std::shared_ptr<State> state, tcp::socket socket,
                                                  std::shared_ptr<SSL_CTX> context, PeerInfo peer) {
  auto stream =
      std::make_unique<TlsStream>(std::move(socket), std::move(context), TlsStream::Role::kServer);
  const absl::Duration timeout = state->options.handshake_timeout;
  const absl::Status status = co_await stream->Handshake(timeout, std::string(), nullptr);
  peer.MarkAuthenticated();
  if (!status.ok()) {
    state->Warn(peer, status.message());
    co_return;
  }
  if (state->stopped) co_return;
  peer.certificate = stream->peer_certificate();
  co_await state->handler(std::move(stream), std::move(peer));
}

StreamListener::StreamListener(net::any_io_executor executor, TlsSource tls, Handler handler,
                               StreamListenerOptions options)
    : state_(std::make_shared<State>(std::move(executor), std::move(tls), std::move(handler),
                                     std::move(options))) {}

StreamListener::~StreamListener() { Stop(); }

absl::Status StreamListener::Start() {
  for (const std::string& address : state_->options.addresses) {
    absl::StatusOr<tcp::acceptor> acceptor = Listen(state_->executor, address);
    if (!acceptor.ok()) return acceptor.status();
    state_->acceptors.push_back(std::make_shared<tcp::acceptor>(*std::move(acceptor)));
  }
  for (const auto& acceptor : state_->acceptors) {
    error_code error;
    state_->ports.push_back(acceptor->local_endpoint(error).port());
    net::co_spawn(state_->executor, State::Accept(state_, acceptor), net::detached);
  }
  return absl::OkStatus();
}

std::vector<std::uint16_t> StreamListener::ports() const { return state_->ports; }

void StreamListener::Stop() {
  state_->stopped = true;
  for (const auto& acceptor : state_->acceptors) {
    error_code ignored;
    acceptor->close(ignored);
  }
}

}  // namespace fairlead::dataplane
