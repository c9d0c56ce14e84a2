// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where devices may connect: the server and every ICG. Makes each device's list, and sends it when
// it changes. Part of EdgeController.
#ifndef FAIRLEAD_CONTROL_CONNECTOR_LISTS_H_
#define FAIRLEAD_CONTROL_CONNECTOR_LISTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "base/executor.h"
#include "control/device_directory.h"
#include "control/edge_connection.h"
#include "proto/unified.pb.h"

namespace fairlead::control {

// Thread: the serial executor, which must have stopped before it is destroyed.
class ConnectorLists {
 public:
  ConnectorLists(Executor& serial, const DeviceDirectory& directory, EdgeSender& edges)
      : serial_(serial), directory_(directory), edges_(edges) {}

  // "host:port" each. Nobody is told by these alone.
  void SetServer(absl::string_view address) { server_ = std::string(address); }
  void SetIcg(absl::string_view icg, absl::string_view address);
  void RemoveIcg(absl::string_view icg);

  v1::ConnectorList For(v1::Device::ConnectorPreference preference) const;

  // Sends a device its list, if it is connected.
  void Send(absl::string_view unit_id, v1::Device::ConnectorPreference preference);

  // Sends every connected device its list, some at a time, so that no link is flooded; starts again
  // when called meanwhile. Devices that connect later get it with their welcome.
  void SendToAll();

 private:
  void SendSome(std::uint64_t round, const std::string& after);

  Executor& serial_;
  const DeviceDirectory& directory_;
  EdgeSender& edges_;
  std::string server_;
  // External addresses by name.
  std::map<std::string, std::string, std::less<>> icgs_;
  std::uint64_t round_ = 0;
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_CONNECTOR_LISTS_H_
