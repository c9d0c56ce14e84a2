// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Control's side of all links: tells edges what they must know, keeps presence true, greets
// devices, forwards settings and connectors, answers enrolment, audits refusals, and hands what
// concerns sessions to the coordinator.
#ifndef FAIRLEAD_CONTROL_EDGE_CONTROLLER_H_
#define FAIRLEAD_CONTROL_EDGE_CONTROLLER_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/executor.h"
#include "control/audit_log.h"
#include "control/connector_lists.h"
#include "control/device_directory.h"
#include "control/device_prober.h"
#include "control/edge_board.h"
#include "control/edge_connection.h"
#include "control/est.h"
#include "control/session_coordinator.h"
#include "proto/icg.pb.h"

namespace fairlead::control {

// What the controller works with. Lifetime: all of it outlives the controller.
struct EdgeSupport {
  // One thread; all state of the controller belongs to it.
  Executor& serial;
  // One thread; blocks on the store, in order.
  Executor& store_executor;
  // Answers enrolment.
  Executor& workers;
  AuditLog& audit;
  DeviceDirectory& directory;
  EstHandler& est;
  const Clock& clock;
};

// Thread: the serial executor, except where a method says otherwise.
class EdgeController : public EdgeObserver, public EdgeSender {
 public:
  // `configuration` is what all edges must know.
  EdgeController(EdgeSupport support, v1::EdgeConfiguration configuration);

  // Who is told about sessions. Before the first edge.
  void SetSessions(SessionCoordinator* sessions) { sessions_ = sessions; }

  // Where devices and browsers reach the server, "host:port". Before the first edge.
  void SetPublicAddress(absl::string_view address);

  // Takes the directory's devices on that are reached by dialling. Once, after it was loaded.
  void StartProbes() { prober_.Start(); }

  // Adds an edge. `connection` must live until the edge is removed.
  void AddEdge(absl::string_view edge, EdgeConnection* connection);
  // Its devices are offline and its sessions over.
  void RemoveEdge(absl::string_view edge);

  // Adds an ICG's edge, and its address to the devices' connectors.
  void AddIcg(const v1::Icg& icg, EdgeConnection* connection);
  // Before an ICG is removed: ends its sessions, tells all devices that it is gone, drops its own,
  // and makes all edges refuse its certificates.
  void RetireIcg(absl::string_view name, const std::vector<std::string>& fingerprints);

  // How the links stand. Any thread.
  const EdgeBoard& board() const { return board_; }

  // Forwards settings to a device that is online. Any thread.
  void ForwardSettings(std::string unit_id, v1::TerminalSettings settings);

  // Forwards the list of connectors to a device that is online. Any thread.
  void ForwardConnectors(std::string unit_id, v1::Device::ConnectorPreference preference);

  // A device was created or enrolled, or its address was changed: probes it, if it is reached so.
  // Any thread.
  void ProbeDevice(std::string unit_id);

  // Closes a deleted device's connection at every edge, and refuses its certificates there from now
  // on. Any thread.
  void DropDevice(std::string unit_id, std::string reason, std::vector<std::string> fingerprints);

  bool SendTo(absl::string_view edge, const v1::EdgeCommand& command) override;
  bool SendToDevice(absl::string_view unit_id, const v1::ServerMessage& message) override;

  v1::EdgeConfiguration Configuration(absl::string_view edge = kLocalEdge) override;
  void OnEdgeUp(absl::string_view edge, const v1::EdgeHello& hello) override;
  void OnEdgeEvent(absl::string_view edge, const v1::EdgeEvent& event) override;
  void OnEdgeDown(absl::string_view edge, const absl::Status& status) override;
  void OnEdgeUnreachable(absl::string_view edge, const absl::Status& status) override;

 private:
  struct Edge {
    EdgeConnection* connection = nullptr;
    // As registered; empty for the server's own edge.
    v1::Icg icg;
    std::string boot_id;
    // Sessions named since the link came up, until the snapshot is complete.
    bool in_snapshot = false;
    std::set<std::string> named_sessions;
  };

  Edge* Find(absl::string_view edge);
  // Sends the configuration again.
  void Reconfigure();
  void Welcome(const v1::Device& device);
  // The devices of an edge, which are returned, cannot be reached over it any more.
  std::vector<std::string> LoseDevices(absl::string_view edge);
  void OnDeviceConnected(absl::string_view edge, const v1::DeviceConnected& connected);
  void OnDeviceDisconnected(absl::string_view edge, const v1::DeviceDisconnected& disconnected);
  void OnTunnelEvent(absl::string_view edge, const v1::TunnelEvent& event);
  void OnEstRequest(absl::string_view edge, const v1::EstRequest& request);
  void OnRefusal(const v1::EdgeRefusal& refusal);
  void OnSnapshotComplete(absl::string_view edge);
  void Save(std::string unit_id);

  const EdgeSupport support_;
  v1::EdgeConfiguration configuration_;
  SessionCoordinator* sessions_ = nullptr;
  EdgeBoard board_;
  ConnectorLists connectors_;
  DeviceProber prober_;
  std::map<std::string, Edge, std::less<>> edges_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EDGE_CONTROLLER_H_
