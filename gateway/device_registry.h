// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Which device is connected on which connection, and which certificates are revoked: the rules of
// the device hub without its sockets. Sans-I/O.
#ifndef FAIRLEAD_GATEWAY_DEVICE_REGISTRY_H_
#define FAIRLEAD_GATEWAY_DEVICE_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "dataplane/peer.h"

namespace fairlead::gateway {

// A device as its verified certificate names it.
struct DeviceIdentity {
  std::string unit_id;
  // SHA-256 of the certificate, 32 bytes.
  std::string fingerprint;
};

// Reads the device's identity from `peer`'s certificate.
// Errors: UNAUTHENTICATED it showed none; PERMISSION_DENIED its certificate is not a device's, or
// names an impossible unit ID.
absl::StatusOr<DeviceIdentity> IdentifyDevice(const dataplane::PeerInfo& peer);

// The name that a device's certificate bears: "urn:fairlead:device:<unit ID>".
std::string DeviceUri(absl::string_view unit_id);

// Thread: one at a time; the hub holds its lock.
class DeviceRegistry {
 public:
  // What entering a connection meant.
  struct Entry {
    // Rises with each entry, over all devices.
    std::uint64_t connection_id = 0;
    // The same device's older connection, whose place this one took.
    absl::optional<std::uint64_t> replaced;
  };

  // Enters a connection whose hello was read; it takes the place of an older one of the device.
  // Errors: PERMISSION_DENIED the certificate is revoked.
  absl::StatusOr<Entry> Enter(const DeviceIdentity& device);

  // Takes a connection out. False if another has taken its place, or it was taken out before.
  bool Leave(absl::string_view unit_id, std::uint64_t connection_id);

  // The device's connection, if it has one.
  absl::optional<std::uint64_t> Find(absl::string_view unit_id) const;

  // Connected devices.
  std::size_t size() const { return connected_.size(); }

  // Replaces the revoked fingerprints by `fingerprints`. Returns the connections that are to be
  // closed because of it, in rising order.
  std::vector<std::uint64_t> SetRevoked(std::set<std::string> fingerprints);

  // Adds revoked fingerprints; returns as SetRevoked.
  std::vector<std::uint64_t> Revoke(const std::vector<std::string>& fingerprints);

  bool IsRevoked(absl::string_view fingerprint) const;

 private:
  struct Connected {
    std::uint64_t connection_id = 0;
    std::string fingerprint;
  };
  std::vector<std::uint64_t> ConnectedAndRevoked() const;

  std::uint64_t last_connection_id_ = 0;
  std::map<std::string, Connected> connected_;
  std::set<std::string> revoked_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_DEVICE_REGISTRY_H_
