// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The fake WebSocket keeps the contract of websocket.h, and ReadMessage builds on it.
#include "dataplane/testing/fake_websocket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

net::awaitable<void> ReadAll(WebSocket* end, std::string* bytes, CloseReason* close) {
  for (;;) {
    Message message = co_await end->ReadMessage();
    if (!message.open) {
      *close = message.close;
      co_return;
    }
    *bytes += message.payload;
  }
}

net::awaitable<void> WriteThenClose(WebSocket* end, std::string bytes, CloseReason reason,
                                    absl::Status* status) {
  *status = co_await end->WriteBinary(bytes);
  co_await end->Close(reason);
}

class FakeWebSocketTest : public ::testing::Test {
 protected:
  void Make(FakeWebSocketOptions options = FakeWebSocketOptions()) {
    pair_ = MakeFakeWebSocketPair(context_.get_executor(), options);
  }
  void Spawn(net::awaitable<void> work) { net::co_spawn(context_, std::move(work), net::detached); }

  net::io_context context_;
  FakeWebSocketPair pair_;
  std::string bytes_;
  CloseReason close_;
  absl::Status status_;
};

TEST_F(FakeWebSocketTest, BoundsWhatItBuffersAndLosesNothing) {
  FakeWebSocketOptions options;
  options.buffer_bytes = 10;
  options.max_read_bytes = 3;
  Make(options);
  const std::string sent(1000, 'x');
  CloseReason reason;
  reason.code = 4404;
  reason.text = "gone";

  Spawn(WriteThenClose(pair_.first.get(), sent, reason, &status_));
  Spawn(ReadAll(pair_.second.get(), &bytes_, &close_));
  context_.run();

  EXPECT_THAT(status_, IsOk());
  EXPECT_EQ(bytes_, sent);
  EXPECT_EQ(close_.code, 4404);
  EXPECT_EQ(close_.text, "gone");
  EXPECT_LE(pair_.first_stats->most_buffered, 10u);
}

TEST_F(FakeWebSocketTest, AbortDeliversWhatWasWrittenThenLoss) {
  Make();

  CloseReason lost;
  Spawn(WriteThenClose(pair_.first.get(), "tail", lost, &status_));
  Spawn(ReadAll(pair_.second.get(), &bytes_, &close_));
  context_.run();

  EXPECT_EQ(bytes_, "tail");
  EXPECT_EQ(close_.code, kCloseLost);
}

TEST_F(FakeWebSocketTest, DestroyingAnEndAfterAbortWithOperationsPendingIsSafe) {
  Make();
  Spawn(ReadAll(pair_.first.get(), &bytes_, &close_));
  context_.poll();

  pair_.first->Abort();
  context_.run();

  EXPECT_EQ(close_.code, kCloseLost);
  pair_.first.reset();
  EXPECT_TRUE(pair_.first_stats->destroyed);
  EXPECT_FALSE(pair_.second_stats->ended);
}

TEST_F(FakeWebSocketTest, EveryFaultEndsBothEnds) {
  for (int n = 1;; ++n) {
    context_.restart();
    FakeWebSocketOptions options;
    options.buffer_bytes = 4;
    auto plan = std::make_shared<FaultPlan>(n);
    options.first_faults = plan;
    options.second_faults = plan;
    Make(options);
    bytes_.clear();
    Spawn(WriteThenClose(pair_.first.get(), "0123456789", CloseReason{kCloseNormal, ""}, &status_));
    Spawn(ReadAll(pair_.second.get(), &bytes_, &close_));
    context_.run();

    EXPECT_TRUE(pair_.first_stats->ended);
    EXPECT_TRUE(pair_.second_stats->ended);
    if (!plan->fired()) {
      EXPECT_EQ(bytes_, "0123456789");
      EXPECT_EQ(close_.code, kCloseNormal);
      EXPECT_GT(n, 3);
      return;
    }
  }
}

TEST_F(FakeWebSocketTest, BothEndsMayCloseAtOnce) {
  Make();
  absl::Status other;
  Spawn(WriteThenClose(pair_.first.get(), "a", CloseReason{kCloseNormal, ""}, &status_));
  Spawn(WriteThenClose(pair_.second.get(), "b", CloseReason{kCloseGoingAway, ""}, &other));

  context_.run();

  EXPECT_EQ(pair_.first_stats->end.code, kCloseNormal);
  EXPECT_EQ(pair_.second_stats->end.code, kCloseGoingAway);
}

net::awaitable<void> ReadSmall(WebSocket* end, Message* message) {
  *message = co_await end->ReadMessage(4);
}

TEST_F(FakeWebSocketTest, ReadMessageRefusesOneThatIsTooBig) {
  FakeWebSocketOptions options;
  options.close_timeout = absl::ZeroDuration();
  Make(options);
  Message fits;
  Message too_big;
  Spawn(WriteThenClose(pair_.first.get(), "1234", CloseReason{kCloseNormal, ""}, &status_));
  Spawn(ReadSmall(pair_.second.get(), &fits));
  context_.run();
  EXPECT_TRUE(fits.open);
  EXPECT_EQ(fits.payload, "1234");

  context_.restart();
  Make(options);
  Spawn(WriteThenClose(pair_.first.get(), "12345", CloseReason{kCloseNormal, ""}, &status_));
  Spawn(ReadSmall(pair_.second.get(), &too_big));
  context_.run();
  EXPECT_FALSE(too_big.open);
  EXPECT_EQ(too_big.close.code, kCloseTooBig);
  EXPECT_EQ(pair_.second_stats->end.code, kCloseTooBig);
}

}  // namespace
}  // namespace fairlead::dataplane
