// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/tls_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "dataplane/deadline.h"
#include "dataplane/send_queue.h"

namespace fairlead::dataplane {
namespace {

using internal::TlsTransport;

void SetSocketOptions(net::ip::tcp::socket& socket, TlsStream::Role role) {
  const int descriptor = socket.native_handle();
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (role == TlsStream::Role::kServer) SetSendQueue(descriptor, SendQueue::kShort);
}

absl::Status HandshakeFailure(const TlsEngine& engine, const error_code& error) {
  if (!engine.failure().ok()) return engine.failure();
  if (error == net::error::eof || error == net::error::connection_reset) {
    return absl::UnavailableError("the peer closed the connection during the TLS handshake");
  }
  return absl::UnavailableError(
      absl::StrCat("the connection failed during the TLS handshake: ", error.message()));
}

// Closes the connection when time is up.
// Lifetime: `transport` must outlive it.
Deadline CloseAfter(TlsTransport& transport, absl::Duration timeout) {
  return Deadline(transport.socket().get_executor(), timeout, [&transport] { transport.Close(); });
}

// Lets what was sent last arrive: closing with input unread would reset the connection.
net::awaitable<void> Linger(std::shared_ptr<TlsTransport> transport) {
  error_code error;
  transport->channel()->Flush(error);
  while (error == net::error::would_block) {
    auto [waited] = co_await transport->socket().async_wait(net::socket_base::wait_write, kToken);
    if (waited) co_return;
    transport->channel()->Flush(error);
  }
  if (error) co_return;
  transport->channel()->ShutdownSend();
  transport->channel()->Drain(error);
  while (error == net::error::would_block) {
    auto [waited] = co_await transport->socket().async_wait(net::socket_base::wait_read, kToken);
    if (waited) co_return;
    transport->channel()->Drain(error);
  }
}

net::awaitable<error_code> ShakeHands(std::shared_ptr<TlsTransport> transport) {
  for (;;) {
    if (!transport->socket().is_open()) co_return net::error::operation_aborted;
    bool wants_write = false;
    error_code error;
    transport->channel()->Handshake(wants_write, error);
    if (error != net::error::would_block) co_return error;
    const auto what = wants_write ? net::socket_base::wait_write : net::socket_base::wait_read;
    auto [waited] = co_await transport->socket().async_wait(what, kToken);
    if (waited) co_return waited;
  }
}

}  // namespace

TlsStream::TlsStream(net::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context, Role role) {
  SetSocketOptions(socket, role);
  auto engine = std::make_unique<TlsEngine>(
      context.get(), role == Role::kServer ? TlsEngine::Role::kServer : TlsEngine::Role::kClient);
  transport_ = std::make_shared<TlsTransport>(std::move(socket), std::move(engine));
}

TlsStream::TlsStream(TlsStream&&) noexcept = default;

TlsStream& TlsStream::operator=(TlsStream&& other) noexcept {
  if (this == &other) return *this;
  Close();
  transport_ = std::move(other.transport_);
  return *this;
}

TlsStream::~TlsStream() { Close(); }

net::awaitable<absl::Status> TlsStream::Handshake(absl::Duration timeout, std::string server_name,
                                                  const TlsTrust* trust) {
  const std::shared_ptr<TlsTransport> transport = transport_;
  if (!server_name.empty()) {
    std::shared_ptr<const ServerTrust> parsed;
    if (trust != nullptr) {
      auto result = ServerTrust::Parse(trust->ca_pem, trust->sha256_fingerprint, trust->uri);
      if (!result.ok()) co_return result.status();
      parsed = std::move(result).value();
    }
    transport->engine().SetServerName(std::move(server_name), std::move(parsed));
  }
  error_code error;
  {
    const Deadline deadline = CloseAfter(*transport, timeout);
    error = co_await ShakeHands(transport);
    if (!error && !deadline.passed()) co_return absl::OkStatus();
    if (deadline.passed()) {
      co_return absl::DeadlineExceededError(
          absl::StrCat("the TLS handshake took longer than ", absl::FormatDuration(timeout)));
    }
  }
  if (!transport->engine().failure().ok()) {
    // The alert tells the peer why.
    const Deadline deadline = CloseAfter(*transport, std::min(timeout, absl::Seconds(1)));
    co_await Linger(transport);
  }
  transport->Close();
  co_return HandshakeFailure(transport->engine(), error);
}

net::awaitable<void> TlsStream::Shutdown(absl::Duration timeout) {
  const std::shared_ptr<TlsTransport> transport = transport_;
  const Deadline deadline = CloseAfter(*transport, timeout);
  error_code error;
  transport->channel()->CloseNotify(error);
  if (!error || error == net::error::would_block) co_await Linger(transport);
  transport->Close();
}

void TlsStream::SendCloseNotify() noexcept {
  error_code ignored;
  transport_->channel()->CloseNotify(ignored);
}

void TlsStream::Close() noexcept {
  if (transport_ != nullptr) transport_->Close();
}

void TlsStream::MoveTo(net::any_io_executor executor) {
  error_code error;
  transport_->MoveTo(executor, error);
  if (error) transport_->Close();
}

std::string TlsStream::alpn() const { return transport_->engine().alpn(); }

bool TlsStream::peer_offered_http11() const {
  return transport_->engine().facts().peer_offered_http11;
}

std::optional<PeerCertificate> TlsStream::peer_certificate() const {
  return transport_->engine().facts().peer;
}

absl::Status TlsStream::failure() const { return transport_->engine().failure(); }

std::string TlsStream::version() const { return transport_->engine().version(); }

void teardown(boost::beast::role_type /*role*/, TlsStream& stream, error_code& error) {
  stream.Close();
  error = {};
}

}  // namespace fairlead::dataplane
