// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/device_registry.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/unit_id.h"

namespace fairlead::gateway {
namespace {

constexpr char kDeviceUri[] = "urn:fairlead:device:";

}  // namespace

absl::StatusOr<DeviceIdentity> IdentifyDevice(const dataplane::PeerInfo& peer) {
  if (!peer.certificate.has_value()) {
    return absl::UnauthenticatedError(
        "This path needs a device certificate, and none was shown. Enrol the device, and connect "
        "without offering http/1.1 by ALPN.");
  }
  for (const std::string& uri : peer.certificate->uris) {
    if (!absl::StartsWith(uri, kDeviceUri)) continue;
    const absl::string_view unit_id = absl::string_view(uri).substr(sizeof(kDeviceUri) - 1);
    if (!IsUnitId(unit_id)) break;
    return DeviceIdentity{std::string(unit_id), peer.certificate->fingerprint};
  }
  return absl::PermissionDeniedError(
      "The certificate that was shown is not a device's: it has no name urn:fairlead:device:<unit "
      "ID>. Use the certificate that the device received when it enrolled.");
}

std::string DeviceUri(absl::string_view unit_id) { return absl::StrCat(kDeviceUri, unit_id); }

absl::StatusOr<DeviceRegistry::Entry> DeviceRegistry::Enter(const DeviceIdentity& device) {
  if (IsRevoked(device.fingerprint)) {
    return absl::PermissionDeniedError(
        absl::StrCat("The certificate of device ", device.unit_id,
                     " is revoked. Enrol the device anew with a first-authentication key."));
  }
  Entry entry;
  entry.connection_id = ++last_connection_id_;
  const auto found = connected_.find(device.unit_id);
  if (found != connected_.end()) entry.replaced = found->second.connection_id;
  connected_[device.unit_id] = Connected{entry.connection_id, device.fingerprint};
  return entry;
}

bool DeviceRegistry::Leave(absl::string_view unit_id, std::uint64_t connection_id) {
  const auto found = connected_.find(std::string(unit_id));
  if (found == connected_.end() || found->second.connection_id != connection_id) return false;
  connected_.erase(found);
  return true;
}

absl::optional<std::uint64_t> DeviceRegistry::Find(absl::string_view unit_id) const {
  const auto found = connected_.find(std::string(unit_id));
  if (found == connected_.end()) return absl::nullopt;
  return found->second.connection_id;
}

std::vector<std::uint64_t> DeviceRegistry::SetRevoked(std::set<std::string> fingerprints) {
  revoked_ = std::move(fingerprints);
  return ConnectedAndRevoked();
}

std::vector<std::uint64_t> DeviceRegistry::Revoke(const std::vector<std::string>& fingerprints) {
  revoked_.insert(fingerprints.begin(), fingerprints.end());
  return ConnectedAndRevoked();
}

bool DeviceRegistry::IsRevoked(absl::string_view fingerprint) const {
  return revoked_.count(std::string(fingerprint)) > 0;
}

std::vector<std::uint64_t> DeviceRegistry::ConnectedAndRevoked() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [unit_id, connected] : connected_) {
    if (IsRevoked(connected.fingerprint)) ids.push_back(connected.connection_id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace fairlead::gateway
