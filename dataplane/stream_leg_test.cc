// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the leg that is a TLS stream, over real sockets: bytes both ways, every kind of end, and
// the relay between such a device and a Console in memory.
#include "dataplane/stream_leg.h"

#include <netinet/tcp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "base/status_matchers.h"
#include "dataplane/testing/relay_fixture.h"
#include "dataplane/testing/run.h"
#include "dataplane/testing/stream_device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::DeviceView;
using ::testing::HasSubstr;
using testing::ManyBytes;
using testing::SocketOption;
using testing::StreamDevice;
using testing::Task;

// What a leg told that is served without a relay.
class LegView : public TunnelLeg::Owner {
 public:
  TunnelLeg* TargetOf(TunnelLeg&) override { return nullptr; }
  void OnDelivered(TunnelLeg&, std::size_t) override {}
  void OnHangUp(TunnelLeg&) override {}
  void OnDrained(TunnelLeg&) override {}
  void OnEnd(TunnelLeg&, const CloseReason& reason) override { end = reason; }
  void OnClosed(TunnelLeg&) override { closed = true; }

  absl::optional<CloseReason> end;
  bool closed = false;
};

class StreamLegTest : public RelayFixture {
 protected:
  void Connect(StreamLegOptions options = StreamLegOptions()) {
    device_ = std::make_unique<StreamDevice>(context_);
    PeerInfo peer;
    peer.address = "192.0.2.1:30022";
    leg_ = MakeStreamLeg(device_->TakeClient(), peer, options);
  }

  // Reads the leg until it is closed, without a relay.
  CloseReason EndOfLeg() {
    leg_->Start(view_);
    leg_->Uncork();
    leg_->SetReading(true);
    RunUntil([this] { return view_.closed; });
    return view_.end.value_or(CloseReason());
  }

  template <class Predicate>
  void RunUntil(Predicate done) {
    ASSERT_TRUE(testing::RunUntil(context_, done));
  }

  // Has the relay serve the leg as the device's, and a Console in memory.
  std::unique_ptr<PeerEnd> StartSession() { return StartSession(MakeSpec()); }
  std::unique_ptr<PeerEnd> StartSession(const SessionSpec& spec) {
    Register(spec);
    auto console = MakePeer();
    Attach(*console, Side::kConsole);
    Spawn(Read(console.get()));
    Spawn(relay_->Serve(ClaimSide(Side::kDevice), std::move(leg_)));
    return console;
  }

  std::unique_ptr<StreamDevice> device_;
  LegView view_;
  std::unique_ptr<TunnelLeg> leg_;
};

TEST_F(StreamLegTest, BinaryGoesOutAndTextDoesNot) {
  Connect();
  const auto console = StartSession();
  const std::string sent = ManyBytes(1 << 20);
  Task<DeviceView> device(context_, device_->ReadAndClose());

  EXPECT_THAT(testing::Await(context_, console->end->WriteText("{\"resize\":{}}")), IsOk());
  EXPECT_THAT(testing::Await(context_, console->end->WriteBinary("")), IsOk());
  Spawn(Write(console.get(), {sent, sent, sent}, MakeReason(kCloseNormal)));

  const DeviceView view = device.Get();
  EXPECT_TRUE(view.bytes == sent + sent + sent);
  EXPECT_EQ(view.end, net::error::eof);
  Run();
  EXPECT_EQ(observer_.ends[0].bytes_to_device, 3 * sent.size());
  ExpectNothingLeft({console.get()});
}

// Telnet servers that know nothing of close_notify just close.
TEST_F(StreamLegTest, APlainEndOfStreamIsANormalClose) {
  Connect();
  const auto console = StartSession();
  Task<bool> written(context_, device_->Write("bye"));
  ASSERT_TRUE(written.Get());
  device_->stream().Close();
  Run();

  EXPECT_EQ(console->view.bytes, "bye");
  EXPECT_EQ(console->view.close.code, kCloseNormal);
  ExpectNothingLeft({console.get()});
}

TEST_F(StreamLegTest, AHalfCloseIsAnsweredWithCloseNotify) {
  Connect();
  EXPECT_EQ(leg_->peer().address, "192.0.2.1:30022");
  device_->stream().SendCloseNotify();
  Task<DeviceView> device(context_, device_->Read());
  leg_->Start(view_);
  leg_->Uncork();
  leg_->SetReading(true);

  EXPECT_EQ(device.Get().end, net::error::eof);
  device_->stream().Close();
  RunUntil([this] { return view_.closed; });
  EXPECT_EQ(view_.end->code, kCloseNormal);
}

TEST_F(StreamLegTest, AResetIsALoss) {
  Connect();
  device_->Reset();

  EXPECT_EQ(EndOfLeg().code, kCloseLost);
}

TEST_F(StreamLegTest, AForgedRecordIsALoss) {
  Connect();
  const std::string forged("\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37);
  ASSERT_EQ(::send(device_->stream().socket().native_handle(), forged.data(), forged.size(), 0),
            static_cast<ssize_t>(forged.size()));

  const CloseReason end = EndOfLeg();
  EXPECT_EQ(end.code, kCloseLost);
  EXPECT_THAT(end.text, HasSubstr("TLS"));
}

TEST_F(StreamLegTest, AbortIsALoss) {
  Connect();
  leg_->Start(view_);
  leg_->Uncork();
  leg_->SetReading(true);

  leg_->Abort();

  EXPECT_TRUE(view_.closed);
  EXPECT_EQ(view_.end->code, kCloseLost);
}

TEST_F(StreamLegTest, CloseEndsTheStreamAndTellsNoEnd) {
  Connect();
  Task<DeviceView> device(context_, device_->Read());
  leg_->Start(view_);
  leg_->Uncork();
  leg_->SetReading(true);

  leg_->Close(MakeReason(kCloseTerminated, "ended"));

  EXPECT_EQ(device.Get().end, net::error::eof);
  device_->stream().Close();
  RunUntil([this] { return view_.closed; });
  EXPECT_FALSE(view_.end.has_value());
}

TEST_F(StreamLegTest, CloseDoesNotWaitForAPeerThatNeverCloses) {
  StreamLegOptions options;
  options.close_timeout = absl::Milliseconds(20);
  Connect(options);
  leg_->Start(view_);
  leg_->Uncork();

  leg_->Close(MakeReason(kCloseNormal));

  RunUntil([this] { return view_.closed; });
}

// Its window is closed, and probes of it are answered.
TEST_F(StreamLegTest, ADeviceThatReadsNothingForAWhileIsWaitedFor) {
  StreamLegOptions options;
  options.check_interval = absl::Milliseconds(1);
  options.write_timeout = absl::Milliseconds(1);
  Connect(options);
  const auto console = StartSession();
  const std::string input = ManyBytes(1 << 20);
  // More than the kernel holds for a device that does not read.
  Spawn(Write(console.get(), std::vector<std::string>(32, input), MakeReason(kCloseNormal)));
  RunUntil([&] { return relay_->counters().bytes_to_device > 0; });
  const std::uint64_t delivered = relay_->counters().bytes_to_device;
  EXPECT_LT(delivered, 32 * input.size());

  Task<DeviceView> device(context_, device_->ReadAndClose());
  EXPECT_EQ(device.Get().bytes.size(), 32 * input.size());
  Run();
  EXPECT_EQ(observer_.ends.at(0).by, RelayEnd::By::kConsole);
  ExpectNothingLeft({console.get()});
}

// The write that fails first takes the kernel's error; what is left looks like an end of stream.
TEST_F(StreamLegTest, AResetWhileInputWaitsIsALoss) {
  Connect();
  const auto console = StartSession();
  Spawn(Write(console.get(), std::vector<std::string>(32, ManyBytes(1 << 20)), absl::nullopt));
  RunUntil([&] { return console->relay_stats->unread > 0; });
  device_->Reset();
  Run();

  EXPECT_EQ(console->view.close.code, kClosePeerLost);
  EXPECT_EQ(observer_.ends.at(0).reason.code, kCloseLost);
  ExpectNothingLeft({console.get()});
}

TEST_F(StreamLegTest, TheKernelWatchesASilentPeer) {
  Connect();

  EXPECT_EQ(SocketOption(device_->client_descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_KEEPCNT), 3);
  // It would end the connection to a device that is alive and reads nothing.
  EXPECT_EQ(SocketOption(device_->client_descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

// A buffer whose size was set does not grow any more; the kernel tells twice what it was asked for.
TEST_F(StreamLegTest, TheKernelHoldsLittleOfWhatADeviceSentUnacknowledged) {
  Connect();
  SessionSpec spec = MakeSpec();
  spec.unacknowledged = true;
  const auto console = StartSession(spec);
  RunUntil([&] { return relay_->counters().legs_now == 2; });
  EXPECT_EQ(SocketOption(device_->client_descriptor(), SOL_SOCKET, SO_RCVBUF), 256 * 1024);

  relay_->EndAll(MakeReason(kCloseTerminated));
  device_->stream().Close();
  Run();
  ExpectNothingLeft({console.get()});
}

TEST_F(StreamLegTest, TheRelayJoinsADeviceWithAConsole) {
  Connect();
  const std::string output = ManyBytes(2 << 20);
  const auto console = StartSession();
  Spawn(Write(console.get(), {"typed ", "text"}, absl::nullopt));
  Task<DeviceView> device(context_, device_->Read());
  Task<bool> written(context_, device_->WriteAndEnd(output));
  EXPECT_TRUE(written.Get());
  const DeviceView view = device.Get();
  device_->stream().Close();
  Run();

  EXPECT_TRUE(console->view.bytes == output);
  EXPECT_EQ(console->view.close.code, kCloseNormal);
  // Of the relay's notices the device sees nothing.
  EXPECT_EQ(view.bytes, "typed text");
  EXPECT_EQ(view.end, net::error::eof);
  ASSERT_EQ(observer_.ends.size(), 1u);
  EXPECT_EQ(observer_.ends[0].by, RelayEnd::By::kDevice);
  EXPECT_EQ(observer_.ends[0].bytes_to_console, output.size());
  ExpectNothingLeft({console.get()});
}

TEST_F(StreamLegTest, AConsoleThatHangsUpEndsTheDevicesStream) {
  Connect();
  const auto console = StartSession();
  Spawn(Write(console.get(), {"exit\r\n"}, MakeReason(kCloseNormal)));
  Task<DeviceView> device(context_, device_->Read());

  const DeviceView view = device.Get();
  device_->stream().Close();
  Run();

  EXPECT_EQ(view.bytes, "exit\r\n");
  EXPECT_EQ(view.end, net::error::eof);
  ExpectNothingLeft({console.get()});
}

TEST_F(StreamLegTest, ALostDeviceIsTheConsoles4502) {
  Connect();
  const auto console = StartSession();
  RunReady();
  device_->Reset();
  Run();

  EXPECT_EQ(console->view.close.code, kClosePeerLost);
  ExpectNothingLeft({console.get()});
}

}  // namespace
}  // namespace fairlead::dataplane
