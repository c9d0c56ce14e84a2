// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The snapshot follows the events.
#include "gateway/edge_state.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::EdgeEvent Connected(const std::string& unit_id, std::uint64_t connection_id) {
  v1::EdgeEvent event;
  event.mutable_device_connected()->set_unit_id(unit_id);
  event.mutable_device_connected()->set_connection_id(connection_id);
  return event;
}

v1::EdgeEvent Disconnected(const std::string& unit_id, std::uint64_t connection_id) {
  v1::EdgeEvent event;
  event.mutable_device_disconnected()->set_unit_id(unit_id);
  event.mutable_device_disconnected()->set_connection_id(connection_id);
  return event;
}

v1::EdgeEvent Tunnel(const std::string& session_id, v1::TunnelEvent::Type type) {
  v1::EdgeEvent event;
  event.mutable_tunnel_event()->set_session_id(session_id);
  event.mutable_tunnel_event()->set_type(type);
  return event;
}

// "a/3" for a device's connection, "s:DEVICE_ATTACHED" for a leg.
std::vector<std::string> Told(EdgeState& state, absl::Duration now = absl::ZeroDuration()) {
  std::vector<std::string> told;
  for (const v1::EdgeEvent& event : state.Snapshot(now)) {
    if (event.has_device_connected()) {
      told.push_back(event.device_connected().unit_id() + "/" +
                     std::to_string(event.device_connected().connection_id()));
    } else if (event.has_refusal()) {
      told.push_back("refusal " + event.refusal().detail());
    } else {
      told.push_back(event.tunnel_event().session_id() + ":" +
                     v1::TunnelEvent::Type_Name(event.tunnel_event().type()));
    }
  }
  return told;
}

TEST(EdgeState, TellsDevicesThenLegs) {
  EdgeState state;
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED));
  state.Apply(Connected("b", 1));
  state.Apply(Connected("a", 2));
  state.Apply(Tunnel("s1", v1::TunnelEvent::CONSOLE_ATTACHED));
  state.Apply(Tunnel("s1", v1::TunnelEvent::DATA_FLOWING));

  EXPECT_THAT(Told(state), ElementsAre("a/2", "b/1", "s1:DEVICE_ATTACHED", "s1:CONSOLE_ATTACHED",
                                       "s1:DATA_FLOWING"));
  EXPECT_EQ(state.device_count(), 2u);
  EXPECT_EQ(state.session_count(), 1u);
}

TEST(EdgeState, KeepsEachStepOfASession) {
  EdgeState state;
  state.Apply(Tunnel("s1", v1::TunnelEvent::ACCEPTED));
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_REQUESTED));
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED));

  EXPECT_THAT(Told(state), ElementsAre("s1:ACCEPTED", "s1:DEVICE_REQUESTED", "s1:DEVICE_ATTACHED"));
}

TEST(EdgeState, ARequestDoesNotBringASessionBack) {
  EdgeState state;
  state.Apply(Tunnel("s1", v1::TunnelEvent::ACCEPTED));
  state.Apply(Tunnel("s1", v1::TunnelEvent::ENDED));
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_REQUESTED));

  EXPECT_EQ(state.session_count(), 0u);
}

v1::EdgeEvent Refusal(const std::string& detail) {
  v1::EdgeEvent event;
  event.mutable_refusal()->set_detail(detail);
  return event;
}

v1::EdgeEvent SnapshotComplete() {
  v1::EdgeEvent event;
  event.mutable_snapshot_complete();
  return event;
}

TEST(EdgeState, ForgetsADeviceThatLeft) {
  EdgeState state;
  state.Apply(Connected("a", 2));
  state.Apply(Disconnected("a", 2));

  EXPECT_THAT(Told(state), IsEmpty());
}

TEST(EdgeState, KeepsASessionsEndUntilItWasToldForCertain) {
  EdgeState state;
  const v1::EdgeEvent end = Tunnel("s1", v1::TunnelEvent::ENDED);
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED));
  state.Apply(end);
  state.Apply(Tunnel("s0", v1::TunnelEvent::ENDED));

  // In the order of the ends, with what came before.
  EXPECT_THAT(Told(state), ElementsAre("s1:DEVICE_ATTACHED", "s1:ENDED", "s0:ENDED"));
  state.OnWritten(end, absl::Seconds(100));
  // The link may have been dead already.
  EXPECT_THAT(Told(state, absl::Seconds(129)),
              ElementsAre("s1:DEVICE_ATTACHED", "s1:ENDED", "s0:ENDED"));
  EXPECT_THAT(Told(state, absl::Seconds(130)), ElementsAre("s0:ENDED"));
  state.OnWritten(Tunnel("s0", v1::TunnelEvent::ENDED), absl::Seconds(200));
  EXPECT_THAT(Told(state, absl::Seconds(231)), IsEmpty());
  EXPECT_EQ(state.ended_count(), 0u);
}

TEST(EdgeState, ASteadyLinkLeavesNothingBehind) {
  EdgeState state;
  for (int i = 0; i < 1000; ++i) {
    const v1::EdgeEvent end = Tunnel("s" + std::to_string(i), v1::TunnelEvent::ENDED);
    state.Apply(end);
    state.OnWritten(end, absl::Seconds(i));
  }

  EXPECT_LE(state.ended_count(), 31u);
}

TEST(EdgeState, KeepsSoManyEndsAndCountsTheRest) {
  EdgeStateLimits limits;
  limits.max_ended = 2;
  EdgeState state(limits);
  for (const char* session : {"s1", "s2", "s3"}) {
    state.Apply(Tunnel(session, v1::TunnelEvent::ENDED));
  }

  EXPECT_THAT(Told(state), ElementsAre("s2:ENDED", "s3:ENDED"));
  EXPECT_EQ(state.TakeDropped(), 1u);
  EXPECT_EQ(state.TakeDropped(), 0u);
}

TEST(EdgeState, KeepsTheLastRefusalsForTheNextSnapshot) {
  EdgeStateLimits limits;
  limits.max_refusals = 2;
  EdgeState state(limits);
  for (const char* detail : {"1", "2", "3"}) state.KeepRefusal(Refusal(detail));

  EXPECT_THAT(Told(state), ElementsAre("refusal 2", "refusal 3"));
  // That snapshot was lost half-way.
  EXPECT_THAT(Told(state), ElementsAre("refusal 2", "refusal 3"));
  state.KeepRefusal(Refusal("4"));
  state.OnWritten(SnapshotComplete(), absl::ZeroDuration());
  EXPECT_THAT(Told(state), ElementsAre("refusal 4"));
  EXPECT_EQ(state.TakeDropped(), 1u);
}

TEST(EdgeState, TheEndOfAReplacedConnectionChangesNothing) {
  EdgeState state;
  state.Apply(Connected("a", 2));
  state.Apply(Connected("a", 3));
  state.Apply(Disconnected("a", 2));

  EXPECT_THAT(Told(state), ElementsAre("a/3"));
}

}  // namespace
}  // namespace fairlead::gateway
