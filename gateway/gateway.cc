// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/status.h"
#include "base/wait.h"
#include "dataplane/io_threads.h"
#include "dataplane/relay.h"
#include "dataplane/router.h"
#include "dataplane/tls_stream.h"
#include "gateway/call_peers.h"
#include "gateway/console_forwarder.h"
#include "gateway/edge_actions.h"
#include "gateway/edge_trust.h"
#include "gateway/gateway_metrics.h"
#include "gateway/grpc_bridge.h"
#include "gateway/icg_edge.h"
#include "gateway/operations_routes.h"
#include "gateway/refusal.h"
#include "gateway/relay_notices.h"
#include "gateway/rest_adapter.h"
#include "gateway/static_files.h"
#include "gateway/tunnel_routes.h"
#include "gateway/watch_adapter.h"
#include "proto/http_rule.h"

namespace fairlead::gateway {
namespace {

namespace net = dataplane::net;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::PendingUpgrade;
using dataplane::Route;

// For connections to end once they were closed.
constexpr absl::Duration kCloseTimeout = absl::Seconds(5);
// For the link to tell what is left.
constexpr absl::Duration kFlushTimeout = absl::Seconds(1);

dataplane::RelayOptions MakeRelayOptions(const GatewayOptions& options) {
  dataplane::RelayOptions relay;
  relay.max_sessions = options.max_sessions;
  relay.attached_text = AttachedText();
  relay.peer_attached_text = PeerAttachedText();
  relay.read_ack = &AcknowledgedBytes;
  return relay;
}

EdgeServerOptions MakeLinkOptions(const GatewayOptions& options) {
  EdgeServerOptions link = options.link;
  link.version = options.version;
  return link;
}

DeviceHubOptions MakeHubOptions(const GatewayOptions& options) {
  DeviceHubOptions hub = options.devices;
  hub.accept_os_11 = options.icg.has_value();
  return hub;
}

// The handlers that end in a member coroutine.
template <class T>
dataplane::RequestHandler Requests(T& object,
                                   net::awaitable<HttpResponse> (T::*method)(HttpRequest)) {
  return [&object, method](HttpRequest request) { return (object.*method)(std::move(request)); };
}

template <class T>
dataplane::UpgradeHandler Upgrades(
    T& object, net::awaitable<void> (T::*method)(HttpRequest, std::unique_ptr<PendingUpgrade>)) {
  return [&object, method](HttpRequest request, std::unique_ptr<PendingUpgrade> upgrade) {
    return (object.*method)(std::move(request), std::move(upgrade));
  };
}

absl::StatusOr<StaticFiles> WebConsole(const GatewayOptions& options) {
  if (!options.web_folder.empty()) return StaticFiles::FromFolder(options.web_folder);
  if (!options.web_archive.empty()) return StaticFiles::FromArchive(options.web_archive);
  return StaticFiles::BuiltIn();
}

}  // namespace

// Members are destroyed from the last to the first: the threads outlive what runs on them.
struct Gateway::State {
  State(GatewayOptions given, std::unique_ptr<EdgeTrust> edge_trust)
      : options(std::move(given)),
        trust(std::move(edge_trust)),
        threads(options.io_threads),
        edge(peers, *options.clock, threads.NextExecutor(), MakeLinkOptions(options)),
        relay(threads, edge, *options.clock, MakeRelayOptions(options)),
        hub(edge, *options.clock, MakeHubOptions(options)),
        forwarder(edge, *options.clock, MakeForwardSources()),
        tunnels(relay, hub, forwarder, edge),
        est(edge, hub, edge, *options.clock, options.enrollment),
        operations([this] { return CheckReadiness(); },
                   [this] { return CollectMetrics(MakeMetricSources()); }),
        dialer([this] { return threads.NextExecutor(); }, relay, edge, *options.clock,
               MakeDialSources(), options.dialling),
        actions(relay, hub, tunnels, dialer, forwarder, edge, *options.clock,
                [this](const v1::EdgeConfiguration& configuration) { Configure(configuration); }) {
    edge.SetActions(&actions);
    if (options.icg.has_value()) {
      icg = std::make_unique<IcgEdge>(*options.icg, edge, hub, *trust, *options.clock,
                                      threads.NextExecutor());
    }
  }

  void AddEdgeRoutes();
  void AddApiRoutes(grpc::Server* server);
  void AddRequestRoute(const char* pattern, dataplane::RequestHandler handler,
                       std::size_t max_body_bytes);
  void AddUpgradeRoute(const char* pattern, dataplane::UpgradeHandler handler);
  Readiness CheckReadiness() const;
  MetricSources MakeMetricSources() const;
  void Configure(const v1::EdgeConfiguration& configuration);
  DeviceDialerSources MakeDialSources() const;
  ConsoleForwarderSources MakeForwardSources() const;
  dataplane::RawHandler BridgeHandler();
  void Stop(absl::Duration drain);

  const GatewayOptions options;
  const std::unique_ptr<EdgeTrust> trust;
  CallPeers peers;
  dataplane::IoThreads threads;
  EdgeServer edge;
  dataplane::Relay relay;
  DeviceHub hub;
  ConsoleForwarder forwarder;
  TunnelRoutes tunnels;
  EstRoutes est;
  OperationsRoutes operations;
  DeviceDialer dialer;
  LiveEdgeActions actions;
  // On an ICG.
  std::unique_ptr<IcgEdge> icg;
  StaticFiles web;
  std::optional<proto::HttpRules> rules;
  dataplane::Router router;
  // From Start on.
  std::unique_ptr<RestAdapter> rest;
  std::unique_ptr<WatchAdapter> watch;
  std::unique_ptr<GrpcBridge> bridge;
  std::unique_ptr<dataplane::Listener> listener;
  std::atomic<bool> draining{false};
  bool stopped = false;
};

void Gateway::State::AddRequestRoute(const char* pattern, dataplane::RequestHandler handler,
                                     std::size_t max_body_bytes) {
  Route route;
  route.pattern = pattern;
  route.on_request = Secured(std::move(handler));
  route.max_body_bytes = max_body_bytes;
  router.Add(std::move(route));
}

void Gateway::State::AddUpgradeRoute(const char* pattern, dataplane::UpgradeHandler handler) {
  Route route;
  route.pattern = pattern;
  route.on_upgrade = std::move(handler);
  router.Add(std::move(route));
}

void Gateway::State::AddEdgeRoutes() {
  const std::string est_path = kEstPath;
  AddUpgradeRoute(kUnifiedPath, Upgrades(hub, &DeviceHub::HandleUpgrade));
  AddUpgradeRoute(kDeviceTunnelPath, Upgrades(tunnels, &TunnelRoutes::HandleDevice));
  AddUpgradeRoute(kConsoleTunnelPath, Upgrades(tunnels, &TunnelRoutes::HandleConsole));
  AddRequestRoute((est_path + "cacerts").c_str(), Requests(est, &EstRoutes::CaCerts), 0);
  AddRequestRoute((est_path + "simpleenroll").c_str(), Requests(est, &EstRoutes::SimpleEnroll),
                  kMaxEstBodyBytes);
  AddRequestRoute((est_path + "simplereenroll").c_str(), Requests(est, &EstRoutes::SimpleReenroll),
                  kMaxEstBodyBytes);
  AddRequestRoute("/healthz", Requests(operations, &OperationsRoutes::Healthz), 0);
  AddRequestRoute("/readyz", Requests(operations, &OperationsRoutes::Readyz), 0);
  if (options.metrics) {
    AddRequestRoute("/metrics", Requests(operations, &OperationsRoutes::Metrics), 0);
  }
  router.SetFallback(Secured(UnknownPath));
}

void Gateway::State::AddApiRoutes(grpc::Server* server) {
  if (icg != nullptr) icg->AddRoutes(router, server->InProcessChannel(grpc::ChannelArguments()));
  if (!rules.has_value()) return;
  const auto channel = server->InProcessChannel(grpc::ChannelArguments());
  rest = std::make_unique<RestAdapter>(*rules, channel);
  watch = std::make_unique<WatchAdapter>(*rules, channel);
  Route api = ApiRoute(*rest, *watch);
  if (api.on_request) api.on_request = Secured(std::move(api.on_request));
  router.Add(std::move(api));
}

Readiness Gateway::State::CheckReadiness() const {
  if (draining) return Readiness{false, "This edge is stopping."};
  if (!edge.linked()) return Readiness{false, "No server is linked to this edge yet."};
  return Readiness{true, ""};
}

MetricSources Gateway::State::MakeMetricSources() const {
  return {*listener, relay, hub, edge, dialer, forwarder, bridge.get()};
}

void Gateway::State::Configure(const v1::EdgeConfiguration& configuration) {
  if (!configuration.device_ca_pem().empty()) {
    const absl::Status set = trust->SetDeviceCa(configuration.device_ca_pem());
    if (!set.ok()) spdlog::error("{}; the old ones stay in force", std::string(set.message()));
  }
  if (icg != nullptr) icg->SetGracePeriod(FromProto(configuration.grace_period()));
}

DeviceDialerSources Gateway::State::MakeDialSources() const {
  DeviceDialerSources sources;
  sources.identity = options.dial_identity;
  sources.device_ca = [this] { return trust->client_ca_pem(); };
  sources.is_revoked = [this](absl::string_view print) { return hub.IsRevoked(print); };
  return sources;
}

ConsoleForwarderSources Gateway::State::MakeForwardSources() const {
  ConsoleForwarderSources sources;
  sources.icg_ca = [this] { return trust->client_ca_pem(); };
  sources.is_revoked = [this](absl::string_view print) { return hub.IsRevoked(print); };
  return sources;
}

dataplane::RawHandler Gateway::State::BridgeHandler() {
  return [this](std::unique_ptr<dataplane::TlsStream> tls, dataplane::PeerInfo peer) {
    return bridge->Serve(std::move(tls), std::move(peer));
  };
}

void Gateway::State::Stop(absl::Duration drain) {
  if (std::exchange(stopped, true)) return;
  draining = true;
  actions.Drain();
  if (listener != nullptr) listener->StopAccepting();
  dataplane::CloseReason tunnel_end;
  tunnel_end.code = dataplane::kCloseDraining;
  tunnel_end.text = "The server is stopping. Open the terminal again in a moment.";
  relay.EndAll(tunnel_end);
  dataplane::CloseReason device_end;
  device_end.code = dataplane::kCloseGoingAway;
  device_end.text = "The server is stopping. Connect again in a moment.";
  hub.CloseAll(device_end);
  WaitUntil(
      *options.clock,
      [this] {
        return relay.counters().legs_now == 0 && hub.open_connections() == 0 &&
               forwarder.open_now() == 0;
      },
      drain);
  edge.Stop();
  WaitUntil(
      *options.clock, [this] { return edge.open_links() == 0; }, kFlushTimeout);
  if (rest != nullptr) rest->Stop();
  if (watch != nullptr) watch->Stop();
  if (icg != nullptr) icg->Stop();
  if (listener != nullptr) {
    listener->CloseAll();
    if (!listener->AwaitClosed(kCloseTimeout)) {
      spdlog::warn("some connections did not close in time and are cut");
    }
  }
  threads.Stop();
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Gateway::~Gateway() { state_->Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Create(GatewayOptions options) {
  EdgeTrustSource source;
  source.certificate_file = options.certificate_file;
  source.private_key_file = options.private_key_file;
  source.client_ca_file = options.client_ca_file;
  source.identity = options.identity;
  source.client_ca_pem = options.client_ca_pem;
  FAIRLEAD_ASSIGN_OR_RETURN(std::unique_ptr<EdgeTrust> trust, EdgeTrust::Create(std::move(source)));
  auto state = std::make_unique<State>(std::move(options), std::move(trust));
  state->AddEdgeRoutes();
  if (!state->options.api_services.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(state->rules, proto::HttpRules::Create(state->options.api_services));
  }
  if (state->options.web_console) {
    FAIRLEAD_ASSIGN_OR_RETURN(state->web, WebConsole(state->options));
    state->web.AddTo(&state->router);
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

grpc::Service* Gateway::edge_service() { return state_->edge.service(); }

const CallPeerResolver& Gateway::call_peers() const { return state_->peers; }

absl::Status Gateway::Start(grpc::Server* server) {
  state_->AddApiRoutes(server);
  state_->bridge = std::make_unique<GrpcBridge>(*server, state_->peers);
  dataplane::ListenerOptions listening;
  listening.addresses = state_->options.listen;
  listening.limits = state_->options.limits;
  state_->listener = std::make_unique<dataplane::Listener>(
      state_->threads, state_->trust->context(), state_->router, state_->BridgeHandler(),
      std::move(listening));
  FAIRLEAD_RETURN_IF_ERROR(state_->listener->Start());
  spdlog::info("{} listens on port {}", state_->options.role, port());
  return absl::OkStatus();
}

std::uint16_t Gateway::port() const { return state_->listener->port(); }

absl::Status Gateway::Reload() { return state_->trust->Reload(); }

absl::Status Gateway::Replace(const dataplane::TlsIdentity& identity,
                              const std::string& client_ca_pem) {
  return state_->trust->Replace(identity, client_ca_pem);
}

bool Gateway::ready() const { return state_->CheckReadiness().ready; }

void Gateway::Stop(absl::Duration drain) { state_->Stop(drain); }

std::vector<std::string> Gateway::route_patterns() const {
  std::vector<std::string> patterns;
  for (const Route& route : state_->router.routes()) patterns.push_back(route.pattern);
  return patterns;
}

}  // namespace fairlead::gateway
