// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The part of a TlsStream that its operations share: a channel on a socket.
#include <unistd.h>

#include <utility>

#include "dataplane/tls_stream.h"

namespace fairlead::dataplane::internal {

TlsTransport::TlsTransport(net::ip::tcp::socket socket, std::unique_ptr<TlsEngine> engine)
    : socket_(std::move(socket)),
      breaker_(std::make_shared<ConnectionBreaker>(socket_.native_handle())),
      channel_(std::make_unique<TlsChannel>(socket_.native_handle(), std::move(engine))) {}

// Before the socket closes its descriptor.
TlsTransport::~TlsTransport() {
  if (channel_ != nullptr) breaker_->Retire();
}

void TlsTransport::Close() noexcept {
  if (channel_ == nullptr) return;
  breaker_->Retire();
  channel_->Forget();
  error_code ignored;
  socket_.close(ignored);
}

void TlsTransport::MoveTo(const net::any_io_executor& executor, error_code& error) {
  if (executor == socket_.get_executor()) return;
  const net::ip::tcp::endpoint local = socket_.local_endpoint(error);
  if (error) return;
  const int descriptor = socket_.release(error);
  if (error) return;
  net::ip::tcp::socket moved(executor);
  moved.assign(local.protocol(), descriptor, error);
  if (error) {
    breaker_->Retire();
    channel_->Forget();
    ::close(descriptor);
    return;
  }
  socket_ = std::move(moved);
}

ReleasedChannel TlsTransport::Release() noexcept {
  ReleasedChannel released;
  error_code error;
  socket_.release(error);
  if (error) {
    Close();
  }
  released.channel = std::move(channel_);
  released.breaker = breaker_;
  released.lease = std::move(lease_);
  return released;
}

}  // namespace fairlead::dataplane::internal
