// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the server may ask of an edge's sessions.
#include "gateway/edge_actions.h"

#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using ::testing::HasSubstr;

v1::RegisterSession Good() {
  v1::RegisterSession session;
  session.set_session_id("s1");
  session.set_console_ticket_sha256(std::string(32, 'c'));
  session.set_device_ticket_sha256(std::string(32, 'd'));
  session.set_unit_id("a");
  session.mutable_pairing_timeout()->set_seconds(30);
  session.mutable_idle_timeout()->set_nanos(500'000'000);
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

}  // namespace
}  // namespace fairlead::gateway
