// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/connectors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fairlead::device {
namespace {

using dataplane::Endpoint;
using dataplane::HostHeader;

constexpr int kMaxConnectors = 64;

absl::StatusOr<Endpoint> ParseAddressOf(const v1::Connector& connector) {
  return dataplane::ParseAddress(connector.address());
}

}  // namespace

absl::StatusOr<std::vector<Endpoint>> ParseEndpoints(absl::string_view text,
                                                     absl::string_view what) {
  std::vector<Endpoint> endpoints;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    absl::StatusOr<Endpoint> endpoint = dataplane::ParseAddress(absl::StripAsciiWhitespace(part));
    if (!endpoint.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          what, "=", text,
          " is not HOST:PORT, or several with commas between: ", endpoint.status().message()));
    }
    endpoints.push_back(*std::move(endpoint));
  }
  return endpoints;
}

Connectors::Connectors(ConnectorsOptions options)
    : options_(std::move(options)),
      backoff_(options_.seed, options_.backoff),
      random_(options_.seed),
      preference_(options_.preference) {}

absl::Status Connectors::Update(const v1::ConnectorList& list) {
  v1::ConnectorList usable;
  std::string first_problem;
  for (const v1::Connector& connector : list.connectors()) {
    const absl::StatusOr<Endpoint> endpoint = ParseAddressOf(connector);
    if (!endpoint.ok() && first_problem.empty()) {
      first_problem = std::string(endpoint.status().message());
    }
    if (endpoint.ok() && usable.connectors_size() < kMaxConnectors) {
      *usable.add_connectors() = connector;
    }
  }
  if (usable.connectors().empty() && !list.connectors().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no connector of the list can be used: ", first_problem));
  }
  list_ = std::move(usable);
  const bool says = list.preference() != v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED;
  preference_ = says ? list.preference() : options_.preference;
  // What refused this device may be another kind of place now.
  refused_until_.clear();
  return absl::OkStatus();
}

std::vector<Connectors::Place> Connectors::ListedPlaces() const {
  std::vector<Place> places;
  for (const v1::Connector& connector : list_.connectors()) {
    if (options_.icgs_only && connector.type() == v1::Connector::SERVER) continue;
    Place place;
    place.endpoint = *ParseAddressOf(connector);
    place.type = connector.type();
    place.listed = std::none_of(options_.servers.begin(), options_.servers.end(),
                                [&place](const Endpoint& server) {
                                  return HostHeader(server) == HostHeader(place.endpoint);
                                });
    places.push_back(std::move(place));
  }
  return places;
}

bool Connectors::Excluded(const Endpoint& endpoint) const {
  if (!options_.icgs_only) return false;
  return std::any_of(list_.connectors().begin(), list_.connectors().end(),
                     [&endpoint](const v1::Connector& connector) {
                       return connector.type() == v1::Connector::SERVER &&
                              HostHeader(*ParseAddressOf(connector)) == HostHeader(endpoint);
                     });
}

bool Connectors::InRound(const Endpoint& endpoint) const {
  return std::any_of(round_.begin(), round_.end(), [&endpoint](const Place& place) {
    return HostHeader(place.endpoint) == HostHeader(endpoint);
  });
}

void Connectors::Append(std::vector<Place> places) {
  std::shuffle(places.begin(), places.end(), random_);
  std::stable_partition(places.begin(), places.end(), [this](const Place& place) {
    return HostHeader(place.endpoint) == last_good_;
  });
  for (Place& place : places) {
    if (!InRound(place.endpoint)) round_.push_back(std::move(place));
  }
}

void Connectors::StartRound() {
  round_.clear();
  at_ = 0;
  failed_ = false;
  std::vector<Place> listed = ListedPlaces();
  v1::Connector::Type first = v1::Connector::TYPE_UNSPECIFIED;
  if (preference_ == v1::Device::SERVER) first = v1::Connector::SERVER;
  if (preference_ == v1::Device::ICG) first = v1::Connector::ICG;
  if (first != v1::Connector::TYPE_UNSPECIFIED) {
    const auto end = std::stable_partition(
        listed.begin(), listed.end(), [first](const Place& place) { return place.type == first; });
    Append(std::vector<Place>(listed.begin(), end));
    listed.erase(listed.begin(), end);
  }
  Append(std::move(listed));
  for (const Endpoint& server : options_.servers) {
    Place place;
    place.endpoint = server;
    if (!InRound(server) && !Excluded(server)) round_.push_back(std::move(place));
  }
  if (!round_.empty()) return;
  // All that is known is of the wrong kind; it may have changed.
  for (const Endpoint& server : options_.servers) {
    Place place;
    place.endpoint = server;
    round_.push_back(std::move(place));
  }
}

absl::Duration Connectors::RefusedUntil(const Place& place) const {
  const auto found = refused_until_.find(HostHeader(place.endpoint));
  return found == refused_until_.end() ? -absl::InfiniteDuration() : found->second;
}

Connectors::Attempt Connectors::Next(absl::Duration now) {
  if (round_.empty()) StartRound();
  const absl::Duration start = now + pause_;
  while (at_ < round_.size() && RefusedUntil(round_[at_]) > start) ++at_;
  if (at_ == round_.size() && failed_) {
    // The rest of the round is to be left alone.
    pause_ = backoff_.Next(absl::ZeroDuration());
    round_.clear();
    return Next(now);
  }
  if (at_ == round_.size()) {
    // All refused: the one whose time comes first.
    const auto soonest = std::min_element(
        round_.begin(), round_.end(),
        [this](const Place& a, const Place& b) { return RefusedUntil(a) < RefusedUntil(b); });
    at_ = static_cast<std::size_t>(soonest - round_.begin());
    pause_ = RefusedUntil(*soonest) - now;
  }
  Attempt attempt;
  attempt.endpoint = round_[at_].endpoint;
  attempt.listed = round_[at_].listed;
  attempt.delay = std::exchange(pause_, absl::ZeroDuration());
  return attempt;
}

void Connectors::Advance() {
  ++at_;
  if (at_ < round_.size()) return;
  if (failed_) pause_ = backoff_.Next(absl::ZeroDuration());
  round_.clear();
}

void Connectors::OnFailed() {
  failed_ = true;
  Advance();
}

void Connectors::OnRefused(absl::Duration now, absl::Duration pause) {
  refused_until_[HostHeader(round_[at_].endpoint)] = now + pause;
  Advance();
}

void Connectors::OnDisconnected(absl::Duration lasted) {
  last_good_ = HostHeader(round_[at_].endpoint);
  pause_ = backoff_.Next(lasted);
  round_.clear();
}

}  // namespace fairlead::device
