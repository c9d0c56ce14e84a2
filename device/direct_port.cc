// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/direct_port.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "dataplane/stream_websocket.h"
#include "dataplane/tls_stream.h"

namespace fairlead::device {
namespace {

constexpr char kServerRole[] = "urn:fairlead:server:";
// For a probe's connection to end in order.
constexpr absl::Duration kShutdownTimeout = absl::Seconds(5);

net::awaitable<void> Serve(Terminals& terminals, std::unique_ptr<dataplane::TlsStream> stream,
                           dataplane::PeerInfo peer) {
  if (stream->alpn() == dataplane::kProbeProtocol) {
    // That the handshake came this far is the answer.
    spdlog::debug("a server at {} probed the device", peer.address);
    co_await stream->Shutdown(kShutdownTimeout);
    co_return;
  }
  std::unique_ptr<dataplane::WebSocket> leg =
      dataplane::MakeStreamWebSocket(std::move(stream), std::move(peer));
  co_await terminals.ServeTelnet(std::move(leg));
}

}  // namespace

DirectPort::DirectPort(net::any_io_executor executor, dataplane::StreamListenerOptions options,
                       const StateDir& state, const Identity& identity, std::string ca_pem,
                       Terminals& terminals)
    : state_(state),
      identity_(identity),
      ca_pem_(std::move(ca_pem)),
      listener_(
          std::move(executor), [this] { return Context(); },
          [&terminals](std::unique_ptr<dataplane::TlsStream> stream, dataplane::PeerInfo peer) {
            return Serve(terminals, std::move(stream), std::move(peer));
          },
          std::move(options)) {}

std::string DirectPort::CaPem() const {
  const absl::StatusOr<std::string> stored = state_.Read(kEnrolledCaFile);
  return stored.ok() && !stored->empty() ? *stored : ca_pem_;
}

std::shared_ptr<SSL_CTX> DirectPort::Context() {
  if (!identity_.enrolled()) return nullptr;
  const std::string ca = CaPem();
  if (tls_ == nullptr || tls_chain_ != identity_.chain_pem() || tls_ca_ != ca) {
    dataplane::TlsIdentity shown;
    shown.certificate_chain_pem = identity_.chain_pem();
    shown.private_key_pem = identity_.key_pem();
    auto made = dataplane::TlsServerContext::CreateMutual(shown, ca, kServerRole,
                                                          {dataplane::kProbeProtocol});
    if (!made.ok()) {
      spdlog::warn("the device's own port cannot be served: {}",
                   Printable(made.status().message()));
      return nullptr;
    }
    tls_ = *std::move(made);
    tls_chain_ = identity_.chain_pem();
    tls_ca_ = ca;
  }
  return tls_->Acquire();
}

}  // namespace fairlead::device
