// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Where the device connects: the servers and ICGs that it was told of, which of them is tried next,
// and when. Used by UnifiedClient, which does the dialling. Sans-I/O.
#ifndef FAIRLEAD_DEVICE_CONNECTORS_H_
#define FAIRLEAD_DEVICE_CONNECTORS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/endpoint.h"
#include "device/backoff.h"
#include "proto/unified.pb.h"

namespace fairlead::device {

// The endpoints of "HOST:PORT,HOST:PORT". `what` names the text in errors ("--server").
// Errors: INVALID_ARGUMENT which part is none.
absl::StatusOr<std::vector<dataplane::Endpoint>> ParseEndpoints(absl::string_view text,
                                                                absl::string_view what);

struct ConnectorsOptions {
  // Where to begin, and where to go when nothing of the list answers. At least one.
  std::vector<dataplane::Endpoint> servers;
  // Holds until a list says otherwise.
  v1::Device::ConnectorPreference preference = v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED;
  // Whether UMS Servers of the list are left out, as those of OS 11 devices are.
  bool icgs_only = false;
  BackoffOptions backoff;
  // Differs from device to device.
  std::uint64_t seed = 0;
};

// A round tries each place once: those of the list by preference, among equals that of the last
// good connection first and the rest in random order; then the servers to begin with, as written.
// Only between rounds there is a pause, which grows. Thread: one. All times are monotonic.
class Connectors {
 public:
  explicit Connectors(ConnectorsOptions options);

  // Takes a list that came over a welcomed connection, or that was kept from an earlier run. The
  // connection in use stays. An empty list leaves the servers to begin with.
  // Errors: INVALID_ARGUMENT the list is not empty but has no usable address; it is not taken.
  absl::Status Update(const v1::ConnectorList& list);

  struct Attempt {
    dataplane::Endpoint endpoint;
    // How long to wait before.
    absl::Duration delay = absl::ZeroDuration();
    // Whether it came by a list, and not from those to begin with.
    bool listed = false;
  };
  // What to try next; to be followed by one of the On… below.
  Attempt Next(absl::Duration now);

  // The attempt did not get through.
  void OnFailed();
  // The place does not let this device in: it is left alone for `pause`.
  void OnRefused(absl::Duration now, absl::Duration pause);
  // The attempt got through, and its connection ended after `lasted`.
  void OnDisconnected(absl::Duration lasted);

 private:
  struct Place {
    dataplane::Endpoint endpoint;
    bool listed = false;
    v1::Connector::Type type = v1::Connector::TYPE_UNSPECIFIED;
  };

  void StartRound();
  std::vector<Place> ListedPlaces() const;
  // Appends those that are not there yet, in random order but the last good one first.
  void Append(std::vector<Place> places);
  bool InRound(const dataplane::Endpoint& endpoint) const;
  bool Excluded(const dataplane::Endpoint& endpoint) const;
  absl::Duration RefusedUntil(const Place& place) const;
  // The present attempt is over, and the connection did not come about.
  void Advance();

  const ConnectorsOptions options_;
  Backoff backoff_;
  std::mt19937_64 random_;
  v1::ConnectorList list_;
  v1::Device::ConnectorPreference preference_;
  // The present round, in its order; empty between rounds.
  std::vector<Place> round_;
  std::size_t at_ = 0;
  bool failed_ = false;
  absl::Duration pause_ = absl::ZeroDuration();
  // By "host:port".
  std::map<std::string, absl::Duration> refused_until_;
  std::string last_good_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_CONNECTORS_H_
