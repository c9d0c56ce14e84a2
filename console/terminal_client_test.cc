// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the Console's side of a terminal over a tunnel in memory and real pipes: order of bytes,
// acknowledgement, the end of input, the outcome for the exit code, losses at every operation.
#include "console/terminal_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>

#include "console/blocking_io.h"
#include "dataplane/testing/fake_websocket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::console {
namespace {

using dataplane::CloseReason;
using dataplane::FakeWebSocketOptions;
using dataplane::FakeWebSocketPair;
using dataplane::FaultPlan;
using dataplane::FrameKind;
using dataplane::Message;
using dataplane::WebSocket;
using dataplane::net::awaitable;
using ::testing::HasSubstr;

// A script that the device plays, and what it has seen.
struct Device {
  std::string output;
  std::string end_text;
  CloseReason close;
  // Waits for this much input before it sends anything.
  std::size_t await_input = 0;
  // Waits for this much input before it closes.
  std::size_t await_after_output = 0;
  // Reads as much as it writes.
  bool reads_while_writing = false;
  std::string input;
  std::vector<std::string> controls;
};

awaitable<void> ReadOne(WebSocket& tunnel, Device& device, bool& open) {
  const Message message = co_await tunnel.ReadMessage();
  open = message.open;
  if (!open) co_return;
  if (message.kind == FrameKind::kText) {
    device.controls.push_back(message.payload);
  } else {
    device.input += message.payload;
  }
}

awaitable<void> Play(std::unique_ptr<WebSocket> tunnel, Device& device) {
  bool open = true;
  while (open && device.input.size() < device.await_input) co_await ReadOne(*tunnel, device, open);
  for (std::size_t at = 0; open && at < device.output.size(); at += 1000) {
    const std::string piece = device.output.substr(at, 1000);
    open = (co_await tunnel->WriteBinary(piece)).ok();
    while (open && device.reads_while_writing && device.input.size() + 30'000 < at) {
      co_await ReadOne(*tunnel, device, open);
    }
  }
  while (open && device.input.size() < device.await_after_output) {
    co_await ReadOne(*tunnel, device, open);
  }
  if (open && !device.end_text.empty()) {
    open = (co_await tunnel->WriteText(device.end_text)).ok();
    // The acknowledgement of everything comes before the close.
    const std::string all = "\"" + std::to_string(device.output.size()) + "\"";
    while (open &&
           (device.controls.empty() || device.controls.back().find(all) == std::string::npos)) {
      co_await ReadOne(*tunnel, device, open);
    }
  }
  if (open) co_await tunnel->Close(device.close);
}

// The console's process: pipes as standard input and output.
class TerminalClientTest : public ::testing::Test {
 protected:
  TerminalClientTest() {
    EXPECT_EQ(pipe2(input_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(output_, O_CLOEXEC), 0);
  }
  ~TerminalClientTest() override {
    for (const int fd : {input_[0], input_[1], output_[0], output_[1]}) {
      if (fd >= 0) close(fd);
    }
  }

  void Type(const std::string& text) {
    ASSERT_EQ(write(input_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void EndInput() {
    close(input_[1]);
    input_[1] = -1;
  }

  awaitable<TerminalOutcome> Serve(std::unique_ptr<WebSocket> tunnel) {
    BlockingIo io(input_[0], output_[1]);
    TerminalClient client(context_, std::move(tunnel), io, options_);
    co_return co_await client.Serve();
  }

  // Runs console and device to their ends; what the console wrote is in shown_.
  TerminalOutcome Run(Device& device, FakeWebSocketOptions options = FakeWebSocketOptions()) {
    FakeWebSocketPair pair =
        dataplane::MakeFakeWebSocketPair(context_.get_executor(), std::move(options));
    std::future<void> reader = std::async(std::launch::async, [this] {
      char bytes[4096];
      ssize_t n = 0;
      while ((n = read(output_[0], bytes, sizeof(bytes))) > 0) {
        shown_.append(bytes, static_cast<std::size_t>(n));
      }
    });
    auto console = dataplane::net::co_spawn(context_, Serve(std::move(pair.first)),
                                            dataplane::net::use_future);
    auto player = dataplane::net::co_spawn(context_, Play(std::move(pair.second), device),
                                           dataplane::net::use_future);
    context_.run();
    close(output_[1]);
    output_[1] = -1;
    reader.get();
    player.get();
    return console.get();
  }

  dataplane::net::io_context context_;
  TerminalOptions options_;
  int input_[2] = {-1, -1};
  int output_[2] = {-1, -1};
  std::string shown_;
};

CloseReason Normal() {
  CloseReason reason;
  reason.code = 1000;
  return reason;
}

TEST_F(TerminalClientTest, OutputIsWrittenWholeAndTheExitCodePassedOn) {
  Device device;
  for (int i = 0; i < 300'000; ++i) device.output.push_back(static_cast<char>(i * 7));
  device.end_text = R"({"end":{"exitCode":7,"totalBytes":"300000"}})";
  device.close = Normal();
  const TerminalOutcome outcome = Run(device);

  EXPECT_TRUE(shown_ == device.output);
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.message, "");
}

TEST_F(TerminalClientTest, InputArrivesInOrderAndItsEndAsEndOfTransmission) {
  Device device;
  device.await_input = 12;
  device.end_text = R"({"end":{"exitCode":0,"totalBytes":"0"}})";
  device.close = Normal();
  Type("first\n");
  Type("then\n");
  EndInput();
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(device.input, "first\nthen\n\x04");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST_F(TerminalClientTest, ALastLineWithoutAnEndIsEndedToo) {
  Device device;
  device.await_input = 8;
  device.end_text = R"({"end":{"exitCode":3,"totalBytes":"0"}})";
  device.close = Normal();
  Type("exit 3");
  EndInput();
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(device.input, "exit 3\n\x04");
  EXPECT_EQ(outcome.exit_code, 3);
}

TEST_F(TerminalClientTest, ASignalGives128PlusItsNumber) {
  Device device;
  device.end_text = R"({"end":{"signal":"SIGKILL","totalBytes":"0"}})";
  device.close = Normal();
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(outcome.exit_code, 137);
  EXPECT_THAT(outcome.message, HasSubstr("SIGKILL"));
}

TEST_F(TerminalClientTest, AnUnknownResultIsNotASuccess) {
  Device device;
  device.end_text = R"({"end":{"unknown":{},"totalBytes":"0"}})";
  device.close = Normal();

  EXPECT_EQ(Run(device).exit_code, 255);
}

TEST_F(TerminalClientTest, AnImpossibleResultIsNotASuccess) {
  Device device;
  device.end_text = R"({"end":{"exitCode":256,"totalBytes":"0"}})";
  device.close = Normal();
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_THAT(outcome.message, HasSubstr("not known"));
}

TEST_F(TerminalClientTest, ACloseWithoutAnEndTellsItsReason) {
  Device device;
  device.output = "some";
  device.close.code = 4410;
  device.close.text = "terminated by users/admin";
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(shown_, "some");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_THAT(outcome.message, HasSubstr("terminated by users/admin"));
}

TEST_F(TerminalClientTest, ATelnetStreamIsNegotiatedAndDecoded) {
  options_.stream = StreamKind::kTelnet;
  options_.terminal_type = "vt100";
  Device device;
  // WILL ECHO, DO TTYPE, SEND TTYPE; a CR NUL and a doubled 0xFF.
  device.output = std::string("\xff\xfb\x01\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0$ \r\0\xff\xff", 18);
  device.close = Normal();
  Type("ls\r\xff\n");
  EndInput();
  // Nothing that is typed before the prompt, which a Telnet server would drop.
  const std::string answers("\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\0vt100\xff\xf0", 17);
  const std::string typed("ls\r\0\xff\xff\n\x04", 8);
  device.await_after_output = answers.size() + typed.size();
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(shown_, "$ \r\xff");
  EXPECT_EQ(device.input, answers + typed);
  EXPECT_TRUE(device.controls.empty());
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_TRUE(outcome.ended_untold);
  EXPECT_THAT(outcome.message, HasSubstr("not known"));
}

TEST_F(TerminalClientTest, ATelnetDeviceThatShowsNothingGetsItsInputAllTheSame) {
  options_.stream = StreamKind::kTelnet;
  options_.prompt_wait = std::chrono::milliseconds(1);
  Device device;
  device.close = Normal();
  Type("reboot\n");
  device.await_input = 7;
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(device.input, "reboot\n");
  EXPECT_TRUE(outcome.ended_untold) << outcome.message;
}

TEST_F(TerminalClientTest, ATelnetStreamThatIsLostIsNoSuccess) {
  options_.stream = StreamKind::kTelnet;
  Device device;
  device.output = "$ ";
  device.close.code = 4502;
  device.close.text = "the device was lost";
  const TerminalOutcome outcome = Run(device);

  EXPECT_EQ(shown_, "$ ");
  EXPECT_EQ(outcome.exit_code, 255);
  EXPECT_FALSE(outcome.ended_untold);
  EXPECT_THAT(outcome.message, HasSubstr("the device was lost"));
}

TEST_F(TerminalClientTest, AnEndlessStormOfTelnetOptionsIsServedInBoundedMemory) {
  options_.stream = StreamKind::kTelnet;
  Device device;
  for (int i = 0; i < 100'000; ++i) device.output += "\xff\xfd\x63";
  device.output += "shown";
  device.await_after_output = 300'000;
  device.reads_while_writing = true;
  device.close = Normal();
  Run(device);

  EXPECT_EQ(shown_, "shown");
  EXPECT_EQ(device.input.size(), 300'000u);
}

TEST_F(TerminalClientTest, ALossAtAnyOperationEndsItAndNeverLooksLikeSuccess) {
  int fail_at = 1;
  for (;; ++fail_at) {
    SCOPED_TRACE(fail_at);
    ASSERT_LT(fail_at, 1000);
    Device device;
    device.output = std::string(5000, 'x');
    device.end_text = R"({"end":{"exitCode":0,"totalBytes":"5000"}})";
    device.close = Normal();
    shown_.clear();
    context_.restart();
    if (output_[1] < 0) {
      close(output_[0]);
      ASSERT_EQ(pipe2(output_, O_CLOEXEC), 0);
    }
    FakeWebSocketOptions options;
    options.first_faults = std::make_shared<FaultPlan>(fail_at);
    const TerminalOutcome outcome = Run(device, options);

    // Success is only told when every byte was written.
    if (outcome.exit_code == 0) {
      EXPECT_EQ(shown_, device.output);
    }
    if (!options.first_faults->fired()) {
      EXPECT_EQ(outcome.exit_code, 0);
      break;
    }
  }
  EXPECT_GT(fail_at, 5);
}

}  // namespace
}  // namespace fairlead::console
