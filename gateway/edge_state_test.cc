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
std::vector<std::string> Told(const EdgeState& state) {
  std::vector<std::string> told;
  for (const v1::EdgeEvent& event : state.Snapshot()) {
    if (event.has_device_connected()) {
      told.push_back(event.device_connected().unit_id() + "/" +
                     std::to_string(event.device_connected().connection_id()));
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

TEST(EdgeState, ForgetsWhatEnded) {
  EdgeState state;
  state.Apply(Connected("a", 2));
  state.Apply(Tunnel("s1", v1::TunnelEvent::DEVICE_ATTACHED));
  state.Apply(Disconnected("a", 2));
  state.Apply(Tunnel("s1", v1::TunnelEvent::ENDED));
  state.Apply(Tunnel("s2", v1::TunnelEvent::ENDED));

  EXPECT_THAT(Told(state), IsEmpty());
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
