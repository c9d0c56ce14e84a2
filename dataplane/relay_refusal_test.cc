// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay between legs in memory: which legs and registrations it refuses.
#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using RelayRefusalTest = RelayFixture;

TEST_F(RelayRefusalTest, RefusedClaimsAreClosedWithTheirCode) {
  Register(MakeSpec());
  const Claim used = ClaimSide(Side::kDevice);
  ASSERT_TRUE(used.granted);
  const Claim claims[] = {
      relay_->ClaimTicket("guess", Side::kConsole, "", PeerInfo()),
      ClaimSide(Side::kDevice),
      relay_->ClaimTicket("console-s", Side::kDevice, "unit", PeerInfo()),
  };
  for (const Claim& claim : claims) {
    auto peer = MakePeer();
    Attach(*peer, claim);
    Spawn(Read(peer.get()));
    RunReady();

    EXPECT_FALSE(claim.granted);
    EXPECT_EQ(peer->view.close.code, kCloseBadTicket);
    EXPECT_THAT(peer->view.close.text, HasSubstr("ticket"));
    EXPECT_TRUE(peer->served);
  }
  relay_->Abandon(claims[0]);
  relay_->Abandon(used);
  Run();
  EXPECT_EQ(relay_->counters().refused, 3u);
  EXPECT_THAT(observer_.log, ElementsAre(" Console refused 4401", "s device refused 4401",
                                         "s device refused 4401", "s ended"));
}

TEST_F(RelayRefusalTest, RefusesAnotherDevice) {
  Register(MakeSpec());

  EXPECT_EQ(relay_->ClaimTicket("device-s", Side::kDevice, "thief", PeerInfo()).refusal.code,
            kCloseDenied);

  EXPECT_TRUE(ClaimSide(Side::kDevice).granted);
  relay_->End("s", MakeReason(4410));
  Run();
}

TEST_F(RelayRefusalTest, ASideIsServedOnce) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto second = MakePeer();
  const Claim claim = ClaimSide(Side::kDevice);
  Attach(*device, claim);
  Spawn(Read(device.get()));
  RunReady();

  Attach(*second, claim);
  Spawn(Read(second.get()));
  RunReady();

  EXPECT_EQ(second->view.close.code, kCloseSideTaken);
  EXPECT_FALSE(device->relay_stats->closed);
  relay_->End("s", MakeReason(4410));
  Run();
  ExpectNothingLeft({device.get(), second.get()});
}

TEST_F(RelayRefusalTest, RefusesBadRegistrations) {
  RelayOptions options = Options();
  options.max_sessions = 2;
  MakeRelay(options);
  SessionSpec nameless = MakeSpec("");
  EXPECT_THAT(relay_->Register(nameless), StatusIs(absl::StatusCode::kInvalidArgument));
  SessionSpec timeless = MakeSpec();
  timeless.pairing_timeout = absl::ZeroDuration();
  EXPECT_THAT(relay_->Register(timeless), StatusIs(absl::StatusCode::kInvalidArgument));

  Register(MakeSpec());
  EXPECT_THAT(relay_->Register(MakeSpec()), StatusIs(absl::StatusCode::kAlreadyExists));
  SessionSpec same_ticket = MakeSpec("t");
  same_ticket.console_ticket_sha256 = MakeSpec().console_ticket_sha256;
  EXPECT_THAT(relay_->Register(same_ticket), StatusIs(absl::StatusCode::kAlreadyExists));
  Register(MakeSpec("u"));
  EXPECT_THAT(relay_->Register(MakeSpec("v")), StatusIs(absl::StatusCode::kResourceExhausted));

  EXPECT_EQ(relay_->counters().sessions_registered, 2u);
  relay_->EndAll(MakeReason(4503, "draining"));
  Run();
  EXPECT_EQ(observer_.ends.size(), 2u);
  ExpectNothingLeft({});
}

}  // namespace
}  // namespace fairlead::dataplane
