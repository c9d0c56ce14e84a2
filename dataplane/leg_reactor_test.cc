// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the relay's reactor on real descriptors: events as long as they last, changes, removal
// from within an event, and an io_context that ends when nothing is watched.
#include "dataplane/leg_reactor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "dataplane/testing/run.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

class Watcher : public LegReactor::Watched {
 public:
  void OnEvents(std::uint32_t events) override {
    seen |= events;
    if (on_events) on_events();
  }

  std::uint32_t seen = 0;
  std::function<void()> on_events;
};

class LegReactorTest : public ::testing::Test {
 protected:
  LegReactorTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, first_), 0);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, second_), 0);
  }
  ~LegReactorTest() override {
    for (const int descriptor : {first_[0], first_[1], second_[0], second_[1]}) {
      ::close(descriptor);
    }
  }

  static void Send(int descriptor) { ASSERT_EQ(::write(descriptor, "x", 1), 1); }

  net::io_context context_;
  LegReactor& reactor_ = LegReactor::Of(context_.get_executor());
  int first_[2];
  int second_[2];
};

TEST_F(LegReactorTest, TellsAsLongAsItLasts) {
  Watcher watcher;
  int calls = 0;
  watcher.on_events = [&] {
    if (++calls < 3) return;
    char byte = 0;
    EXPECT_EQ(::read(first_[0], &byte, 1), 1);
    reactor_.Change(first_[0], watcher, EPOLLOUT);
    watcher.on_events = [&] { reactor_.Remove(first_[0], watcher); };
  };
  ASSERT_TRUE(reactor_.Add(first_[0], watcher, EPOLLIN));
  Send(first_[1]);

  context_.run();

  EXPECT_EQ(calls, 3);
  EXPECT_EQ(watcher.seen, EPOLLIN | EPOLLOUT);
  EXPECT_EQ(reactor_.size(), 0u);
}

TEST_F(LegReactorTest, WhoIsRemovedIsNotTold) {
  Watcher first;
  Watcher second;
  first.on_events = second.on_events = [&] {
    reactor_.Remove(first_[0], first);
    reactor_.Remove(second_[0], second);
  };
  ASSERT_TRUE(reactor_.Add(first_[0], first, EPOLLIN));
  ASSERT_TRUE(reactor_.Add(second_[0], second, EPOLLIN));
  Send(first_[1]);
  Send(second_[1]);

  context_.run();

  EXPECT_EQ(first.seen ^ second.seen, static_cast<std::uint32_t>(EPOLLIN));
}

TEST_F(LegReactorTest, TellsOfAHangUpThatNobodyAskedFor) {
  Watcher watcher;
  watcher.on_events = [&] { reactor_.Remove(first_[0], watcher); };
  ASSERT_TRUE(reactor_.Add(first_[0], watcher, 0));
  ::shutdown(first_[1], SHUT_RDWR);

  context_.run();

  EXPECT_NE(watcher.seen & EPOLLHUP, 0u);
  EXPECT_FALSE(reactor_.Add(-1, watcher, EPOLLIN));
}

}  // namespace
}  // namespace fairlead::dataplane
