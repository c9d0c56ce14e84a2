// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay between legs in memory: order of notices, exact bytes, tails, early legs, close codes.
#include <random>
#include <string>
#include <vector>

#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using RelayTest = RelayFixture;

// `count` messages of random size and content.
std::vector<std::string> RandomMessages(int count, std::size_t max_bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> messages;
  for (int i = 0; i < count; ++i) {
    std::string message(random() % (max_bytes + 1), '\0');
    for (char& byte : message) byte = static_cast<char>(random());
    messages.push_back(std::move(message));
  }
  return messages;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

TEST_F(RelayTest, TellsTheStepsInOrder) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();

  Attach(*device, Side::kDevice);
  Spawn(Read(device.get()));
  RunReady();
  EXPECT_THAT(device->view.texts, ElementsAre("attached!"));
  EXPECT_THAT(observer_.log, ElementsAre("s device attached"));
  EXPECT_EQ(relay_->counters().legs_now, 1u);

  Attach(*console, Side::kConsole);
  Spawn(Read(console.get()));
  RunReady();
  EXPECT_THAT(device->view.texts, ElementsAre("attached!", "peer!"));
  EXPECT_THAT(console->view.texts, ElementsAre("attached!", "peer!"));

  Spawn(Write(device.get(), {"prompt$ "}, absl::nullopt));
  Spawn(Write(console.get(), {"ls\n"}, absl::nullopt));
  RunReady();
  EXPECT_EQ(console->view.bytes, "prompt$ ");
  EXPECT_EQ(device->view.bytes, "ls\n");

  Spawn(Write(device.get(), {}, MakeReason(1000, "exited")));
  Run();
  EXPECT_THAT(observer_.log,
              ElementsAre("s device attached", "s Console attached", "s flowing", "s ended"));
  EXPECT_EQ(console->view.close.code, 1000);
  EXPECT_EQ(console->view.close.text, "exited");
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  EXPECT_EQ(observer_.ends[0].reason.text, "exited");
  EXPECT_EQ(observer_.ends[0].bytes_to_console, 8u);
  EXPECT_EQ(observer_.ends[0].bytes_to_device, 3u);
  EXPECT_EQ(relay_->counters().bytes_to_console, 8u);
  EXPECT_EQ(relay_->counters().bytes_to_device, 3u);
  ExpectNothingLeft({device.get(), console.get()});
}

TEST_F(RelayTest, GivesNoNoticesWhereNoneAreWanted) {
  RelayOptions options = Options();
  options.notices = false;
  MakeRelay(options);
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();
  Attach(*device, Side::kDevice);
  Attach(*console, Side::kConsole);
  Spawn(Read(console.get()));

  Spawn(Write(device.get(), {"bytes"}, MakeReason(kCloseNoCode)));
  Run();

  EXPECT_THAT(console->view.texts, IsEmpty());
  EXPECT_EQ(console->view.bytes, "bytes");
  EXPECT_EQ(console->view.close.code, 1000);
}

TEST_F(RelayTest, ForwardsTextUnchangedAndDoesNotCountIt) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();
  Attach(*device, Side::kDevice);
  Attach(*console, Side::kConsole);
  Spawn(Read(device.get()));
  Spawn(Read(console.get()));
  RunReady();

  net::co_spawn(context_, console->end->WriteText("{\"ack\":{}}"), net::detached);
  net::co_spawn(context_, console->end->WriteText(""), net::detached);
  RunReady();

  EXPECT_THAT(device->view.texts, ElementsAre("attached!", "peer!", "{\"ack\":{}}", ""));
  EXPECT_THAT(observer_.log, ElementsAre("s device attached", "s Console attached"));
  relay_->End("s", MakeReason(4410));
  Run();
  EXPECT_EQ(observer_.ends[0].bytes_to_device, 0u);
}

TEST_F(RelayTest, KeepsMessagesAndBytesBothWaysUnderAnySplit) {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    const std::string id = absl::StrCat("s", seed);
    Register(MakeSpec(id));
    MemoryLegOptions options;
    options.buffer_bytes = 1 + seed * 331;
    options.max_read_bytes = 1 + seed * 97;
    auto device = MakePeer(options);
    auto console = MakePeer(options);
    const auto output = RandomMessages(200, 3000, seed);
    const auto input = RandomMessages(200, 700, seed + 100);
    Attach(*device, ClaimSide(Side::kDevice, id));
    Attach(*console, ClaimSide(Side::kConsole, id));
    Spawn(Read(device.get()));
    Spawn(Read(console.get()));

    Spawn(Write(console.get(), input, absl::nullopt));
    Spawn(Write(device.get(), output, absl::nullopt));
    RunReady();
    Spawn(Write(device.get(), {}, MakeReason(1000)));
    Run();

    EXPECT_EQ(console->view.binaries, output);
    EXPECT_EQ(device->view.binaries, input);
    EXPECT_EQ(observer_.ends.back().bytes_to_console, Join(output).size());
    EXPECT_EQ(observer_.ends.back().bytes_to_device, Join(input).size());
    ExpectNothingLeft({device.get(), console.get()});
  }
}

// The device closes right after its last byte while the Console sends: nothing may be lost.
TEST_F(RelayTest, DeliversTheTailThoughTheDeviceTakesNoMoreInput) {
  const std::size_t kSizes[] = {1, 1000, 1 << 20};
  for (int run = 0; run < 1000; ++run) {
    const std::string id = absl::StrCat("s", run);
    Register(MakeSpec(id));
    MemoryLegOptions options;
    // Small buffers put the end of the bytes anywhere; 1 MiB wants fewer steps.
    options.buffer_bytes = (run % 3 == 2 ? 20'000 : 5) + 117 * static_cast<std::size_t>(run % 60);
    auto device = MakePeer(options);
    auto console = MakePeer(options);
    const std::string output(kSizes[run % 3], 'x');
    const bool early = run % 2 == 0;
    if (early) Spawn(Write(device.get(), {output}, MakeReason(1000)));
    Attach(*device, ClaimSide(Side::kDevice, id));
    if (early) RunReady();
    Attach(*console, ClaimSide(Side::kConsole, id));
    Spawn(Read(console.get()));
    Spawn(Write(console.get(), std::vector<std::string>(20, std::string(97, 'i')), absl::nullopt));
    if (!early) Spawn(Write(device.get(), {output}, MakeReason(1000)));
    Run();

    ASSERT_EQ(console->view.bytes, output) << run;
    ASSERT_EQ(console->view.close.code, 1000) << run;
    ASSERT_EQ(observer_.ends.back().bytes_to_console, output.size()) << run;
    ASSERT_EQ(observer_.ends.back().by, RelayEnd::By::kDevice) << run;
    ExpectNothingLeft({device.get(), console.get()});
  }
}

// A connection that takes no more input, while what it sent is still there.
TEST_F(RelayTest, AFailedWriteDoesNotCutWhatTheDeviceSentBefore) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();
  Attach(*device, Side::kDevice);
  RunReady();
  Spawn(Write(device.get(), {"the last words"}, absl::nullopt));
  RunReady();
  device->end->Abort();

  Attach(*console, Side::kConsole);
  Spawn(Read(console.get()));
  Spawn(Write(console.get(), {"input", "more input"}, absl::nullopt));
  Run();

  EXPECT_EQ(console->view.bytes, "the last words");
  EXPECT_EQ(console->view.close.code, kClosePeerLost);
  EXPECT_THAT(console->view.close.text, HasSubstr("the device was lost"));
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  EXPECT_EQ(observer_.ends[0].reason.code, kCloseLost);
  EXPECT_EQ(observer_.ends[0].bytes_to_device, 0u);
  ExpectNothingLeft({device.get(), console.get()});
}

TEST_F(RelayTest, HoldsAnEarlyLegUnreadAndPushesBack) {
  Register(MakeSpec());
  MemoryLegOptions options;
  options.buffer_bytes = 1000;
  auto device = MakePeer(options);
  auto console = MakePeer(options);
  Attach(*device, Side::kDevice);
  Spawn(Write(device.get(), {std::string(5000, 'x')}, absl::nullopt));
  RunReady();
  Attach(*console, Side::kConsole);
  RunReady();

  // One buffer's worth is on either side of the relay, and one in it; the rest waits.
  EXPECT_LE(relay_->counters().bytes_to_console, 1000u);
  Spawn(Read(device.get()));
  Spawn(Read(console.get()));
  RunReady();
  EXPECT_EQ(console->view.bytes, std::string(5000, 'x'));
  relay_->EndAll(MakeReason(4503, "draining"));
  Run();
  EXPECT_EQ(console->view.close.code, 4503);
}

TEST_F(RelayTest, ForwardsEveryCloseCodeBothWays) {
  for (const int code : {1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4400, 4410, 4999}) {
    for (const Side from : kSides) {
      const std::string id = absl::StrCat("s", code, NameOf(from));
      Register(MakeSpec(id));
      std::unique_ptr<PeerEnd> peers[] = {MakePeer(), MakePeer()};
      for (const Side side : kSides) {
        Attach(*peers[IndexOf(side)], ClaimSide(side, id));
      }
      PeerEnd* closer = peers[IndexOf(from)].get();
      PeerEnd* other = peers[IndexOf(OtherSide(from))].get();
      Spawn(Read(other));

      Spawn(Write(closer, {"x"}, MakeReason(static_cast<std::uint16_t>(code), "why")));
      Run();

      EXPECT_EQ(other->view.bytes, "x");
      EXPECT_EQ(other->view.close.code, code == 1005 ? 1000 : code);
      EXPECT_EQ(observer_.ends.back().reason.code, code);
      EXPECT_EQ(observer_.ends.back().by,
                from == Side::kConsole ? RelayEnd::By::kConsole : RelayEnd::By::kDevice);
      ExpectNothingLeft({closer, other});
    }
  }
}

TEST_F(RelayTest, ALostLegClosesTheOtherAtOnce) {
  Register(MakeSpec());
  auto device = MakePeer();
  auto console = MakePeer();
  Attach(*device, Side::kDevice);
  Attach(*console, Side::kConsole);
  Spawn(Read(device.get()));
  RunReady();

  console->end->Abort();
  RunReady();

  EXPECT_EQ(device->view.close.code, kClosePeerLost);
  EXPECT_EQ(observer_.ends[0].reason.code, kCloseLost);
  Run();
  ExpectNothingLeft({device.get(), console.get()});
}

TEST_F(RelayTest, ALostReceiverFreesABlockedWrite) {
  const auto [device, console] = JoinPeersWithAStuckWrite();

  console->end->Abort();
  RunReady();

  EXPECT_EQ(device->view.close.code, kClosePeerLost);
  Run();
  ExpectNothingLeft({device.get(), console.get()});
}

}  // namespace
}  // namespace fairlead::dataplane
