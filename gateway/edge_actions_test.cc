// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the server may ask of an edge's sessions, and what becomes of it.
#include "gateway/edge_actions.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "dataplane/testing/fake_websocket.h"
#include "dataplane/ticket_register.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::RegisterSession Good() {
  v1::RegisterSession session;
  session.set_session_id("s1");
  session.set_console_ticket_sha256(std::string(32, 'c'));
  session.set_device_ticket_sha256(std::string(32, 'd'));
  session.set_unit_id("a");
  session.mutable_pairing_timeout()->set_seconds(30);
  session.mutable_idle_timeout()->set_nanos(500'000'000);
  session.set_unacknowledged(true);
  return session;
}

TEST(ReadSession, TakesAGoodOne) {
  const auto spec = ReadSession(Good());

  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->session_id, "s1");
  EXPECT_EQ(spec->console_ticket_sha256, std::string(32, 'c'));
  EXPECT_EQ(spec->device_ticket_sha256, std::string(32, 'd'));
  EXPECT_EQ(spec->unit_id, "a");
  EXPECT_EQ(spec->pairing_timeout, absl::Seconds(30));
  EXPECT_EQ(spec->idle_timeout, absl::Milliseconds(500));
  EXPECT_EQ(spec->max_lifetime, absl::ZeroDuration());
  EXPECT_TRUE(spec->unacknowledged);
}

struct BadCase {
  const char* name;
  void (*spoil)(v1::RegisterSession&);
  const char* names;
};

class BadSessionTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadSessionTest, IsRefusedByName) {
  v1::RegisterSession session = Good();
  GetParam().spoil(session);
  EXPECT_THAT(ReadSession(session),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().names)));
}

using S = v1::RegisterSession;
INSTANTIATE_TEST_SUITE_P(
    All, BadSessionTest,
    ::testing::Values(
        BadCase{"NoId", [](S& s) { s.clear_session_id(); }, "session_id"},
        BadCase{"LongId", [](S& s) { s.set_session_id(std::string(129, 's')); }, "session_id"},
        BadCase{"ShortConsoleHash", [](S& s) { s.set_console_ticket_sha256("x"); }, "32 bytes"},
        BadCase{"NoDeviceHash", [](S& s) { s.clear_device_ticket_sha256(); }, "32 bytes"},
        BadCase{"NoUnit", [](S& s) { s.clear_unit_id(); }, "unit_id"},
        BadCase{"NoPairing", [](S& s) { s.clear_pairing_timeout(); }, "pairing_timeout"},
        BadCase{"LongPairing", [](S& s) { s.mutable_pairing_timeout()->set_seconds(601); },
                "pairing_timeout"},
        BadCase{"NegativePairing", [](S& s) { s.mutable_pairing_timeout()->set_seconds(-1); },
                "pairing_timeout"},
        BadCase{"NegativeIdle", [](S& s) { s.mutable_idle_timeout()->set_seconds(-1); },
                "idle_timeout"},
        BadCase{"NegativeLifetime", [](S& s) { s.mutable_max_lifetime()->set_seconds(-1); },
                "max_lifetime"}),
    [](const auto& info) { return info.param.name; });

TEST(ReadCloseReason, TheServerMayNotChooseAnyCode) {
  EXPECT_EQ(ReadCloseReason(1000, "").code, 1000);
  EXPECT_EQ(ReadCloseReason(4400, "").code, 4400);
  EXPECT_EQ(ReadCloseReason(4599, "").code, 4599);
  for (const std::uint32_t code : {0u, 1005u, 1006u, 4399u, 4600u, 69936u}) {
    EXPECT_EQ(ReadCloseReason(code, "").code, 4410) << code;
  }
  // Cut between characters.
  EXPECT_EQ(ReadCloseReason(1000, std::string(122, 'a') + "\xc3\xa4").text, std::string(122, 'a'));
}

// Tells the ends of sessions as the link would.
class EndObserver : public dataplane::RelayObserver {
 public:
  void OnAttached(absl::string_view, dataplane::Side) override {}
  void OnDataFlowing(absl::string_view) override {}
  void OnEnded(absl::string_view, const dataplane::RelayEnd& end) override { ends.push_back(end); }
  void OnRefused(absl::string_view, dataplane::Side, const dataplane::PeerInfo&,
                 const dataplane::CloseReason&) override {}
  std::vector<dataplane::RelayEnd> ends;
};

class LiveEdgeActionsTest : public ::testing::Test {
 protected:
  v1::DeviceCommand OpenTerminal() {
    v1::DeviceCommand command;
    command.set_unit_id("a");
    command.mutable_message()->mutable_open_terminal()->set_session_id("s1");
    return command;
  }
  // "s1:DEVICE_REQUESTED" and the like; other events by their number.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (const v1::EdgeEvent& event : sink_.events()) {
      told.push_back(event.has_tunnel_event()
                         ? event.tunnel_event().session_id() + ":" +
                               v1::TunnelEvent::Type_Name(event.tunnel_event().type())
                         : std::to_string(event.event_case()));
    }
    return told;
  }
  void ExpectDeviceFailed(const std::string& what) {
    RunUntil(io_, [&] { return !observer_.ends.empty(); });
    ASSERT_EQ(observer_.ends.size(), 1u);
    EXPECT_EQ(observer_.ends[0].by, dataplane::RelayEnd::By::kDevice);
    EXPECT_EQ(observer_.ends[0].reason.code, 4502);
    EXPECT_THAT(observer_.ends[0].reason.text, HasSubstr(what));
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  EndObserver observer_;
  dataplane::Relay relay_{
      [this](absl::string_view) -> dataplane::net::any_io_executor { return io_.get_executor(); },
      observer_, clock_, dataplane::RelayOptions()};
  DeviceHub hub_{sink_, clock_, DeviceHubOptions()};
  ConsoleForwarder forwarder_{sink_, clock_, ConsoleForwarderSources()};
  TunnelRoutes tunnels_{relay_, hub_, forwarder_, sink_};
  DeviceDialer dialer_{[this] { return io_.get_executor(); },
                       relay_,
                       sink_,
                       clock_,
                       DeviceDialerSources{nullptr, [] { return std::string(); }, nullptr},
                       DeviceDialerOptions()};
  LiveEdgeActions actions_{relay_,     hub_,  tunnels_, dialer_,
                           forwarder_, sink_, clock_,   [](const v1::EdgeConfiguration&) {}};
};

TEST_F(LiveEdgeActionsTest, ADeviceThatIsNotConnectedEndsTheSession) {
  ASSERT_THAT(actions_.RegisterSession(Good()), IsOk());

  actions_.SendToDevice(OpenTerminal());

  ExpectDeviceFailed("device a is not connected to this edge");
  EXPECT_THAT(Told(), ElementsAre());
}

TEST_F(LiveEdgeActionsTest, OtherMessagesForItAreJustLost) {
  ASSERT_THAT(actions_.RegisterSession(Good()), IsOk());
  v1::DeviceCommand command;
  command.set_unit_id("a");
  command.mutable_message()->mutable_close_terminal()->set_session_id("s1");

  actions_.SendToDevice(command);
  io_.poll();

  EXPECT_TRUE(relay_.Knows("s1"));
}

TEST_F(LiveEdgeActionsTest, ADeviceThatIsAskedIsToldOf) {
  auto pair = dataplane::MakeFakeWebSocketPair(io_.get_executor());
  const auto served = Spawn(io_, hub_.Serve(DeviceIdentity{"a", "print"}, std::move(pair.first)));
  v1::DeviceMessage hello;
  hello.mutable_hello()->set_protocol_version(1);
  EXPECT_THAT(Await(io_, pair.second->WriteBinary(hello.SerializeAsString())), IsOk());
  RunUntil(io_, [&] { return hub_.IsConnected("a"); });
  ASSERT_THAT(actions_.RegisterSession(Good()), IsOk());

  actions_.SendToDevice(OpenTerminal());

  EXPECT_THAT(Told(), ElementsAre("2", "s1:DEVICE_REQUESTED"));
  EXPECT_EQ(sink_.events()[1].tunnel_event().time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  v1::ServerMessage got;
  EXPECT_TRUE(got.ParseFromString(Await(io_, pair.second->ReadMessage()).payload));
  EXPECT_EQ(got.open_terminal().session_id(), "s1");
  EXPECT_TRUE(relay_.Knows("s1"));
  pair.second->Abort();
  RunUntil(io_, [&] { return *served; });
}

TEST_F(LiveEdgeActionsTest, ADeviceThatIsDialledIsToldOf) {
  ASSERT_THAT(actions_.RegisterSession(Good()), IsOk());
  v1::DialDevice dial;
  dial.set_session_id("s1");
  dial.set_unit_id("a");
  dial.set_address("127.0.0.1:1");

  actions_.DialDevice(dial);

  EXPECT_THAT(Told(), ElementsAre("s1:DEVICE_REQUESTED"));
  ExpectDeviceFailed("dials no devices");
}

TEST_F(LiveEdgeActionsTest, ForASessionThatIsOverNoDeviceIsDialled) {
  v1::DialDevice dial;
  dial.set_session_id("s1");
  dial.set_unit_id("a");

  actions_.DialDevice(dial);

  EXPECT_THAT(Told(), ElementsAre());
  EXPECT_EQ(dialer_.counters().dials, 0u);
}

TEST_F(LiveEdgeActionsTest, ProbesAreAnswered) {
  v1::ProbeDevice probe;
  probe.set_unit_id("a");
  probe.set_probe_id(7);

  actions_.ProbeDevice(probe);

  RunUntil(io_, [&] { return !sink_.events().empty(); });
  EXPECT_EQ(sink_.events()[0].probe_result().probe_id(), 7u);
  EXPECT_FALSE(sink_.events()[0].probe_result().reachable());
}

TEST_F(LiveEdgeActionsTest, AfterDrainingNothingBegins) {
  actions_.Drain();
  v1::ProbeDevice probe;
  actions_.ProbeDevice(probe);
  io_.poll();

  EXPECT_THAT(actions_.RegisterSession(Good()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Told(), ElementsAre());
}

}  // namespace
}  // namespace fairlead::gateway
