// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Every I/O failure of the relay, one after the other: the n-th operation of either leg fails, for
// growing n until a run is clean. Whatever fails, all is closed, told once, and nothing is left.
#include <memory>
#include <string>
#include <vector>

#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::testing::AnyOf;

constexpr int kMessages = 12;

// How the session is meant to end.
enum class Ending { kDeviceCloses, kConsoleCloses, kTerminated };

class RelayFaultTest : public RelayFixture {
 protected:
  // Runs one whole session in which an operation of the legs may fail.
  void RunSession(Ending ending, bool early, std::shared_ptr<FaultPlan> device_faults,
                  std::shared_ptr<FaultPlan> console_faults) {
    Register(MakeSpec());
    MemoryLegOptions options;
    options.buffer_bytes = 300;
    options.faults = device_faults;
    auto device = MakePeer(options);
    options.faults = console_faults;
    auto console = MakePeer(options);
    const std::vector<std::string> output(kMessages, std::string(250, 'o'));
    const std::vector<std::string> input(kMessages, std::string(40, 'i'));

    Attach(*device, Side::kDevice);
    Spawn(Read(device.get()));
    if (early) RunReady();
    Attach(*console, Side::kConsole);
    Spawn(Read(console.get()));
    Spawn(Write(device.get(), output, CloseOf(ending == Ending::kDeviceCloses)));
    Spawn(Write(console.get(), input, CloseOf(ending == Ending::kConsoleCloses)));
    if (ending == Ending::kTerminated) {
      RunReady();
      relay_->End("s", MakeReason(4410, "no more"));
    }
    Run();

    ExpectAllOver(*device, *console);
    const std::string sent_output(kMessages * 250, 'o');
    EXPECT_EQ(console->view.bytes, sent_output.substr(0, console->view.bytes.size()));
    const bool clean =
        !(device_faults && device_faults->fired()) && !(console_faults && console_faults->fired());
    if (clean && ending == Ending::kDeviceCloses) {
      EXPECT_EQ(console->view.bytes, sent_output);
      EXPECT_EQ(console->view.close.code, 1000);
    }
  }

  static absl::optional<CloseReason> CloseOf(bool closes) {
    return closes ? absl::optional<CloseReason>(MakeReason(1000)) : absl::nullopt;
  }

  void ExpectAllOver(const PeerEnd& device, const PeerEnd& console) {
    ExpectNothingLeft({&device, &console});
    EXPECT_TRUE(device.view.ended);
    EXPECT_TRUE(console.view.ended);
    ASSERT_EQ(observer_.ends.size(), 1u);
    // A leg that comes after the end finds its ticket unknown.
    EXPECT_THAT(observer_.log.back(), AnyOf("s ended", " Console refused 4401"));
    const RelayEnd& end = observer_.ends[0];
    const RelayCounters counters = relay_->counters();
    EXPECT_EQ(end.bytes_to_console, counters.bytes_to_console);
    EXPECT_EQ(end.bytes_to_device, counters.bytes_to_device);
    // What was counted was written; what was written may have been lost with the connection.
    EXPECT_LE(console.view.bytes.size(), end.bytes_to_console + 250);
    EXPECT_GE(end.bytes_to_console, console.view.binaries.size() * 250 / 2);
  }

  // A fresh relay for the next run.
  void Reset() {
    observer_ = RecordingObserver();
    MakeRelay(Options());
  }

  int FailEach(Ending ending, bool early, Side side) {
    for (int n = 1;; ++n) {
      SCOPED_TRACE(testing::Message() << "operation " << n << " of the " << NameOf(side));
      auto faults = std::make_shared<FaultPlan>(n);
      Reset();
      RunSession(ending, early, side == Side::kDevice ? faults : nullptr,
                 side == Side::kConsole ? faults : nullptr);
      if (!faults->fired() || HasFailure() || n > 1000) return n;
    }
  }
};

TEST_F(RelayFaultTest, EveryOperationOfEitherLeg) {
  for (const Ending ending : {Ending::kDeviceCloses, Ending::kConsoleCloses, Ending::kTerminated}) {
    for (const bool early : {false, true}) {
      for (const Side side : kSides) {
        const int runs = FailEach(ending, early, side);

        EXPECT_GT(runs, 5);
        EXPECT_LT(runs, 1000);
      }
    }
  }
}

// Both legs fail, in every combination.
TEST_F(RelayFaultTest, EveryPairOfOperations) {
  for (int device_at = 1; device_at <= 30; ++device_at) {
    for (int console_at = 1; console_at <= 30; ++console_at) {
      SCOPED_TRACE(testing::Message() << "operations " << device_at << " and " << console_at);
      Reset();
      RunSession(Ending::kDeviceCloses, true, std::make_shared<FaultPlan>(device_at),
                 std::make_shared<FaultPlan>(console_at));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace fairlead::dataplane
