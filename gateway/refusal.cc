// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/refusal.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "dataplane/close_reason.h"
#include "gateway/device_registry.h"

namespace fairlead::gateway {

v1::EdgeRefusal MakeRefusal(absl::string_view action, absl::string_view actor,
                            absl::string_view resource, const absl::Status& why,
                            absl::string_view peer_address) {
  v1::EdgeRefusal refusal;
  refusal.set_action(std::string(action));
  refusal.set_actor(actor.empty() ? "anonymous" : std::string(actor));
  refusal.set_resource(std::string(resource));
  refusal.set_detail(std::string(why.message()));
  refusal.set_peer_address(std::string(peer_address));
  return refusal;
}

std::string ActorOf(const dataplane::PeerInfo& peer) {
  const absl::StatusOr<DeviceIdentity> device = IdentifyDevice(peer);
  return device.ok() ? absl::StrCat("devices/", device->unit_id) : "";
}

std::string ClipReason(absl::string_view text) {
  return CutUtf8(text, dataplane::kMaxCloseTextBytes);
}

bool OffersSubprotocol(const dataplane::PendingUpgrade& upgrade, absl::string_view subprotocol) {
  const auto& offered = upgrade.offered_subprotocols();
  return std::any_of(offered.begin(), offered.end(),
                     [&](const std::string& name) { return name == subprotocol; });
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace fairlead::gateway
