// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See edge_controller.h.
#include "control/edge_controller.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/plain_text.h"
#include "base/utf8.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

constexpr std::uint32_t kDenied = 4403;
constexpr std::uint32_t kDraining = 4503;
// An edge's link takes 10,000 messages that wait, and each of these devices needs two. Those beyond
// find out by themselves.
constexpr std::size_t kMaxDroppedWithIcg = 4'000;
constexpr std::uint32_t kEstRetrySeconds = 5;
constexpr std::size_t kMaxAuditText = 500;
// What fits into a close frame.
constexpr std::size_t kMaxCloseReason = 123;

// A text of an edge, which may have been a peer's before.
std::string EdgesText(absl::string_view text) { return CutUtf8(PlainText(text), kMaxAuditText); }

v1::EstResponse EstBusy(const v1::EstRequest& request) {
  v1::EstResponse response;
  response.set_request_id(request.request_id());
  response.set_http_status(503);
  response.set_content_type("text/plain; charset=utf-8");
  response.set_body("the server is busy; try again in a few seconds\n");
  response.set_retry_after_seconds(kEstRetrySeconds);
  return response;
}

v1::EdgeCommand DropCommand(absl::string_view unit_id, absl::string_view reason,
                            std::uint32_t close_code = kDenied) {
  v1::EdgeCommand command;
  command.mutable_drop_device()->set_unit_id(std::string(unit_id));
  command.mutable_drop_device()->set_close_code(close_code);
  command.mutable_drop_device()->set_reason(CutUtf8(reason, kMaxCloseReason));
  return command;
}

}  // namespace

EdgeController::EdgeController(EdgeSupport support, v1::EdgeConfiguration configuration)
    : support_(support),
      configuration_(std::move(configuration)),
      connectors_(support.serial, support.directory, *this),
      prober_(support.serial, support.directory, *this,
              [this](const std::string& unit_id) { Save(unit_id); }) {}

void EdgeController::SetPublicAddress(absl::string_view address) {
  connectors_.SetServer(address);
  configuration_.add_allowed_origins(absl::StrCat("https://", address));
  // A browser does not name the port that goes without saying.
  if (absl::ConsumeSuffix(&address, ":443")) {
    configuration_.add_allowed_origins(absl::StrCat("https://", address));
  }
}

void EdgeController::AddEdge(absl::string_view edge, EdgeConnection* connection) {
  edges_[std::string(edge)].connection = connection;
  board_.Add(edge, support_.clock.Now());
}

void EdgeController::RemoveEdge(absl::string_view edge) {
  const auto found = edges_.find(edge);
  if (found == edges_.end()) return;
  edges_.erase(found);
  board_.Remove(edge);
  LoseDevices(edge);
  sessions_->OnEdgeRemoved(edge);
  sessions_->SetConsoleAddress(edge, "");
  sessions_->RemoveIcg(std::string(edge));
}

void EdgeController::AddIcg(const v1::Icg& icg, EdgeConnection* connection) {
  edges_[icg.name()].icg = icg;
  AddEdge(icg.name(), connection);
  sessions_->SetConsoleAddress(icg.name(), icg.external_address());
  sessions_->SetIcg(icg);
  connectors_.SetIcg(icg.name(), icg.external_address());
  connectors_.SendToAll();
}

void EdgeController::RetireIcg(absl::string_view name,
                               const std::vector<std::string>& fingerprints) {
  sessions_->OnEdgeRemoved(name);
  connectors_.RemoveIcg(name);
  std::size_t dropped = 0;
  for (const ConnectedDevice& device : support_.directory.ConnectedBy(name, kMaxDroppedWithIcg)) {
    connectors_.Send(device.unit_id, device.preference);
    SendTo(name,
           DropCommand(device.unit_id, "this ICG was removed; use another connector", kDraining));
    ++dropped;
  }
  spdlog::info("edge {}: removed; {} devices told to go elsewhere", Printable(name), dropped);
  for (const std::string& fingerprint : fingerprints) {
    configuration_.add_revoked_fingerprints(fingerprint);
  }
  Reconfigure();
  connectors_.SendToAll();
}

v1::EdgeConfiguration EdgeController::Configuration(absl::string_view edge) {
  v1::EdgeConfiguration configuration = configuration_;
  const Edge* known = Find(edge);
  if (known == nullptr) return configuration;
  configuration.set_max_devices(known->icg.max_devices());
  if (known->icg.has_grace_period()) {
    *configuration.mutable_grace_period() = known->icg.grace_period();
  }
  return configuration;
}

void EdgeController::Reconfigure() {
  for (const auto& [name, edge] : edges_) {
    v1::EdgeCommand command;
    *command.mutable_configure() = Configuration(name);
    // An edge that is not linked gets it first thing when it is.
    edge.connection->Send(command);
  }
}

EdgeController::Edge* EdgeController::Find(absl::string_view edge) {
  const auto found = edges_.find(edge);
  return found == edges_.end() ? nullptr : &found->second;
}

bool EdgeController::SendTo(absl::string_view edge, const v1::EdgeCommand& command) {
  const Edge* known = Find(edge);
  return known != nullptr && known->connection->Send(command);
}

bool EdgeController::SendToDevice(absl::string_view unit_id, const v1::ServerMessage& message) {
  const absl::optional<DeviceRoute> route = support_.directory.RouteTo(unit_id);
  if (!route.has_value()) return false;
  v1::EdgeCommand command;
  command.mutable_device_command()->set_unit_id(std::string(unit_id));
  *command.mutable_device_command()->mutable_message() = message;
  return SendTo(route->edge, command);
}

void EdgeController::ForwardSettings(std::string unit_id, v1::TerminalSettings settings) {
  support_.serial.Post([this, unit_id = std::move(unit_id), settings = std::move(settings)]() {
    v1::ServerMessage message;
    *message.mutable_update_settings() = settings;
    // An offline device gets them with its next welcome.
    SendToDevice(unit_id, message);
  });
}

void EdgeController::ForwardConnectors(std::string unit_id,
                                       v1::Device::ConnectorPreference preference) {
  support_.serial.Post([this, unit_id = std::move(unit_id), preference]() {
    connectors_.Send(unit_id, preference);
  });
}

void EdgeController::ProbeDevice(std::string unit_id) {
  support_.serial.Post([this, unit_id = std::move(unit_id)]() { prober_.Update(unit_id); });
}

void EdgeController::DropDevice(std::string unit_id, std::string reason,
                                std::vector<std::string> fingerprints) {
  support_.serial.Post([this, unit_id = std::move(unit_id), reason = std::move(reason),
                        fingerprints = std::move(fingerprints)]() {
    v1::EdgeCommand command = DropCommand(unit_id, reason);
    for (const std::string& fingerprint : fingerprints) {
      configuration_.add_revoked_fingerprints(fingerprint);
      command.mutable_drop_device()->add_revoked_fingerprints(fingerprint);
    }
    // An edge whose link is down learns it from the configuration.
    for (const auto& [name, edge] : edges_) edge.connection->Send(command);
    prober_.Update(unit_id);
  });
}

void EdgeController::OnEdgeUp(absl::string_view edge, const v1::EdgeHello& hello) {
  Edge* known = Find(edge);
  if (known == nullptr) return;
  spdlog::info("edge {}: linked, version {}", edge.empty() ? "local" : Printable(edge),
               Printable(hello.version()));
  if (!known->boot_id.empty() && known->boot_id != hello.boot_id()) {
    sessions_->OnEdgeRestarted(edge);
  }
  known->boot_id = hello.boot_id();
  known->in_snapshot = true;
  known->named_sessions.clear();
  if (edge == kLocalEdge) prober_.OnEdgeUp();
}

void EdgeController::OnEdgeDown(absl::string_view edge, const absl::Status& status) {
  spdlog::warn("edge {}: link ended: {}", edge.empty() ? "local" : Printable(edge),
               Printable(status.message()));
  if (Edge* known = Find(edge)) known->in_snapshot = false;
  board_.SetDisconnected(edge, support_.clock.Now(), EdgesText(status.message()));
  if (edge == kLocalEdge) prober_.OnEdgeDown();
  sessions_->OnEdgeGone(edge, LoseDevices(edge));
}

void EdgeController::OnEdgeUnreachable(absl::string_view edge, const absl::Status& status) {
  board_.SetDisconnected(edge, support_.clock.Now(), EdgesText(status.message()));
}

std::vector<std::string> EdgeController::LoseDevices(absl::string_view edge) {
  const std::vector<std::string> unit_ids = support_.directory.OnEdgeGone(edge);
  for (const std::string& unit_id : unit_ids) {
    prober_.Update(unit_id);
    Save(unit_id);
  }
  return unit_ids;
}

void EdgeController::OnEdgeEvent(absl::string_view edge, const v1::EdgeEvent& event) {
  switch (event.event_case()) {
    case v1::EdgeEvent::kDeviceConnected:
      OnDeviceConnected(edge, event.device_connected());
      break;
    case v1::EdgeEvent::kDeviceDisconnected:
      OnDeviceDisconnected(edge, event.device_disconnected());
      break;
    case v1::EdgeEvent::kDeviceReport:
      sessions_->OnDeviceReport(event.device_report().unit_id(), event.device_report().message());
      break;
    case v1::EdgeEvent::kTunnelEvent:
      OnTunnelEvent(edge, event.tunnel_event());
      break;
    case v1::EdgeEvent::kEstRequest:
      OnEstRequest(edge, event.est_request());
      break;
    case v1::EdgeEvent::kSnapshotComplete:
      OnSnapshotComplete(edge);
      break;
    case v1::EdgeEvent::kRefusal:
      OnRefusal(event.refusal());
      break;
    case v1::EdgeEvent::kProbeResult:
      if (edge == kLocalEdge) prober_.OnResult(event.probe_result());
      break;
    case v1::EdgeEvent::kConsoleForwarded:
      if (edge == kLocalEdge) {
        sessions_->OnConsoleForwarded(event.console_forwarded().session_id());
      }
      break;
    default:
      break;
  }
}

void EdgeController::OnDeviceConnected(absl::string_view edge,
                                       const v1::DeviceConnected& connected) {
  const std::string& unit_id = connected.unit_id();
  const absl::StatusOr<v1::Device> known = support_.directory.Get(unit_id);
  if (!known.ok()) {
    SendTo(edge, DropCommand(unit_id, "the server does not know this device; enrol it again"));
    return;
  }
  const bool replaces = support_.directory.RouteTo(unit_id).has_value();
  const Edge* link = Find(edge);
  const Arrival arrival =
      link != nullptr && link->in_snapshot ? Arrival::kInSnapshot : Arrival::kNow;
  const absl::optional<v1::Device> device =
      support_.directory.OnConnected(edge, connected, arrival);
  if (!device.has_value()) return;
  prober_.Update(unit_id);
  // What was asked over the older connection may be lost.
  if (replaces) sessions_->OnDeviceGone(unit_id);
  Welcome(*device);
  sessions_->OnRunningSessions(connected);
  Save(unit_id);
}

void EdgeController::Welcome(const v1::Device& device) {
  v1::ServerMessage message;
  v1::ServerWelcome* welcome = message.mutable_welcome();
  *welcome->mutable_server_time() = ToTimestamp(support_.clock.Now());
  *welcome->mutable_settings() = device.terminal();
  welcome->set_unit_id(device.unit_id());
  *welcome->mutable_connectors() = connectors_.For(device.connector_preference());
  SendToDevice(device.unit_id(), message);
}

void EdgeController::OnDeviceDisconnected(absl::string_view edge,
                                          const v1::DeviceDisconnected& disconnected) {
  if (!support_.directory.OnDisconnected(edge, disconnected.unit_id(),
                                         disconnected.connection_id())) {
    return;
  }
  spdlog::info("device {} disconnected: {}", Printable(disconnected.unit_id()),
               Printable(disconnected.reason()));
  prober_.Update(disconnected.unit_id());
  sessions_->OnDeviceGone(disconnected.unit_id());
  // Over the connection in reserve it may not have heard what changed since.
  const absl::StatusOr<v1::Device> device = support_.directory.Get(disconnected.unit_id());
  if (device.ok()) Welcome(*device);
  Save(disconnected.unit_id());
}

void EdgeController::OnTunnelEvent(absl::string_view edge, const v1::TunnelEvent& event) {
  Edge* known = Find(edge);
  if (known != nullptr && known->in_snapshot) known->named_sessions.insert(event.session_id());
  sessions_->OnTunnelEvent(edge, event);
}

void EdgeController::OnSnapshotComplete(absl::string_view edge) {
  Edge* known = Find(edge);
  if (known == nullptr || !known->in_snapshot) return;
  known->in_snapshot = false;
  board_.SetConnected(edge, support_.clock.Now());
  sessions_->OnSnapshot(edge, std::exchange(known->named_sessions, {}));
}

void EdgeController::OnEstRequest(absl::string_view edge, const v1::EstRequest& request) {
  const bool posted = support_.workers.Post([this, edge = std::string(edge), request]() {
    v1::EdgeCommand command;
    *command.mutable_est_response() = support_.est.Handle(request);
    command.mutable_est_response()->set_request_id(request.request_id());
    support_.serial.Post([this, edge, command = std::move(command)]() { SendTo(edge, command); });
  });
  if (posted) return;
  v1::EdgeCommand command;
  *command.mutable_est_response() = EstBusy(request);
  SendTo(edge, command);
}

void EdgeController::OnRefusal(const v1::EdgeRefusal& refusal) {
  AuditEntry entry{.actor = refusal.actor().empty() ? "anonymous" : EdgesText(refusal.actor()),
                   .action = refusal.action().empty() ? "edge.refuse" : EdgesText(refusal.action()),
                   .resource = EdgesText(refusal.resource()),
                   .outcome = v1::AuditEvent::REFUSED,
                   .peer_address = EdgesText(refusal.peer_address()),
                   .detail = EdgesText(refusal.detail())};
  const bool posted = support_.store_executor.Post(
      [this, entry = std::move(entry)]() { support_.audit.Append(entry).IgnoreError(); });
  if (!posted) spdlog::error("a refusal could not be audited: the store is too slow");
}

void EdgeController::Save(std::string unit_id) {
  support_.store_executor.Post([this, unit_id = std::move(unit_id)]() {
    const absl::Status status = support_.directory.Save(unit_id);
    if (!status.ok()) {
      spdlog::error("device {}: not stored: {}", Printable(unit_id), Printable(status.message()));
    }
  });
}

}  // namespace fairlead::control
