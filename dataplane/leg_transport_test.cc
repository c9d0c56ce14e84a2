// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers what a leg's transport over TLS tells its leg, on real connections that one reactor
// watches.
#include "dataplane/leg_transport.h"

#include <functional>
#include <memory>
#include <string>

#include "dataplane/testing/run.h"
#include "dataplane/testing/stream_device.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::Await;
using testing::StreamDevice;

// A device, and the transport to it.
struct Leg : public LegTransport::Handler {
  explicit Leg(net::io_context& context) : device(context) {
    transport = MakeTlsTransport(device.TakeClient());
    transport->Start(*this);
  }

  void OnReady(bool readable, bool writable) override {
    ++calls;
    was_readable |= readable;
    if (on_ready) on_ready(writable);
  }
  void OnHangUp() override { ++hang_ups; }

  std::string ReadAll() {
    std::string all;
    std::string room(LegTransport::kMaxReadBytes, '\0');
    error_code error;
    while (!error) {
      all.append(
          room, 0,
          transport->Read({reinterpret_cast<std::uint8_t*>(room.data()), room.size()}, error));
    }
    return all;
  }

  StreamDevice device;
  std::unique_ptr<LegTransport> transport;
  std::function<void(bool writable)> on_ready;
  int calls = 0;
  int hang_ups = 0;
  bool was_readable = false;
};

class LegTransportTest : public ::testing::Test {
 protected:
  template <class Predicate>
  void RunUntil(Predicate done) {
    ASSERT_TRUE(testing::RunUntil(context_, done));
  }

  net::io_context context_;
  Leg first_{context_};
  Leg second_{context_};
};

// Both can be written to, and are told of together; whoever comes first spares the other that.
TEST_F(LegTransportTest, WhatIsNoMoreWatchedForIsNotToldAndDeafensNobody) {
  first_.on_ready = [this](bool) {
    first_.transport->Watch(true, false);
    second_.transport->Watch(true, false);
  };
  second_.on_ready = first_.on_ready;
  first_.transport->Watch(true, true);
  second_.transport->Watch(true, true);
  RunUntil([this] { return first_.calls + second_.calls > 0; });
  EXPECT_EQ(first_.calls + second_.calls, 1);

  for (Leg* const leg : {&first_, &second_}) {
    leg->on_ready = [leg](bool) { leg->transport->Watch(false, false); };
    ASSERT_TRUE(Await(context_, leg->device.Write("heard")));
    RunUntil([leg] { return leg->was_readable; });
    EXPECT_EQ(leg->ReadAll(), "heard");
  }
}

// Whoever does not read is told once, and comes upon the end by reading.
TEST_F(LegTransportTest, TellsOnceThatAPeerWhichIsNotReadIsGone) {
  first_.transport->Watch(true, false);
  first_.transport->Watch(false, false);
  first_.device.Reset();
  RunUntil([this] { return first_.hang_ups > 0; });

  // It does not keep the reactor busy.
  second_.on_ready = [this](bool) { second_.transport->Watch(false, false); };
  second_.transport->Watch(false, true);
  RunUntil([this] { return second_.calls > 0; });
  EXPECT_EQ(first_.calls, 0);

  first_.on_ready = [this](bool) { first_.transport->Close(); };
  first_.transport->Watch(true, false);
  RunUntil([this] { return first_.calls > 0; });
  EXPECT_TRUE(first_.was_readable);
  EXPECT_EQ(first_.hang_ups, 1);
}

// An orderly end too; what was sent before is still there.
TEST_F(LegTransportTest, TellsOnceThatAPeerWhichIsNotReadHasEnded) {
  first_.transport->Watch(true, false);
  first_.transport->Watch(false, false);
  ASSERT_TRUE(Await(context_, first_.device.Write("last words")));
  first_.device.stream().Close();
  RunUntil([this] { return first_.hang_ups > 0; });
  EXPECT_EQ(first_.calls, 0);

  first_.on_ready = [this](bool) { first_.transport->Watch(false, false); };
  first_.transport->Watch(true, false);
  RunUntil([this] { return first_.was_readable; });
  EXPECT_EQ(first_.ReadAll(), "last words");
  EXPECT_EQ(first_.hang_ups, 1);
}

}  // namespace
}  // namespace fairlead::dataplane
