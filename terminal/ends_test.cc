// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The two ends of a stream: windows, acknowledgements, the end; each alone by table, and both
// against each other in random schedules.
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "terminal/console_end.h"
#include "terminal/device_end.h"

namespace fairlead::terminal {
namespace {

using DeviceKind = DeviceEvent::Kind;
using ConsoleKind = ConsoleEvent::Kind;
using Outcome = ConsoleEnd::Outcome;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
constexpr absl::Duration kNow = absl::Seconds(100);

ProgramResult Exit(int code) {
  ProgramResult result;
  result.exit_code = code;
  return result;
}

struct FrameCase {
  const char* text;
  DeviceKind device;
  ConsoleKind console;
};

// Every case of TerminalControl, and one of a newer peer, at either end.
constexpr FrameCase kFrames[] = {
    {R"({"attached":{}})", DeviceKind::kAttached, ConsoleKind::kAttached},
    {R"({"peer":{"state":"ATTACHED"}})", DeviceKind::kPeerAttached, ConsoleKind::kPeerAttached},
    {R"({"peer":{"state":"DETACHED"}})", DeviceKind::kPeerDetached, ConsoleKind::kPeerDetached},
    {R"({"peer":{"state":"ASLEEP"}})", DeviceKind::kNone, ConsoleKind::kNone},
    {R"({"resize":{"columns":1,"rows":2}})", DeviceKind::kResize, ConsoleKind::kNone},
    {R"({"ack":{"receivedBytes":"0"}})", DeviceKind::kAcknowledged, ConsoleKind::kAcknowledged},
    {R"({"resume":{"receivedBytes":"0"}})", DeviceKind::kNone, ConsoleKind::kNone},
    {R"({"end":{"exitCode":0}})", DeviceKind::kNone, ConsoleKind::kEnded},
    {R"({"close":{}})", DeviceKind::kHangUp, ConsoleKind::kNone},
    {R"({"notice":{"text":"x"}})", DeviceKind::kNotice, ConsoleKind::kNotice},
    {R"({"later":{}})", DeviceKind::kNone, ConsoleKind::kNone},
    {R"({})", DeviceKind::kNone, ConsoleKind::kNone},
};

TEST(Ends, KnowEveryFrameBeforeAndAfterTheEnd) {
  for (const FrameCase& frame : kFrames) {
    DeviceEnd streaming;
    DeviceEnd ended;
    (void)ended.End(Exit(0), kNow);
    EXPECT_EQ(streaming.OnText(frame.text)->kind, frame.device) << frame.text;
    EXPECT_EQ(ended.OnText(frame.text)->kind, frame.device) << frame.text;

    ConsoleEnd console;
    EXPECT_EQ(console.OnText(frame.text)->kind, frame.console) << frame.text;
    ConsoleEnd told;
    ASSERT_THAT(told.OnText(R"({"end":{"exitCode":1}})"), IsOk());
    if (frame.console == ConsoleKind::kEnded) {
      EXPECT_THAT(told.OnText(frame.text), StatusIs(absl::StatusCode::kInvalidArgument));
    } else {
      EXPECT_EQ(told.OnText(frame.text)->kind, frame.console) << frame.text;
    }
  }
}

TEST(Ends, RefuseMalformedFrames) {
  DeviceEnd device;
  ConsoleEnd console;
  EXPECT_THAT(device.OnText("nonsense"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(console.OnText("nonsense"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DeviceEnd, ResizeIsClamped) {
  DeviceEnd device;
  const auto event = device.OnText(R"({"resize":{"columns":0,"rows":70000}})");
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event->size, ClampWindowSize(1, 1000));
}

TEST(DeviceEnd, WithoutAcknowledgementsThereIsNoWindow) {
  DeviceEnd device;
  device.OnSent(std::size_t{1} << 40);
  EXPECT_EQ(device.SendAllowance(), kUnlimited);
}

TEST(DeviceEnd, TheFirstAcknowledgementStartsTheWindow) {
  // What the contract promises.
  EXPECT_GE(kSendWindow, 256u * 1024);
  DeviceEnd device;
  device.OnSent(3 * kSendWindow);
  ASSERT_THAT(device.OnText(AckFrame(0)), IsOk());
  EXPECT_EQ(device.SendAllowance(), 0u);

  ASSERT_THAT(device.OnText(AckFrame(2 * kSendWindow + 10)), IsOk());
  EXPECT_EQ(device.SendAllowance(), 10u);

  ASSERT_THAT(device.OnText(AckFrame(3 * kSendWindow)), IsOk());
  EXPECT_EQ(device.SendAllowance(), kSendWindow);
}

TEST(DeviceEnd, AcknowledgementsNeverGoBackNorBeyondWhatWasSent) {
  DeviceEnd device;
  device.OnSent(1000);
  ASSERT_THAT(device.OnText(AckFrame(1000)), IsOk());
  ASSERT_THAT(device.OnText(AckFrame(5)), IsOk());
  EXPECT_EQ(device.SendAllowance(), kSendWindow);
  EXPECT_THAT(device.OnText(AckFrame(1001)), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DeviceEnd, AcknowledgesInputEvery64KiBAndWhenTheQueueIsEmpty) {
  DeviceEnd device;
  EXPECT_EQ(device.TakeAck(DeviceEnd::Queue::kEmpty), std::nullopt);
  device.OnInputAccepted(kAckEveryBytes - 1);
  EXPECT_EQ(device.TakeAck(DeviceEnd::Queue::kWaiting), std::nullopt);
  device.OnInputAccepted(1);
  EXPECT_EQ(device.TakeAck(DeviceEnd::Queue::kWaiting), AckFrame(kAckEveryBytes));
  EXPECT_EQ(device.TakeAck(DeviceEnd::Queue::kEmpty), std::nullopt);
  device.OnInputAccepted(1);
  EXPECT_EQ(device.TakeAck(DeviceEnd::Queue::kEmpty), AckFrame(kAckEveryBytes + 1));
}

TEST(DeviceEnd, EndTellsTheResultAndTheTotal) {
  ProgramResult killed;
  killed.signal = "SIGKILL";
  const std::pair<ProgramResult, std::string> cases[] = {
      {Exit(0), R"({"end":{"exitCode":0,"totalBytes":"42"}})"},
      {Exit(255), R"({"end":{"exitCode":255,"totalBytes":"42"}})"},
      {killed, R"({"end":{"signal":"SIGKILL","totalBytes":"42"}})"},
      {ProgramResult(), R"({"end":{"unknown":{},"totalBytes":"42"}})"},
  };
  for (const auto& [result, text] : cases) {
    DeviceEnd device;
    device.OnSent(42);
    const std::string frame = device.End(result, kNow);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*ParseControlFrame(frame),
                                                                   *ParseControlFrame(text)))
        << frame;
    EXPECT_EQ(frame.size(), text.size());
    EXPECT_EQ(device.SendAllowance(), 0u);
  }
}

TEST(DeviceEnd, IsDoneWhenAllIsAcknowledgedOrAfterTwoSeconds) {
  DeviceEnd device;
  device.OnSent(42);
  EXPECT_FALSE(device.done(kNow));
  (void)device.End(Exit(0), kNow);
  EXPECT_FALSE(device.done(kNow));
  ASSERT_THAT(device.OnText(AckFrame(41)), IsOk());
  EXPECT_FALSE(device.done(kNow + absl::Milliseconds(1999)));
  EXPECT_TRUE(device.done(kNow + absl::Seconds(2)));
  ASSERT_THAT(device.OnText(AckFrame(42)), IsOk());
  EXPECT_TRUE(device.done(kNow));

  // No output at all: the Console must still have seen the end.
  DeviceEnd silent;
  (void)silent.End(Exit(0), kNow);
  EXPECT_FALSE(silent.done(kNow));
  ASSERT_THAT(silent.OnText(AckFrame(0)), IsOk());
  EXPECT_TRUE(silent.done(kNow));
}

TEST(ConsoleEnd, AcknowledgesOutputEvery64KiBAndWhenIdle) {
  ConsoleEnd console;
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kIdle), std::nullopt);
  console.OnOutputHandled(kAckEveryBytes - 1);
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kMore), std::nullopt);
  console.OnOutputHandled(1);
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kMore), AckFrame(kAckEveryBytes));
  console.OnOutputHandled(1);
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kIdle), AckFrame(kAckEveryBytes + 1));
}

TEST(ConsoleEnd, AcknowledgesAnEndWithoutOutputOnce) {
  ConsoleEnd console;
  ASSERT_THAT(console.OnText(R"({"end":{"exitCode":0,"totalBytes":"0"}})"), IsOk());
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kMore), AckFrame(0));
  EXPECT_EQ(console.TakeAck(ConsoleEnd::Output::kIdle), std::nullopt);
}

TEST(ConsoleEnd, LimitsItsInputOnceTheDeviceAcknowledges) {
  ConsoleEnd console;
  console.OnInputSent(10 << 20);
  EXPECT_EQ(console.InputAllowance(), kUnlimited);
  ASSERT_THAT(console.OnText(AckFrame(0)), IsOk());
  EXPECT_EQ(console.InputAllowance(), 0u);
  ASSERT_THAT(console.OnText(AckFrame(10 << 20)), IsOk());
  EXPECT_EQ(console.InputAllowance(), kMaxUnacknowledgedInput);
  EXPECT_THAT(console.OnText(AckFrame((10 << 20) + 1)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(console.OnText(R"({"end":{"exitCode":0}})"), IsOk());
  EXPECT_EQ(console.InputAllowance(), 0u);
}

TEST(ConsoleEnd, TellsCompleteTruncatedAndNoEnd) {
  ConsoleEnd console;
  console.OnOutputHandled(10);
  EXPECT_EQ(console.outcome().kind, Outcome::Kind::kNoEnd);
  EXPECT_FALSE(console.result().has_value());

  ASSERT_THAT(console.OnText(R"({"end":{"signal":"SIGTERM","totalBytes":"12"}})"), IsOk());
  EXPECT_EQ(console.outcome().kind, Outcome::Kind::kTruncated);
  EXPECT_EQ(console.outcome().missing_bytes, 2u);
  EXPECT_EQ(console.result()->signal, "SIGTERM");
  EXPECT_FALSE(console.result()->exit_code.has_value());

  console.OnOutputHandled(2);
  EXPECT_EQ(console.outcome().kind, Outcome::Kind::kComplete);
}

TEST(ConsoleEnd, AnUnknownResultIsNotZero) {
  ConsoleEnd console;
  ASSERT_THAT(console.OnText(R"({"end":{"unknown":{},"totalBytes":"0"}})"), IsOk());
  ASSERT_TRUE(console.result().has_value());
  EXPECT_EQ(*console.result(), ProgramResult());
}

TEST(ConsoleEnd, AnImpossibleResultIsUnknown) {
  for (const char* result :
       {R"("exitCode":256)", R"("exitCode":-5)", R"("exitCode":2147483647)", R"("signal":"")",
        R"("signal":"KILL")", R"("signal":"SIG")", R"("signal":"SIGKILL\u001b[2J")",
        R"("signal":"SIGKILL you")", R"("signal":"SIGKILLKILLKILLKILLKILL")",
        R"("signal":"sigkill")", R"("signal":"SIG\u00c4")"}) {
    ConsoleEnd console;
    ASSERT_THAT(console.OnText(absl::StrCat("{\"end\":{", result, "}}")), IsOk()) << result;
    ASSERT_TRUE(console.result().has_value()) << result;
    EXPECT_EQ(*console.result(), ProgramResult()) << result;
  }
}

TEST(ConsoleEnd, EveryPossibleResultIsKnown) {
  for (const int code : {0, 1, 255}) {
    ConsoleEnd console;
    ASSERT_THAT(console.OnText(absl::StrCat("{\"end\":{\"exitCode\":", code, "}}")), IsOk());
    EXPECT_EQ(console.result()->exit_code, code);
  }
  for (const char* name : {"SIGHUP", "SIGSTKFLT", "SIGUSR2", "SIG34", "SIGRTMIN+3"}) {
    ConsoleEnd console;
    ASSERT_THAT(console.OnText(absl::StrCat("{\"end\":{\"signal\":\"", name, "\"}}")), IsOk());
    EXPECT_EQ(console.result()->signal, name);
  }
}

TEST(ConsoleEnd, ANoticeCannotDriveTheTerminal) {
  ConsoleEnd console;
  const auto event =
      console.OnText("{\"notice\":{\"text\":\"a\\u001b[2Jb\\u009b1mc\\u00e9\\u202e\"}}");
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event->text, "a?[2Jb?1mc\xC3\xA9?");
}

// One direction of a tunnel: payload sizes and text frames in order.
struct Wire {
  struct Frame {
    std::size_t payload = 0;
    std::string text;
  };
  std::deque<Frame> frames;
  void Binary(std::size_t size) { frames.push_back(Frame{size, ""}); }
  void Text(std::string text) { frames.push_back(Frame{0, std::move(text)}); }
};

// A whole stream in a random order of steps: windows hold, nothing stalls, all of it arrives.
class RandomStream {
 public:
  explicit RandomStream(std::uint32_t seed) : random_(seed) {}

  void Run() {
    std::uint64_t output_left = Pick(8 << 20);
    std::uint64_t input_left = Pick(2 << 20);
    for (int step = 0; !device_.done(kNow); ++step) {
      ASSERT_LT(step, 200'000) << "stalled";
      switch (Pick(4)) {
        case 0:
          SendOutput(output_left);
          break;
        case 1:
          SendInput(input_left);
          break;
        case 2:
          DeliverToConsole();
          break;
        default:
          DeliverToDevice();
      }
      if (testing::Test::HasFatalFailure()) return;
    }
    // The relay delivers every frame before the close that now follows.
    while (!to_console_.frames.empty()) DeliverToConsole();
    EXPECT_EQ(console_.outcome().kind, Outcome::Kind::kComplete);
    EXPECT_EQ(console_.received_bytes(), device_.sent_bytes());
    EXPECT_EQ(console_.result()->exit_code, 3);
  }

 private:
  std::uint64_t Pick(std::uint64_t below) { return random_() % below; }

  void SendOutput(std::uint64_t& left) {
    const std::uint64_t size = std::min({left, device_.SendAllowance(), 1 + Pick(65536)});
    if (size > 0) {
      device_.OnSent(size);
      left -= size;
      to_console_.Binary(size);
      return;
    }
    if (left > 0 || device_.ended()) return;
    to_console_.Text(device_.End(Exit(3), kNow));
  }

  void SendInput(std::uint64_t& left) {
    const std::uint64_t size = std::min({left, console_.InputAllowance(), 1 + Pick(65536)});
    if (size == 0) return;
    console_.OnInputSent(size);
    left -= size;
    to_device_.Binary(size);
  }

  void DeliverToConsole() {
    if (to_console_.frames.empty()) return;
    const Wire::Frame frame = to_console_.frames.front();
    to_console_.frames.pop_front();
    if (frame.text.empty()) {
      console_.OnOutputHandled(frame.payload);
    } else {
      ASSERT_THAT(console_.OnText(frame.text), IsOk());
    }
    const auto output =
        to_console_.frames.empty() ? ConsoleEnd::Output::kIdle : ConsoleEnd::Output::kMore;
    if (auto ack = console_.TakeAck(output)) to_device_.Text(*ack);
  }

  void DeliverToDevice() {
    if (to_device_.frames.empty()) return;
    const Wire::Frame frame = to_device_.frames.front();
    to_device_.frames.pop_front();
    if (frame.text.empty()) {
      device_.OnInputAccepted(frame.payload);
    } else {
      ASSERT_THAT(device_.OnText(frame.text), IsOk());
    }
    const auto queue =
        to_device_.frames.empty() ? DeviceEnd::Queue::kEmpty : DeviceEnd::Queue::kWaiting;
    if (auto ack = device_.TakeAck(queue)) to_console_.Text(*ack);
  }

  std::mt19937 random_;
  DeviceEnd device_;
  ConsoleEnd console_;
  Wire to_console_;
  Wire to_device_;
};

TEST(Ends, RandomSchedulesDeliverEverything) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomStream stream(seed);
    stream.Run();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace fairlead::terminal
