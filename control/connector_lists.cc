// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See connector_lists.h.
#include "control/connector_lists.h"

#include <vector>

#include "absl/time/time.h"

namespace fairlead::control {
namespace {

constexpr int kMaxConnectors = 64;
// 5,000 devices a second: an edge's link takes 10,000 messages that wait.
constexpr std::size_t kDevicesAtATime = 250;
constexpr absl::Duration kPause = absl::Milliseconds(50);

void Add(v1::Connector::Type type, const std::string& address, v1::ConnectorList& list) {
  if (address.empty() || list.connectors_size() == kMaxConnectors) return;
  v1::Connector* connector = list.add_connectors();
  connector->set_type(type);
  connector->set_address(address);
}

}  // namespace

void ConnectorLists::SetIcg(absl::string_view icg, absl::string_view address) {
  icgs_[std::string(icg)] = std::string(address);
}

void ConnectorLists::RemoveIcg(absl::string_view icg) {
  const auto found = icgs_.find(icg);
  if (found != icgs_.end()) icgs_.erase(found);
}

v1::ConnectorList ConnectorLists::For(v1::Device::ConnectorPreference preference) const {
  v1::ConnectorList list;
  Add(v1::Connector::SERVER, server_, list);
  for (const auto& [name, address] : icgs_) Add(v1::Connector::ICG, address, list);
  list.set_preference(preference == v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED ? v1::Device::NONE
                                                                                 : preference);
  return list;
}

void ConnectorLists::Send(absl::string_view unit_id, v1::Device::ConnectorPreference preference) {
  v1::ServerMessage message;
  *message.mutable_update_connectors() = For(preference);
  edges_.SendToDevice(unit_id, message);
}

void ConnectorLists::SendToAll() { SendSome(++round_, std::string()); }

void ConnectorLists::SendSome(std::uint64_t round, const std::string& after) {
  if (round != round_) return;
  const std::vector<ConnectedDevice> devices = directory_.ConnectedAfter(after, kDevicesAtATime);
  for (const ConnectedDevice& device : devices) Send(device.unit_id, device.preference);
  if (devices.size() < kDevicesAtATime) return;
  serial_.PostAfter(kPause,
                    [this, round, last = devices.back().unit_id]() { SendSome(round, last); });
}

}  // namespace fairlead::control
