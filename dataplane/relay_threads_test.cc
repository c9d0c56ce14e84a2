// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The relay on several I/O threads, called from others: registering, claiming, ending and reading
// counters at the same time as bytes flow. Above all for ThreadSanitizer.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "dataplane/io_threads.h"
#include "dataplane/relay.h"
#include "dataplane/testing/memory_leg.h"
#include "dataplane/ticket_register.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

constexpr int kSessions = 200;

class CountingObserver : public RelayObserver {
 public:
  void OnAttached(absl::string_view, Side) override { ++attached; }
  void OnDataFlowing(absl::string_view) override {}
  void OnEnded(absl::string_view, const RelayEnd&) override { ++ended; }
  void OnRefused(absl::string_view, Side, const PeerInfo&, const CloseReason&) override {
    ++refused;
  }

  std::atomic<int> attached{0};
  std::atomic<int> ended{0};
  std::atomic<int> refused{0};
};

class RelayThreadsTest : public ::testing::Test {
 protected:
  struct Leg {
    std::unique_ptr<WebSocket> peer;
    std::unique_ptr<TunnelLeg> relay_end;
  };

  static SessionSpec MakeSpec(const std::string& id) {
    SessionSpec spec;
    spec.session_id = id;
    spec.console_ticket_sha256 = HashTicket("console-" + id);
    spec.device_ticket_sha256 = HashTicket("device-" + id);
    return spec;
  }

  // One leg's whole life, on the session's thread.
  net::awaitable<void> ServeLeg(Claim claim, std::shared_ptr<Leg> leg) {
    co_await relay_.Serve(std::move(claim), std::move(leg->relay_end));
    --running_;
  }

  // Sends some and reads until the end.
  net::awaitable<void> Chat(std::shared_ptr<Leg> leg, Side side) {
    (co_await leg->peer->WriteBinary(std::string(1000, 'x'))).IgnoreError();
    if (side == Side::kDevice)
      (co_await leg->peer->WriteBinary(std::string(70000, 'y'))).IgnoreError();
    for (;;) {
      const Message message = co_await leg->peer->ReadMessage();
      if (!message.open) break;
    }
    --running_;
  }

  // On the session's thread, where both ends live.
  net::awaitable<void> StartOn(Claim claim, Side side) {
    const net::any_io_executor executor = claim.executor;
    MemoryLeg made = MakeMemoryLeg(executor);
    auto leg = std::make_shared<Leg>();
    leg->peer = std::move(made.peer);
    leg->relay_end = std::move(made.leg);
    net::co_spawn(executor, Chat(leg, side), net::detached);
    net::co_spawn(executor, ServeLeg(std::move(claim), std::move(leg)), net::detached);
    co_return;
  }

  void StartLeg(const std::string& id, Side side) {
    const std::string ticket = absl::StrCat(side == Side::kConsole ? "console-" : "device-", id);
    Claim claim = relay_.ClaimTicket(ticket, side, "", PeerInfo());
    const net::any_io_executor executor = claim.executor;
    running_ += 2;
    net::co_spawn(executor, StartOn(std::move(claim), side), net::detached);
  }

  void StartAll(const std::string& prefix) {
    for (int i = 0; i < kSessions; ++i) {
      const std::string id = absl::StrCat(prefix, i);
      EXPECT_THAT(relay_.Register(MakeSpec(id)), IsOk());
      StartLeg(id, i % 2 == 0 ? Side::kConsole : Side::kDevice);
      StartLeg(id, i % 2 == 0 ? Side::kDevice : Side::kConsole);
    }
  }

  bool IsQuiet() const {
    const RelayCounters counters = relay_.counters();
    return running_ == 0 && counters.sessions_now == 0 && counters.legs_now == 0;
  }

  IoThreads threads_{3};
  CountingObserver observer_;
  std::atomic<int> running_{0};
  Relay relay_{threads_, observer_, SystemClock(), RelayOptions()};
};

TEST_F(RelayThreadsTest, AnyThreadMayCallAndAllEnds) {
  std::thread first([this] { StartAll("a"); });
  std::thread second([this] { StartAll("b"); });
  // Meanwhile some are ended, at whatever stage they are.
  CloseReason reason;
  reason.code = kCloseTerminated;
  for (int i = 0; i < kSessions; i += 3) relay_.End(absl::StrCat("a", i), reason);
  first.join();
  second.join();

  const absl::Duration deadline = SystemClock().Monotonic() + absl::Seconds(50);
  while (!IsQuiet() && SystemClock().Monotonic() < deadline) {
    relay_.EndAll(reason);
    std::this_thread::yield();
  }

  EXPECT_TRUE(IsQuiet());
  EXPECT_EQ(observer_.ended, 2 * kSessions);
  EXPECT_EQ(relay_.counters().sessions_registered, 2u * kSessions);
  threads_.Stop();
}

}  // namespace
}  // namespace fairlead::dataplane
