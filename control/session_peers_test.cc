// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a session takes from its peers: texts of any bytes, close codes that are not theirs to use,
// results out of range, second answers, and clocks of edges that are wrong.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/plain_text.h"
#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/testing/session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using Tunnels = v1::TunnelEvent;

class SessionPeersTest : public SessionFixture {
 public:
  void Refuse(const std::string& id, v1::OpenTerminalResult::Refusal refusal,
              const std::string& text) {
    v1::DeviceMessage message;
    message.mutable_open_terminal_result()->set_session_id(id);
    message.mutable_open_terminal_result()->set_refusal(refusal);
    message.mutable_open_terminal_result()->set_message(text);
    Report(message);
  }
  void SignalEnds(const std::string& id, const std::string& signal) {
    v1::DeviceMessage message;
    message.mutable_terminal_ended()->set_session_id(id);
    message.mutable_terminal_ended()->set_signal(signal);
    Report(message);
  }
  // However many the user has opened before.
  std::string OpenAnother() {
    Advance(absl::Minutes(1));
    return OpenActive();
  }
  v1::SessionEnd EndWith(const std::string& id) {
    Tunnel(id, Tunnels::ENDED, Tunnels::DEVICE, 1000);
    return Get(id).end();
  }
  std::string LastDetail() { return store_.audit().back().detail(); }
};

std::string Euros(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "\xe2\x82\xac";
  return text;
}

// ---- Texts ----

TEST_F(SessionPeersTest, ALongRefusalIsCutBetweenCharactersAndStored) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Refuse(outcome->id, v1::OpenTerminalResult::START_FAILED, "a" + Euros(300));

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(store_.GetSession("sessions/" + outcome->id), IsOk());
  const std::string message = store_.GetSession("sessions/" + outcome->id)->end().message();
  EXPECT_TRUE(IsPlainText(message));
  EXPECT_THAT(message, HasSubstr("a" + Euros(166)));
  EXPECT_TRUE(IsPlainText(LastDetail()));
}

TEST_F(SessionPeersTest, ARefusalsControlCharactersReachNobody) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Refuse(outcome->id, v1::OpenTerminalResult::START_FAILED, "no\x1b[2J\n\xe2\x80\xae");

  EXPECT_THAT(outcome->result, StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("refused the terminal: no?[2J??")));
  EXPECT_THAT(LastDetail(), HasSubstr("refused the terminal: no?[2J??"));
}

TEST_F(SessionPeersTest, ATunnelThatEndsWhileOpeningQuotesThePeer) {
  Connect();
  const std::shared_ptr<Outcome> outcome = Open();

  Tunnel(outcome->id, Tunnels::ENDED, Tunnels::DEVICE, 4400, kLocalEdge, "a\x07" + Euros(300));

  ASSERT_FALSE(outcome->result.ok());
  EXPECT_TRUE(IsPlainText(outcome->result.status().message()));
  EXPECT_THAT(std::string(outcome->result.status().message()),
              HasSubstr("the device closed its tunnel with 4400: \"a?"));
}

// ---- Close codes ----

TEST_F(SessionPeersTest, NoPeerEndsASessionInTheNameOfTheServer) {
  Connect();
  for (const std::uint32_t code : {4408u, 4410u, 4503u}) {
    for (const auto& [side, cause] : {std::pair(Tunnels::CONSOLE, v1::SessionEnd::CONSOLE_LOST),
                                      std::pair(Tunnels::DEVICE, v1::SessionEnd::DEVICE_LOST)}) {
      const std::string id = OpenAnother();
      Tunnel(id, Tunnels::ENDED, side, code, kLocalEdge, "terminated by users/admin: \"x\"\x1b[0m");
      EXPECT_EQ(CauseOf(id), cause) << code;
      const std::string peer = side == Tunnels::DEVICE ? "device" : "Console";
      const std::string sentence = absl::StrCat("the ", peer, " closed its tunnel with ", code,
                                                ": \"terminated by users/admin: 'x'?[0m\"");
      EXPECT_EQ(Get(id).end().message(), sentence);
      EXPECT_THAT(LastDetail(), HasSubstr(sentence));
    }
  }
}

TEST_F(SessionPeersTest, TheEdgesOwnCodesAreTakenAtTheirWord) {
  Connect();
  for (const auto& [code, cause] : {std::pair(4408u, v1::SessionEnd::LIMIT_REACHED),
                                    std::pair(4410u, v1::SessionEnd::TERMINATED),
                                    std::pair(4503u, v1::SessionEnd::SERVER_STOPPED)}) {
    const std::string id = OpenAnother();
    Tunnel(id, Tunnels::ENDED, Tunnels::SIDE_UNSPECIFIED, code, kLocalEdge, "by the edge");
    EXPECT_EQ(CauseOf(id), cause);
    EXPECT_EQ(Get(id).end().message(), "by the edge");
  }
}

TEST_F(SessionPeersTest, WhatAnEdgeSaysOfALostPeerIsNotThePeersWord) {
  Connect();
  const std::string lost = OpenAnother();
  Tunnel(lost, Tunnels::ENDED, Tunnels::CONSOLE, 1006, kLocalEdge, "the connection was reset");
  EXPECT_EQ(Get(lost).end().message(), "the connection was reset");

  const std::string broken = OpenAnother();
  Tunnel(broken, Tunnels::ENDED, Tunnels::CONSOLE, 1009, kLocalEdge, "too big");
  EXPECT_EQ(Get(broken).end().message(), "the Console's tunnel was closed with 1009: \"too big\"");

  const std::string silent = OpenAnother();
  Tunnel(silent, Tunnels::ENDED, Tunnels::CONSOLE, 1000);
  EXPECT_EQ(Get(silent).end().message(), "");

  const std::string polite = OpenAnother();
  Tunnel(polite, Tunnels::ENDED, Tunnels::CONSOLE, 1000, kLocalEdge, "bye");
  EXPECT_EQ(Get(polite).end().message(), "the Console said: \"bye\"");
}

// ---- Results ----

TEST_F(SessionPeersTest, AnExitCodeOutOfRangeIsUnknown) {
  Connect();
  for (const int code : {-1, 256, 1'000'000}) {
    const std::string id = OpenAnother();
    ProgramEnds(id, code);
    EXPECT_EQ(EndWith(id).result_case(), v1::SessionEnd::RESULT_NOT_SET) << code;
  }
  for (const int code : {0, 255}) {
    const std::string id = OpenAnother();
    ProgramEnds(id, code);
    EXPECT_EQ(EndWith(id).exit_code(), code);
  }
}

TEST_F(SessionPeersTest, ASignalThatIsNoSignalsNameIsUnknown) {
  Connect();
  for (const std::string& signal : {"a" + Euros(11), std::string(33, 'A'), std::string("sigkill"),
                                    std::string("SIG KILL"), std::string()}) {
    const std::string id = OpenAnother();
    SignalEnds(id, signal);
    EXPECT_EQ(EndWith(id).result_case(), v1::SessionEnd::RESULT_NOT_SET) << signal;
    EXPECT_THAT(store_.GetSession("sessions/" + id), IsOk());
  }
  for (const char* signal : {"SIGKILL", "SIGRTMIN+3", "SIG34"}) {
    const std::string id = OpenAnother();
    SignalEnds(id, signal);
    EXPECT_EQ(EndWith(id).signal(), signal);
  }
}

// ---- Second answers ----

TEST_F(SessionPeersTest, OnlyTheFirstAnswerOfADeviceCounts) {
  Connect();
  const std::string id = OpenActive();
  Refuse(id, v1::OpenTerminalResult::REFUSAL_UNSPECIFIED, "");

  Refuse(id, v1::OpenTerminalResult::START_FAILED, "never mind");

  EXPECT_EQ(Get(id).state(), v1::Session::ACTIVE);
  Tunnel(id, Tunnels::ENDED, Tunnels::DEVICE, 1006);
  Refuse(id, v1::OpenTerminalResult::START_FAILED, "never mind");
  EXPECT_EQ(CauseOf(id), v1::SessionEnd::DEVICE_LOST);
}

TEST_F(SessionPeersTest, AProgramThatCannotBeStartedIsRefusedBehindTheTunnel) {
  Connect();
  const std::string id = OpenActive();

  Refuse(id, v1::OpenTerminalResult::START_FAILED, "no such program");

  EXPECT_EQ(CauseOf(id), v1::SessionEnd::DEVICE_REFUSED);
}

TEST_F(SessionPeersTest, ARunningSessionThatWasAdoptedIsRefusedNoMore) {
  Link("icg1", kIcg);
  Connect(1, "", kIcg);
  const std::shared_ptr<Outcome> outcome = Open();
  TunnelAtIcg(outcome->id,
              {Tunnels::ACCEPTED, Tunnels::DEVICE_ATTACHED, Tunnels::CONSOLE_ATTACHED});
  Restart();
  EdgeUp("icg1", kIcg);
  Connect(1, outcome->id, kIcg);
  TunnelAtIcg(outcome->id, {Tunnels::ACCEPTED});
  SnapshotComplete(kIcg);

  Refuse(outcome->id, v1::OpenTerminalResult::START_FAILED, "never mind");

  EXPECT_EQ(Get(outcome->id).state(), v1::Session::ACTIVE);
}

// ---- Clocks ----

TEST_F(SessionPeersTest, ATimelineNeverGoesBackNorAheadOfTheServer) {
  Link("icg1", kIcg);
  Connect(1, "", kIcg);
  const std::shared_ptr<Outcome> outcome = Open();
  clock_.Advance(absl::Seconds(1));
  const auto happen = [&](Tunnels::Type type, absl::Duration error) {
    v1::EdgeEvent event;
    event.mutable_tunnel_event()->set_session_id(outcome->id);
    event.mutable_tunnel_event()->set_type(type);
    *event.mutable_tunnel_event()->mutable_time() = ToTimestamp(clock_.Now() + error);
    Happen(event, kIcg);
  };
  happen(Tunnels::ACCEPTED, absl::ZeroDuration());
  happen(Tunnels::DEVICE_REQUESTED, -absl::Hours(1));
  happen(Tunnels::DEVICE_ATTACHED, absl::Hours(1));
  happen(Tunnels::CONSOLE_ATTACHED, -absl::Microseconds(3));
  happen(Tunnels::ENDED, absl::Hours(2));

  const v1::Session session = Get(outcome->id);
  ASSERT_EQ(session.timeline_size(), 7);
  for (int i = 1; i < session.timeline_size(); ++i) {
    EXPECT_LE(FromTimestamp(session.timeline(i - 1).time()),
              FromTimestamp(session.timeline(i).time()))
        << i;
    EXPECT_LE(FromTimestamp(session.timeline(i).time()), clock_.Now()) << i;
  }
}

}  // namespace
}  // namespace fairlead::control
