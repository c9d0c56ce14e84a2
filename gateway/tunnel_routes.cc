// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/tunnel_routes.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "dataplane/tunnel_leg.h"
#include "gateway/device_registry.h"
#include "gateway/refusal.h"
#include "gateway/ticket_request.h"

namespace fairlead::gateway {

namespace net = dataplane::net;
using dataplane::Claim;
using dataplane::HttpRequest;
using dataplane::kToken;
using dataplane::PeerInfo;
using dataplane::PendingUpgrade;
using dataplane::Side;
using dataplane::TunnelLeg;

void TunnelRoutes::SetAllowedOrigins(std::vector<std::string> origins) {
  absl::MutexLock lock(&mutex_);
  allowed_origins_ = std::move(origins);
}

absl::StatusOr<std::string> TunnelRoutes::CheckDevice(const HttpRequest& request) const {
  FAIRLEAD_ASSIGN_OR_RETURN(const DeviceIdentity device, IdentifyDevice(request.peer));
  if (hub_.IsRevoked(device.fingerprint)) {
    return absl::PermissionDeniedError(
        absl::StrCat("The certificate of device ", device.unit_id,
                     " is revoked. Enrol the device anew with a first-authentication key."));
  }
  return device.unit_id;
}

absl::Status TunnelRoutes::CheckOrigin(const HttpRequest& request) const {
  const absl::string_view origin = dataplane::FindHeader(request.headers, "Origin");
  absl::MutexLock lock(&mutex_);
  if (OriginAllowed(origin, dataplane::FindHeader(request.headers, "Host"), allowed_origins_)) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat("A page of ", Printable(origin),
                   " may not open a terminal here. Open the server's own web console."));
}

Claim TunnelRoutes::ClaimFor(const HttpRequest& request, const PendingUpgrade& upgrade, Side side,
                             absl::string_view unit_id) {
  const std::string ticket = TicketOf(request.headers, upgrade.offered_subprotocols());
  if (LooksLikeTicket(ticket)) {
    Claim claim = relay_.ClaimTicket(ticket, side, unit_id, request.peer);
    if (claim.granted) request.peer.MarkAuthenticated();
    return claim;
  }
  Claim refused;
  refused.side = side;
  refused.refusal.code = dataplane::kCloseBadTicket;
  refused.refusal.text = ticket.empty()
                             ? "A ticket is needed: offer the subprotocol fairlead.ticket.<ticket>."
                             : "The ticket is malformed. Ask for a new session.";
  const absl::Status why = absl::UnauthenticatedError(refused.refusal.text);
  sink_.PublishRefusal(
      MakeRefusal("tunnel.attach", ActorOf(request.peer), "", why, request.peer.address));
  return refused;
}

net::awaitable<void> TunnelRoutes::Refuse(std::string path, PeerInfo peer, absl::Status why,
                                          std::unique_ptr<PendingUpgrade> upgrade) {
  spdlog::debug("{}: refused {}: {}", peer.address, path, std::string(why.message()));
  sink_.PublishRefusal(MakeRefusal("tunnel.attach", ActorOf(peer), "", why, peer.address));
  co_await upgrade->Refuse(dataplane::ErrorResponse(why));
}

net::awaitable<void> TunnelRoutes::HandleDevice(HttpRequest request,
                                                std::unique_ptr<PendingUpgrade> upgrade) {
  const absl::StatusOr<std::string> unit_id = CheckDevice(request);
  if (!unit_id.ok()) {
    co_await Refuse(request.path, request.peer, unit_id.status(), std::move(upgrade));
    co_return;
  }
  Claim claim = ClaimFor(request, *upgrade, Side::kDevice, *unit_id);
  co_await Attach(std::move(claim), std::move(upgrade));
}

net::awaitable<void> TunnelRoutes::HandleConsole(HttpRequest request,
                                                 std::unique_ptr<PendingUpgrade> upgrade) {
  const absl::Status origin = CheckOrigin(request);
  if (!origin.ok()) {
    co_await Refuse(request.path, request.peer, origin, std::move(upgrade));
    co_return;
  }
  std::string ticket = TicketOf(request.headers, upgrade->offered_subprotocols());
  absl::optional<v1::ForwardConsole> forward = forwarder_.Take(ticket);
  if (forward.has_value()) {
    request.peer.MarkAuthenticated();
    std::string subprotocol;
    if (OffersSubprotocol(*upgrade, kTerminalSubprotocol)) subprotocol = kTerminalSubprotocol;
    co_await forwarder_.Serve(*std::move(forward), std::move(ticket), std::move(subprotocol),
                              std::move(upgrade));
    co_return;
  }
  Claim claim = ClaimFor(request, *upgrade, Side::kConsole, "");
  co_await Attach(std::move(claim), std::move(upgrade));
}

net::awaitable<void> TunnelRoutes::Attach(Claim claim, std::unique_ptr<PendingUpgrade> upgrade) {
  if (!claim.granted) {
    co_await ServeLeg(std::move(claim), std::move(upgrade));
    co_return;
  }
  const net::any_io_executor executor = claim.executor;
  upgrade->MoveTo(executor);
  auto leg = ServeLeg(std::move(claim), std::move(upgrade));
  const auto [error] = co_await net::co_spawn(executor, std::move(leg), kToken);
  if (error) {
    spdlog::critical("a tunnel's coroutine threw");
    std::terminate();
  }
}

net::awaitable<void> TunnelRoutes::ServeLeg(Claim claim, std::unique_ptr<PendingUpgrade> upgrade) {
  const bool offered = OffersSubprotocol(*upgrade, kTerminalSubprotocol);
  const absl::string_view subprotocol = offered ? kTerminalSubprotocol : "";
  std::unique_ptr<TunnelLeg> leg = upgrade->AcceptTunnel(subprotocol);
  co_await relay_.Serve(std::move(claim), std::move(leg));
}

}  // namespace fairlead::gateway
