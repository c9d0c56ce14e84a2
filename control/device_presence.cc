// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_directory.h: which devices can be reached, and how.
#include <algorithm>
#include <utility>

#include "base/plain_text.h"
#include "base/utf8.h"
#include "control/device_directory.h"
#include "control/proto_time.h"

namespace fairlead::control {
namespace {

constexpr std::size_t kMaxProfiles = 64;
constexpr std::size_t kMaxTextBytes = 512;
constexpr std::size_t kMaxVersionBytes = 256;

void TakeHello(const v1::DeviceHello& hello, v1::Device& device) {
  device.set_agent_version(CutUtf8(PlainText(hello.agent_version()), kMaxVersionBytes));
  // A generation that is not known here is as good as none.
  if (v1::Device::OsGeneration_IsValid(hello.os_generation()) &&
      hello.os_generation() != v1::Device::OS_GENERATION_UNSPECIFIED) {
    device.set_os_generation(hello.os_generation());
  }
  if (device.display_name().empty() && !hello.host_name().empty()) {
    device.set_display_name(CutUtf8(PlainText(hello.host_name()), kMaxTextBytes));
  }
  device.clear_profiles();
  for (const std::string& profile : hello.profiles()) {
    if (static_cast<std::size_t>(device.profiles_size()) == kMaxProfiles) break;
    device.add_profiles(CutUtf8(PlainText(profile), kMaxTextBytes));
  }
}

bool MayBeDialled(const v1::Device& device) {
  return device.os_generation() == v1::Device::OS_11 && !device.address().empty();
}

std::vector<DeviceRoute>::iterator FindEdge(std::vector<DeviceRoute>& routes,
                                            absl::string_view edge) {
  return std::find_if(routes.begin(), routes.end(),
                      [edge](const DeviceRoute& route) { return route.edge == edge; });
}

}  // namespace

absl::optional<v1::Device> DeviceDirectory::OnConnected(absl::string_view edge,
                                                        const v1::DeviceConnected& connected,
                                                        Arrival arrival) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(connected.unit_id());
  if (found == entries_.end()) return absl::nullopt;
  Entry& entry = found->second;
  const auto kept = FindEdge(entry.reserve, edge);
  const DeviceRoute* known = kept != entry.reserve.end()                            ? &*kept
                             : entry.route.has_value() && entry.route->edge == edge ? &*entry.route
                                                                                    : nullptr;
  if (known != nullptr && known->connection_id > connected.connection_id()) return absl::nullopt;
  if (kept != entry.reserve.end()) entry.reserve.erase(kept);
  DeviceRoute route{std::string(edge), connected.connection_id()};
  if (entry.route.has_value() && entry.route->edge != edge) {
    if (arrival == Arrival::kInSnapshot) {
      entry.reserve.push_back(std::move(route));
      return absl::nullopt;
    }
    entry.reserve.push_back(*entry.route);
  }
  const v1::Device before = entry.device;
  SetRoute(entry, std::move(route));
  TakeHello(connected.hello(), entry.device);
  if (connected.has_since_time()) {
    *entry.device.mutable_connection()->mutable_since_time() = connected.since_time();
  }
  Notify(&before, &entry.device);
  return entry.device;
}

bool DeviceDirectory::OnDisconnected(absl::string_view edge, absl::string_view unit_id,
                                     std::uint64_t connection_id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  const auto kept = FindEdge(entry.reserve, edge);
  if (kept != entry.reserve.end() && kept->connection_id == connection_id) {
    entry.reserve.erase(kept);
    return false;
  }
  if (!entry.route.has_value() || entry.route->edge != edge ||
      entry.route->connection_id != connection_id) {
    return false;
  }
  FallBack(entry);
  return true;
}

std::vector<std::string> DeviceDirectory::OnEdgeGone(absl::string_view edge) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> gone;
  for (auto& [unit_id, entry] : entries_) {
    const auto kept = FindEdge(entry.reserve, edge);
    if (kept != entry.reserve.end()) entry.reserve.erase(kept);
    if (!entry.route.has_value() || entry.route->edge != edge) continue;
    FallBack(entry);
    gone.push_back(unit_id);
  }
  return gone;
}

absl::optional<DeviceRoute> DeviceDirectory::RouteTo(absl::string_view unit_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return absl::nullopt;
  return found->second.route;
}

absl::optional<std::string> DeviceDirectory::DialAddress(absl::string_view unit_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end() || found->second.route.has_value() ||
      !MayBeDialled(found->second.device)) {
    return absl::nullopt;
  }
  return found->second.device.address();
}

std::vector<std::string> DeviceDirectory::Dialable() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> unit_ids;
  for (const auto& [unit_id, entry] : entries_) {
    if (!entry.route.has_value() && MayBeDialled(entry.device)) unit_ids.push_back(unit_id);
  }
  return unit_ids;
}

bool DeviceDirectory::OnProbed(absl::string_view unit_id, absl::string_view address,
                               const absl::Status& result) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  if (entry.route.has_value() || !MayBeDialled(entry.device) || entry.device.address() != address) {
    return false;
  }
  const v1::Device before = entry.device;
  const bool was_online = before.connection().state() == v1::Connection::ONLINE;
  v1::Connection* connection = entry.device.mutable_connection();
  if (result.ok()) {
    *entry.device.mutable_last_seen_time() = ToTimestamp(clock_.Now());
    if (was_online) return false;
    connection->Clear();
    connection->set_state(v1::Connection::ONLINE);
    connection->set_via(v1::Connection::DIRECT);
    *connection->mutable_since_time() = ToTimestamp(clock_.Now());
  } else {
    if (was_online) SetOffline(entry.device);
    const std::string error = CutUtf8(PlainText(result.message()), kMaxTextBytes);
    if (!was_online && connection->last_error() == error) return false;
    connection->set_last_error(error);
  }
  Notify(&before, &entry.device);
  return was_online != result.ok();
}

bool DeviceDirectory::OnNotDialable(absl::string_view unit_id) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(unit_id);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  if (entry.route.has_value() || MayBeDialled(entry.device)) return false;
  const bool was_online = entry.device.connection().state() == v1::Connection::ONLINE;
  if (!was_online && entry.device.connection().last_error().empty()) return false;
  const v1::Device before = entry.device;
  if (was_online) SetOffline(entry.device);
  entry.device.mutable_connection()->clear_last_error();
  Notify(&before, &entry.device);
  return was_online;
}

std::vector<ConnectedDevice> DeviceDirectory::ConnectedAfter(absl::string_view unit_id,
                                                             std::size_t limit) const {
  absl::MutexLock lock(&mutex_);
  std::vector<ConnectedDevice> devices;
  for (auto it = entries_.upper_bound(unit_id); it != entries_.end() && devices.size() < limit;
       ++it) {
    if (!it->second.route.has_value()) continue;
    devices.push_back({it->first, it->second.device.connector_preference()});
  }
  return devices;
}

std::vector<ConnectedDevice> DeviceDirectory::ConnectedBy(absl::string_view edge,
                                                          std::size_t limit) const {
  absl::MutexLock lock(&mutex_);
  std::vector<ConnectedDevice> devices;
  for (const auto& [unit_id, entry] : entries_) {
    if (devices.size() == limit) break;
    if (!entry.route.has_value() || entry.route->edge != edge) continue;
    devices.push_back({unit_id, entry.device.connector_preference()});
  }
  return devices;
}

std::uint32_t DeviceDirectory::CountConnected(absl::string_view edge) const {
  absl::MutexLock lock(&mutex_);
  const auto found = connected_.find(edge);
  return found == connected_.end() ? 0 : found->second;
}

void DeviceDirectory::SetRoute(Entry& entry, absl::optional<DeviceRoute> route) {
  if (entry.route.has_value()) {
    const auto count = connected_.find(entry.route->edge);
    if (--count->second == 0) connected_.erase(count);
  }
  entry.route = std::move(route);
  if (!entry.route.has_value()) {
    SetOffline(entry.device);
    return;
  }
  const std::string& edge = entry.route->edge;
  ++connected_[edge];
  v1::Connection* connection = entry.device.mutable_connection();
  connection->Clear();
  connection->set_state(v1::Connection::ONLINE);
  connection->set_via(edge == kLocalEdge ? v1::Connection::DIRECT : v1::Connection::ICG);
  connection->set_icg(edge);
  const google::protobuf::Timestamp now = ToTimestamp(clock_.Now());
  *connection->mutable_since_time() = now;
  *entry.device.mutable_last_seen_time() = now;
}

void DeviceDirectory::FallBack(Entry& entry) {
  const v1::Device before = entry.device;
  absl::optional<DeviceRoute> next;
  if (!entry.reserve.empty()) {
    next = std::move(entry.reserve.back());
    entry.reserve.pop_back();
  }
  SetRoute(entry, std::move(next));
  Notify(&before, &entry.device);
}

void DeviceDirectory::SetOffline(v1::Device& device) {
  MarkOffline(device);
  const google::protobuf::Timestamp now = ToTimestamp(clock_.Now());
  *device.mutable_connection()->mutable_since_time() = now;
  *device.mutable_last_seen_time() = now;
}

}  // namespace fairlead::control
