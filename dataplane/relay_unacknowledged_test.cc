// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Sessions whose device looks at no acknowledgements (OS 11): little output is under way that the
// Console has not acknowledged, none of it is lost, and input that nobody takes does not stop it.
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "dataplane/send_window.h"
#include "dataplane/testing/relay_fixture.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kMessageBytes = 32 * 1024;
constexpr std::size_t kMessages = 64;

absl::optional<std::uint64_t> ReadAck(absl::string_view text) {
  std::uint64_t bytes = 0;
  if (!absl::ConsumePrefix(&text, "ack ") || !absl::SimpleAtoi(text, &bytes)) return absl::nullopt;
  return bytes;
}

class RelayUnacknowledgedTest : public RelayFixture {
 protected:
  RelayUnacknowledgedTest() {
    RelayOptions options = Options();
    options.read_ack = &ReadAck;
    MakeRelay(options);
    SessionSpec spec = MakeSpec();
    spec.unacknowledged = true;
    Register(spec);
    // As a kernel that takes in whatever comes.
    MemoryLegOptions roomy;
    roomy.buffer_bytes = 64u << 20;
    // The rest must not depend on it.
    roomy.leg.keep_alive.close_timeout = absl::Milliseconds(1);
    console_ = MakePeer(roomy);
    Attach(*console_, Side::kConsole);
    Attach(*device_, Side::kDevice);
    for (std::size_t i = 0; i < kMessages; ++i) {
      output_.emplace_back(kMessageBytes, static_cast<char>('a' + i % 26));
      all_ += output_.back();
    }
  }

  // Nothing comes of it once the session has ended.
  net::awaitable<void> Acknowledge(std::size_t bytes) {
    const std::string text = absl::StrCat("ack ", bytes);
    const absl::Status written = co_await console_->end->WriteText(text);
    written.IgnoreError();
  }

  // As a Console that acknowledges, from its first word on.
  void BeginToAcknowledge() {
    Spawn(Acknowledge(0));
    RunReady();
  }

  // Acknowledges what another has read, until all is there.
  net::awaitable<void> AcknowledgeOnAndOn() {
    while (console_->view.bytes.size() < 2 * all_.size() && !console_->view.ended) {
      co_await Acknowledge(console_->view.bytes.size());
      co_await net::post(context_, net::use_awaitable);
    }
  }

  // Reads until the end, and acknowledges what is read.
  net::awaitable<void> ReadAndAcknowledge() {
    for (;;) {
      Message message = co_await console_->end->ReadMessage();
      if (!message.open) {
        console_->view.close = message.close;
        co_return;
      }
      if (message.kind == FrameKind::kText) continue;
      console_->view.bytes += message.payload;
      co_await Acknowledge(console_->view.bytes.size());
    }
  }

  std::unique_ptr<PeerEnd> console_;
  std::unique_ptr<PeerEnd> device_ = MakePeer();
  std::vector<std::string> output_;
  std::string all_;
};

TEST_F(RelayUnacknowledgedTest, TheDeviceIsHeldBackUntilTheConsoleHasAcknowledged) {
  BeginToAcknowledge();
  Spawn(Read(device_.get()));
  Spawn(Write(device_.get(), output_, MakeReason(1000)));
  RunReady();
  EXPECT_GE(relay_->counters().bytes_to_console, SendWindow::kBytes);
  EXPECT_LE(relay_->counters().bytes_to_console, SendWindow::kBytes + LegTransport::kMaxReadBytes);

  Spawn(ReadAndAcknowledge());
  Run();
  EXPECT_TRUE(console_->view.bytes == all_);
  EXPECT_EQ(console_->view.close.code, 1000);
  ExpectNothingLeft({console_.get(), device_.get()});
}

// TCP alone limits it, as the contract has it.
TEST_F(RelayUnacknowledgedTest, AConsoleThatAcknowledgesNothingGetsAll) {
  Spawn(Read(console_.get()));
  Spawn(Read(device_.get()));
  Spawn(Write(device_.get(), output_, MakeReason(1000)));
  Run();
  EXPECT_TRUE(console_->view.bytes == all_);
  ExpectNothingLeft({console_.get(), device_.get()});
}

// The relay forwards what it reads there.
TEST_F(RelayUnacknowledgedTest, TheDeviceGetsTheTextsAllTheSame) {
  BeginToAcknowledge();
  Spawn(Read(device_.get()));
  RunReady();
  relay_->EndAll(MakeReason(kCloseTerminated));
  Spawn(Read(console_.get()));
  Run();
  EXPECT_THAT(device_->view.texts, ::testing::Contains("ack 0"));
}

// The acknowledgements of the Console stay unread behind such input.
TEST_F(RelayUnacknowledgedTest, InputThatTheDeviceDoesNotTakeHoldsNoOutputBack) {
  BeginToAcknowledge();
  Spawn(Read(console_.get()));
  Spawn(Write(console_.get(), output_, absl::nullopt));
  RunReady();
  Spawn(Write(device_.get(), output_, absl::nullopt));
  RunReady();
  EXPECT_TRUE(console_->view.bytes == all_);

  Spawn(Read(device_.get()));
  RunReady();
  EXPECT_TRUE(device_->view.bytes == all_);
  Spawn(Write(device_.get(), output_, MakeReason(1000)));
  RunReady();
  EXPECT_LE(relay_->counters().bytes_to_console, all_.size() + LegTransport::kMaxReadBytes);
  Spawn(Acknowledge(all_.size()));
  RunReady();
  EXPECT_GE(relay_->counters().bytes_to_console, all_.size() + SendWindow::kBytes);
  EXPECT_LT(relay_->counters().bytes_to_console, all_.size() * 2);
  Spawn(AcknowledgeOnAndOn());
  Run();
  EXPECT_TRUE(console_->view.bytes == all_ + all_);
  ExpectNothingLeft({console_.get(), device_.get()});
}

// It was full when the input came to a stop, and goes on by that.
TEST_F(RelayUnacknowledgedTest, OutputThatWaitedGoesOnWhenInputComesToAStop) {
  BeginToAcknowledge();
  Spawn(Write(device_.get(), output_, absl::nullopt));
  RunReady();
  EXPECT_LT(relay_->counters().bytes_to_console, all_.size());
  Spawn(Write(console_.get(), output_, absl::nullopt));
  RunReady();
  EXPECT_EQ(relay_->counters().bytes_to_console, all_.size());

  Spawn(Read(console_.get()));
  Spawn(Read(device_.get()));
  RunReady();
  relay_->EndAll(MakeReason(kCloseTerminated));
  Run();
  EXPECT_TRUE(console_->view.bytes == all_);
  EXPECT_TRUE(device_->view.bytes == all_);
  ExpectNothingLeft({console_.get(), device_.get()});
}

// The Console's acknowledgements would have the kernel drop what it has not sent to it yet.
TEST_F(RelayUnacknowledgedTest, StaysOpenUntilTheConsoleHasReadAll) {
  BeginToAcknowledge();
  output_.resize(8);
  Spawn(Write(device_.get(), output_, MakeReason(1000, "exited")));
  Spawn(Read(device_.get()));
  RunReady();
  EXPECT_THAT(observer_.log, ::testing::Contains("s ended"));
  // Comes after a deadline that was set before it.
  net::steady_timer later(context_, std::chrono::milliseconds(20));
  bool is_later = false;
  later.async_wait([&is_later](const error_code&) { is_later = true; });
  context_.restart();
  while (!is_later) context_.run_one();
  EXPECT_FALSE(console_->relay_stats->closed);

  Spawn(Read(console_.get()));
  Run();
  EXPECT_EQ(console_->view.bytes.size(), 8 * kMessageBytes);
  EXPECT_EQ(console_->view.close.code, 1000);
  EXPECT_EQ(console_->view.close.text, "exited");
  ExpectNothingLeft({console_.get(), device_.get()});
}

TEST_F(RelayUnacknowledgedTest, TheLastInputOfAConsoleThatIsGoneReachesTheDevice) {
  BeginToAcknowledge();
  Spawn(WriteAndRead(device_.get(), output_));
  RunReady();
  EXPECT_LT(relay_->counters().bytes_to_console, all_.size());
  // More than the device's connection holds, and with the close frame in one read.
  const std::string input(80 * 1024, 'i');
  Spawn(Write(console_.get(), {input}, MakeReason(1000)));
  Run();
  EXPECT_TRUE(device_->view.bytes == input);
  EXPECT_EQ(device_->view.close.code, 1000);
  EXPECT_EQ(observer_.ends.at(0).by, RelayEnd::By::kConsole);
}

// Told at once, whatever it has not read, and cut if that does not help.
TEST_F(RelayUnacknowledgedTest, AConsoleThatReadsNothingCanBeEnded) {
  BeginToAcknowledge();
  Spawn(Write(device_.get(), output_, absl::nullopt));
  Spawn(Read(device_.get()));
  RunReady();
  relay_->EndAll(MakeReason(kCloseTerminated, "ended"));
  Run();
  EXPECT_EQ(device_->view.close.code, kCloseTerminated);
  Spawn(Read(console_.get()));
  Run();
  EXPECT_EQ(console_->view.close.code, kCloseTerminated);
  ExpectNothingLeft({console_.get(), device_.get()});
}

}  // namespace
}  // namespace fairlead::dataplane
