// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Control's side of all links: keeps presence true, greets devices, forwards settings, answers
// enrolment, audits refusals, and hands what concerns sessions to the coordinator.
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
#include "control/device_directory.h"
#include "control/edge_connection.h"
#include "control/est.h"
#include "control/session_coordinator.h"

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
  EdgeController(EdgeSupport support, v1::EdgeConfiguration configuration)
      : support_(support), configuration_(std::move(configuration)) {}

  // Who is told about sessions. Before the first edge.
  void SetSessions(SessionCoordinator* sessions) { sessions_ = sessions; }

  // Adds an edge. `connection` must live until the edge is removed.
  void AddEdge(absl::string_view edge, EdgeConnection* connection);
  void RemoveEdge(absl::string_view edge);

  // Forwards settings to a device that is online. Any thread.
  void ForwardSettings(std::string unit_id, v1::TerminalSettings settings);

  // Closes a deleted device's connection at every edge, and refuses its certificates there from now
  // on. Any thread.
  void DropDevice(std::string unit_id, std::string reason, std::vector<std::string> fingerprints);

  bool SendTo(absl::string_view edge, const v1::EdgeCommand& command) override;
  bool SendToDevice(absl::string_view unit_id, const v1::ServerMessage& message) override;

  v1::EdgeConfiguration Configuration() override { return configuration_; }
  void OnEdgeUp(absl::string_view edge, const v1::EdgeHello& hello) override;
  void OnEdgeEvent(absl::string_view edge, const v1::EdgeEvent& event) override;
  void OnEdgeDown(absl::string_view edge, const absl::Status& status) override;

 private:
  struct Edge {
    EdgeConnection* connection = nullptr;
    std::string boot_id;
    // Sessions named since the link came up, until the snapshot is complete.
    bool in_snapshot = false;
    std::set<std::string> named_sessions;
  };

  Edge* Find(absl::string_view edge);
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
  std::map<std::string, Edge, std::less<>> edges_;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EDGE_CONTROLLER_H_
