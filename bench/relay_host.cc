// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The product's own listener and relay alone, for load generators: no server, no devices, no audit.
// Sessions are registered beforehand from a file; paths and tickets are those of the contract, no
// device certificate is demanded, and a session is registered anew once it has ended.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
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
#include "base/process.h"
#include "base/status.h"
#include "dataplane/io_threads.h"
#include "dataplane/listener.h"
#include "dataplane/relay.h"
#include "dataplane/router.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tunnel_leg.h"
#include "gateway/relay_notices.h"
#include "gateway/ticket_request.h"

ABSL_FLAG(int, port, 0, "Port to listen on, on all addresses; 0 picks one, which is printed.");
ABSL_FLAG(std::string, cert, "", "The server's certificate chain, PEM.");
ABSL_FLAG(std::string, key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, sessions, "", "A line a session: identifier, Console's ticket, device's.");
ABSL_FLAG(bool, notices, true, "Whether legs get the relay's own text frames.");
ABSL_FLAG(int, io_threads, 1, "Threads for I/O; 0 for one a core.");
ABSL_FLAG(int, max_unauthenticated, 4096,
          "Connections that may be without a ticket, in all and "
          "per address.");

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
class Host : public dataplane::RelayObserver {
 public:
  Host(dataplane::IoThreads& threads, dataplane::RelayOptions options)
      : threads_(threads), relay_(threads, *this, SystemClock(), std::move(options)) {}

  absl::Status Add(dataplane::SessionSpec spec) {
    FAIRLEAD_RETURN_IF_ERROR(relay_.Register(spec));
    specs_.emplace(spec.session_id, std::move(spec));
    return absl::OkStatus();
  }
  std::size_t sessions() const { return specs_.size(); }

  void AddRoutes(dataplane::Router* router) {
    AddRoute(router, "/device-connector/device/portforwarding", Side::kDevice);
    AddRoute(router, "/console-connector/terminal", Side::kConsole);
  }

  void EndAll() { relay_.EndAll({dataplane::kCloseDraining, "The host is stopping."}); }
  std::uint64_t legs_now() const { return relay_.counters().legs_now; }

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

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

absl::Status AddSessions(const std::string& path, Host* host) {
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
    FAIRLEAD_RETURN_IF_ERROR(host->Add(std::move(spec)));
  }
  if (host->sessions() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " names no session: a line is an identifier and two tickets"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<dataplane::TlsServerContext>> MakeTls() {
  dataplane::TlsIdentity identity;
  FAIRLEAD_ASSIGN_OR_RETURN(identity.certificate_chain_pem, ReadAll(absl::GetFlag(FLAGS_cert)));
  FAIRLEAD_ASSIGN_OR_RETURN(identity.private_key_pem, ReadAll(absl::GetFlag(FLAGS_key)));
  return dataplane::TlsServerContext::Create(identity, "");
}

// Runs until SIGTERM or SIGINT, which `signals` holds, blocked.
absl::Status Run(const sigset_t& signals) {
  FAIRLEAD_ASSIGN_OR_RETURN(std::shared_ptr<dataplane::TlsServerContext> tls, MakeTls());
  dataplane::RelayOptions options;
  options.max_sessions = 1'000'000;
  options.notices = absl::GetFlag(FLAGS_notices);
  options.attached_text = gateway::AttachedText();
  options.peer_attached_text = gateway::PeerAttachedText();
  dataplane::IoThreads threads(absl::GetFlag(FLAGS_io_threads));
  Host host(threads, std::move(options));
  FAIRLEAD_RETURN_IF_ERROR(AddSessions(absl::GetFlag(FLAGS_sessions), &host));
  dataplane::Router router;
  host.AddRoutes(&router);
  dataplane::ListenerOptions listening;
  listening.addresses = {absl::StrCat("0.0.0.0:", absl::GetFlag(FLAGS_port))};
  const auto limit = static_cast<std::size_t>(absl::GetFlag(FLAGS_max_unauthenticated));
  listening.limits.max_unauthenticated = limit;
  listening.limits.max_unauthenticated_per_host = limit;
  dataplane::Listener listener(threads, tls, router, nullptr, std::move(listening));
  FAIRLEAD_RETURN_IF_ERROR(listener.Start());
  std::printf("%d\n", listener.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  listener.StopAccepting();
  host.EndAll();
  listener.CloseAll();
  listener.AwaitClosed(absl::Seconds(5));
  threads.Stop();
  return absl::OkStatus();
}

absl::Status CheckFlags() {
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("cert", absl::GetFlag(FLAGS_cert), "FILE"));
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("key", absl::GetFlag(FLAGS_key), "FILE"));
  return CheckGiven("sessions", absl::GetFlag(FLAGS_sessions), "FILE");
}

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "relay_host";
  program.version = "0.1.0";
  program.main_file = "relay_host.cc";
  program.usage =
      "Fairlead's listener and relay alone, with sessions from a file. For example:\n"
      "  relay_host --port=8443 --cert=FILE --key=FILE --sessions=FILE [--no-notices]";
  return program;
}

int Main(int argc, char** argv) {
  const ProgramInfo program = Program();
  absl::Status status = ParseFlags(program, argc, argv);
  if (status.ok()) status = CheckFlags();
  if (!status.ok()) {
    TellFailure(program, status);
    return 2;
  }
  RaiseOpenFileLimit();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  status = Run(signals);
  if (status.ok()) return 0;
  TellFailure(program, status);
  return 1;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  // absl::flags spells it --nonotices.
  for (int i = 1; i < argc; ++i) {
    static char spelling[] = "--nonotices";
    if (std::string(argv[i]) == "--no-notices") argv[i] = spelling;
  }
  return fairlead::bench::Main(argc, argv);
}
