// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay between legs in memory: ends in every state, and limits of time.
#include <string>
#include <vector>

#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using RelayEndTest = RelayFixture;

TEST_F(RelayEndTest, EndsBeforeAnyLeg) {
  Register(MakeSpec());
  relay_->End("s", MakeReason(4410, "no more"));
  relay_->End("unknown", MakeReason(4410));
  Run();

  EXPECT_THAT(observer_.log, ElementsAre("s ended"));
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kRelay);
  EXPECT_EQ(ClaimSide(Side::kDevice).refusal.code, kCloseBadTicket);
  ExpectNothingLeft({});
}

TEST_F(RelayEndTest, EndsWhileALegWaits) {
  Register(MakeSpec());
  auto device = MakePeer();
  Attach(*device, Side::kDevice);
  Spawn(Read(device.get()));
  RunReady();

  relay_->End("s", MakeReason(4410, "no more"));
  Run();

  EXPECT_EQ(device->view.close.code, 4410);
  EXPECT_EQ(device->view.close.text, "no more");
  ExpectNothingLeft({device.get()});
}

TEST_F(RelayEndTest, EndsWhileALegIsClaimedButNotYetThere) {
  Register(MakeSpec());
  auto device = MakePeer();
  const Claim claim = ClaimSide(Side::kDevice);
  relay_->End("s", MakeReason(4410, "no more"));
  RunReady();
  EXPECT_EQ(observer_.ends.size(), 1u);

  Attach(*device, claim);
  Spawn(Read(device.get()));
  Run();

  EXPECT_EQ(device->view.close.code, 4410);
  EXPECT_THAT(observer_.log, ElementsAre("s ended"));
  ExpectNothingLeft({device.get()});
}

TEST_F(RelayEndTest, EndsWhileBytesFlow) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();
  Attach(*device, Side::kDevice);
  Attach(*console, Side::kConsole);
  Spawn(Read(device.get()));
  Spawn(Read(console.get()));
  Spawn(Write(device.get(), std::vector<std::string>(1000, std::string(100, 'x')), absl::nullopt));
  observer_.on_note = [this](const std::string& line) {
    if (line == "s flowing") relay_->End("s", MakeReason(4410, "no more"));
  };
  RunReady();

  EXPECT_EQ(device->view.close.code, 4410);
  EXPECT_EQ(console->view.close.code, 4410);
  EXPECT_EQ(observer_.ends[0].bytes_to_console, relay_->counters().bytes_to_console);
  Run();
  ExpectNothingLeft({device.get(), console.get()});
}

// One side takes nothing, and the other, which is held back for it, is gone.
class RelayStuckTest : public RelayFixture {
 protected:
  RelayStuckTest() {
    RelayOptions options = Options();
    options.input_rest_timeout = options.output_rest_timeout = absl::Milliseconds(20);
    MakeRelay(options);
    Peers peers = JoinPeers(100);
    device_ = std::move(peers.device);
    console_ = std::move(peers.console);
  }

  std::unique_ptr<PeerEnd> device_;
  std::unique_ptr<PeerEnd> console_;
};

TEST_F(RelayStuckTest, AConsoleThatIsGoneEndsTheSessionThoughTheDeviceTakesNothing) {
  Spawn(Write(console_.get(), {std::string(5000, 'x')}, absl::nullopt));
  RunReady();
  console_->end->Abort();
  while (observer_.ends.empty()) context_.run_one();

  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kConsole);
  EXPECT_EQ(observer_.ends[0].reason.code, kCloseLost);
  Spawn(Read(device_.get()));
  Run();
  EXPECT_EQ(device_->view.close.code, kClosePeerLost);
  ExpectNothingLeft({device_.get(), console_.get()});
}

TEST_F(RelayStuckTest, ADeviceThatIsGoneEndsTheSessionThoughTheConsoleTakesNothing) {
  Spawn(Write(device_.get(), {std::string(5000, 'x')}, absl::nullopt));
  RunReady();
  device_->end->Abort();
  while (observer_.ends.empty()) context_.run_one();

  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  Spawn(Read(console_.get()));
  Run();
  EXPECT_EQ(console_->view.close.code, kClosePeerLost);
  ExpectNothingLeft({device_.get(), console_.get()});
}

// Whoever takes what came before the loss, however slowly, gets all of it.
TEST_F(RelayStuckTest, ASlowConsoleGetsTheRestOfADeviceThatIsGone) {
  Spawn(Write(device_.get(), {std::string(150, 'x')}, absl::nullopt));
  RunReady();
  device_->end->Abort();
  Spawn(Read(console_.get()));
  Run();

  EXPECT_EQ(console_->view.bytes.size(), 150u);
  EXPECT_EQ(console_->view.close.code, kClosePeerLost);
  ExpectNothingLeft({device_.get(), console_.get()});
}

TEST_F(RelayEndTest, EndsThoughAWriteIsStuck) {
  const auto [device, console] = JoinPeersWithAStuckWrite();

  relay_->End("s", MakeReason(4410, "no more"));
  RunReady();
  EXPECT_EQ(device->view.close.code, 4410);
  EXPECT_EQ(observer_.ends.size(), 1u);
  EXPECT_FALSE(console->relay_stats->closed);

  // The Console never reads: it is cut 2 s later.
  const absl::Duration before = SystemClock().Monotonic();
  Run();
  EXPECT_LT(SystemClock().Monotonic() - before, absl::Seconds(10));
  ExpectNothingLeft({device.get(), console.get()});
  // There was no room for a close frame.
  Spawn(Read(console.get()));
  Run();
  EXPECT_EQ(console->view.close.code, kCloseLost);
}

TEST_F(RelayEndTest, AStuckWriteThatFreesItselfInTimeStillGetsTheCode) {
  const auto [device, console] = JoinPeersWithAStuckWrite();
  relay_->End("s", MakeReason(4410, "no more"));
  RunReady();

  Spawn(Read(console.get()));
  Run();

  EXPECT_EQ(console->view.close.code, 4410);
  ExpectNothingLeft({device.get(), console.get()});
}

TEST_F(RelayEndTest, APairThatNeverFormsIsClosed) {
  SessionSpec spec = MakeSpec();
  spec.pairing_timeout = absl::Milliseconds(20);
  Register(spec);
  auto device = MakePeer();
  Attach(*device, Side::kDevice);
  Spawn(Read(device.get()));
  Run();

  EXPECT_EQ(device->view.close.code, kClosePeerLost);
  EXPECT_THAT(device->view.close.text, HasSubstr("the Console never came"));
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kRelay);
  ExpectNothingLeft({device.get()});
}

TEST_F(RelayEndTest, ASessionThatNobodyTakesIsForgotten) {
  SessionSpec spec = MakeSpec();
  spec.pairing_timeout = absl::Milliseconds(5);
  Register(spec);
  Run();

  EXPECT_THAT(observer_.log, ElementsAre("s ended"));
  EXPECT_THAT(observer_.ends[0].reason.text, HasSubstr("neither side"));
  ExpectNothingLeft({});
}

TEST_F(RelayEndTest, IdleAndLifetimeLimitsEndASession) {
  for (const bool idle : {true, false}) {
    const std::string id = idle ? "idle" : "life";
    SessionSpec spec = MakeSpec(id);
    (idle ? spec.idle_timeout : spec.max_lifetime) = absl::Milliseconds(30);
    Register(spec);
    auto device = MakePeer();
    auto console = MakePeer();
    Attach(*device, ClaimSide(Side::kDevice, id));
    Attach(*console, ClaimSide(Side::kConsole, id));
    Spawn(Read(device.get()));
    Spawn(Read(console.get()));
    Spawn(Write(console.get(), {"x"}, absl::nullopt));
    Run();

    EXPECT_EQ(device->view.bytes, "x");
    for (const PeerEnd* peer : {device.get(), console.get()}) {
      EXPECT_EQ(peer->view.close.code, kCloseLimit);
      EXPECT_THAT(peer->view.close.text, HasSubstr(idle ? "idle" : "limit"));
    }
    ExpectNothingLeft({device.get(), console.get()});
  }
}

TEST_F(RelayEndTest, AnAbandonedClaimEndsTheSession) {
  Register(MakeSpec());
  auto device = MakePeer();
  Attach(*device, Side::kDevice);
  Spawn(Read(device.get()));
  RunReady();

  relay_->Abandon(ClaimSide(Side::kConsole));
  Run();

  EXPECT_EQ(device->view.close.code, kClosePeerLost);
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kConsole);
  ExpectNothingLeft({device.get()});
}

TEST_F(RelayEndTest, ALegThatFailsEndsTheSessionWithItsReason) {
  Register(MakeSpec());
  auto console = MakePeer();
  Attach(*console, Side::kConsole);
  Spawn(Read(console.get()));
  RunReady();
  const std::string why(200, 'x');

  EXPECT_TRUE(relay_->Knows("s"));
  relay_->FailLeg("s", Side::kDevice, MakeReason(kClosePeerLost, why));
  Run();

  EXPECT_FALSE(relay_->Knows("s"));
  EXPECT_EQ(console->view.close.code, kClosePeerLost);
  EXPECT_EQ(console->view.close.text, why.substr(0, 123));
  ASSERT_EQ(observer_.ends.size(), 1u);
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  EXPECT_EQ(observer_.ends[0].reason.text, why);
  ExpectNothingLeft({console.get()});
}

TEST_F(RelayEndTest, ALegInPlaceDoesNotFail) {
  Register(MakeSpec());
  auto device = MakePeer();
  Attach(*device, Side::kDevice);
  Spawn(Read(device.get()));
  RunReady();

  relay_->FailLeg("s", Side::kDevice, MakeReason(kClosePeerLost));
  relay_->FailLeg("other", Side::kDevice, MakeReason(kClosePeerLost));
  RunReady();
  EXPECT_TRUE(relay_->Knows("s"));

  relay_->End("s", MakeReason(kCloseTerminated));
  Run();
  EXPECT_EQ(device->view.close.code, kCloseTerminated);
}

// Neither takes anything: the Console reads no output, and the device no input before that is
// taken.
TEST_F(RelayEndTest, TheLastInputOfAConsoleThatIsGoneReachesTheDevice) {
  Register(MakeSpec());
  MemoryLegOptions small;
  small.buffer_bytes = 16 * 1024;
  MemoryLegOptions one_read;
  one_read.buffer_bytes = 96 * 1024;
  auto device = MakePeer(small);
  auto console = MakePeer(one_read);
  Attach(*device, Side::kDevice);
  Attach(*console, Side::kConsole);
  Spawn(WriteAndRead(device.get(), {std::string(1 << 20, 'o')}));
  RunReady();
  const std::string input(60 * 1024, 'i');
  Spawn(Write(console.get(), {input}, MakeReason(1000)));
  Run();
  EXPECT_TRUE(device->view.bytes == input);
  EXPECT_EQ(observer_.ends.at(0).by, RelayEnd::By::kConsole);
  EXPECT_EQ(observer_.ends.at(0).reason.code, 1000);
}

}  // namespace
}  // namespace fairlead::dataplane
