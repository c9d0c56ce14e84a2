// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The product's own listener and relay alone, for load generators: no server, no devices, no audit.
// Sessions are registered beforehand from a file; paths and tickets are those of the contract, no
// device certificate is demanded, and a session is registered anew once it has ended.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/flag_checks.h"
#include "base/log.h"
#include "base/status.h"
#include "bench/host.h"
#include "dataplane/relay.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tunnel_leg.h"
#include "gateway/relay_notices.h"
#include "gateway/ticket_request.h"

ABSL_FLAG(std::string, sessions, "", "A line a session: identifier, Console's ticket, device's.");
ABSL_FLAG(bool, notices, true, "Whether legs get the relay's own text frames.");

namespace fairlead::bench {
namespace {

namespace net = dataplane::net;
using dataplane::Claim;
using dataplane::HttpRequest;
using dataplane::PendingUpgrade;
using dataplane::Side;
using dataplane::TunnelLeg;

// "Beforehand" may be long before.
constexpr absl::Duration kPairingTimeout = absl::Hours(24 * 30);

// Serves the two tunnel paths as the gateway's routes do, less what needs devices and a server.
class RelayOfSessions : public HostedService, public dataplane::RelayObserver {
 public:
  RelayOfSessions(dataplane::IoThreads& threads, dataplane::RelayOptions options)
      : threads_(threads), relay_(threads, *this, SystemClock(), std::move(options)) {}

  absl::Status Add(dataplane::SessionSpec spec) {
    FAIRLEAD_RETURN_IF_ERROR(relay_.Register(spec));
    specs_.emplace(spec.session_id, std::move(spec));
    return absl::OkStatus();
  }
  std::size_t sessions() const { return specs_.size(); }

  void AddRoutes(dataplane::Router* router) override {
    AddRoute(router, "/device-connector/device/portforwarding", Side::kDevice);
    AddRoute(router, "/console-connector/terminal", Side::kConsole);
  }

  void EndAll() override { relay_.EndAll({dataplane::kCloseDraining, "The host is stopping."}); }

  void OnAttached(absl::string_view, Side) override {}
  void OnDataFlowing(absl::string_view) override {}
  void OnRefused(absl::string_view, Side, const dataplane::PeerInfo&,
                 const dataplane::CloseReason&) override {}
  void OnEnded(absl::string_view session_id, const dataplane::RelayEnd& end) override {
    if (end.reason.code == dataplane::kCloseDraining) return;
    // The relay must not be called from here.
    net::post(threads_.ExecutorFor(session_id), [this, id = std::string(session_id)] {
      const absl::Status again = relay_.Register(specs_.at(id));
      if (!again.ok()) spdlog::error("session {}: {}", id, std::string(again.message()));
    });
  }

 private:
  void AddRoute(dataplane::Router* router, const char* path, Side side) {
    dataplane::Route route;
    route.pattern = path;
    route.on_upgrade = [this, side](HttpRequest request, std::unique_ptr<PendingUpgrade> upgrade) {
      return Handle(side, std::move(request), std::move(upgrade));
    };
    router->Add(std::move(route));
  }

  net::awaitable<void> Handle(Side side, HttpRequest request,
                              std::unique_ptr<PendingUpgrade> upgrade) {
    const std::string ticket = gateway::TicketOf(request.headers, upgrade->offered_subprotocols());
    Claim claim = relay_.ClaimTicket(ticket, side, "", request.peer);
    if (!claim.granted) {
      co_await Serve(std::move(claim), std::move(upgrade));
      co_return;
    }
    request.peer.MarkAuthenticated();
    const net::any_io_executor executor = claim.executor;
    upgrade->MoveTo(executor);
    auto leg = Serve(std::move(claim), std::move(upgrade));
    const auto [error] = co_await net::co_spawn(executor, std::move(leg), dataplane::kToken);
    if (error) std::terminate();
  }

  net::awaitable<void> Serve(Claim claim, std::unique_ptr<PendingUpgrade> upgrade) {
    absl::string_view subprotocol = "";
    for (const std::string& offered : upgrade->offered_subprotocols()) {
      if (offered == gateway::kTerminalSubprotocol) subprotocol = gateway::kTerminalSubprotocol;
    }
    std::unique_ptr<TunnelLeg> leg = upgrade->AcceptTunnel(subprotocol);
    co_await relay_.Serve(std::move(claim), std::move(leg));
  }

  dataplane::IoThreads& threads_;
  dataplane::Relay relay_;
  // Filled before the listener starts, then read from any thread.
  absl::flat_hash_map<std::string, dataplane::SessionSpec> specs_;
};

absl::Status AddSessions(const std::string& path, RelayOfSessions* relay) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::string id;
  std::string console;
  std::string device;
  while (file >> id >> console >> device) {
    dataplane::SessionSpec spec;
    spec.session_id = id;
    spec.console_ticket_sha256 = dataplane::HashTicket(console);
    spec.device_ticket_sha256 = dataplane::HashTicket(device);
    spec.pairing_timeout = kPairingTimeout;
    FAIRLEAD_RETURN_IF_ERROR(relay->Add(std::move(spec)));
  }
  if (relay->sessions() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " names no session: a line is an identifier and two tickets"));
  }
  return absl::OkStatus();
}

absl::Status CheckFlags() { return CheckGiven("sessions", absl::GetFlag(FLAGS_sessions), "FILE"); }

// No certificate is demanded of devices.
std::string NoClientCa() { return ""; }

absl::StatusOr<std::unique_ptr<HostedService>> MakeRelay(dataplane::IoThreads& threads) {
  dataplane::RelayOptions options;
  options.max_sessions = 1'000'000;
  options.notices = absl::GetFlag(FLAGS_notices);
  options.attached_text = gateway::AttachedText();
  options.peer_attached_text = gateway::PeerAttachedText();
  auto relay = std::make_unique<RelayOfSessions>(threads, std::move(options));
  FAIRLEAD_RETURN_IF_ERROR(AddSessions(absl::GetFlag(FLAGS_sessions), relay.get()));
  return relay;
}

HostProgram Program() {
  HostProgram program;
  program.name = "relay_host";
  program.usage =
      "Fairlead's listener and relay alone, with sessions from a file. For example:\n"
      "  relay_host --port=8443 --cert=FILE --key=FILE --sessions=FILE [--no-notices]";
  program.check_flags = CheckFlags;
  program.client_ca_file = NoClientCa;
  program.make_service = MakeRelay;
  return program;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  // absl::flags spells it --nonotices.
  for (int i = 1; i < argc; ++i) {
    static char spelling[] = "--nonotices";
    if (std::string(argv[i]) == "--no-notices") argv[i] = spelling;
  }
  return fairlead::bench::RunHost(fairlead::bench::Program(), argc, argv);
}
