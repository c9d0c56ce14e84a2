// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the send window: when it is full, what opens it, and pongs that answer nothing.
#include "dataplane/send_window.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kFrame = 10'000;

// Sends until it is full, and gives the pings.
std::vector<std::string> Fill(SendWindow& window) {
  std::vector<std::string> pings;
  for (std::size_t sent = 0; !window.full(); sent += kFrame) {
    EXPECT_LT(sent, SendWindow::kBytes + SendWindow::kStepBytes);
    if (window.OnSent(kFrame)) pings.push_back(window.Mark());
  }
  return pings;
}

TEST(SendWindow, IsFullUntilThePeerHasReadOn) {
  SendWindow window;
  std::vector<std::string> pings = Fill(window);
  ASSERT_EQ(pings.size(), 3u);
  window.OnPong(pings[0]);
  EXPECT_FALSE(window.full());
  EXPECT_EQ(Fill(window).size(), 1u);
}

// A peer may answer the last ping alone; there is always one that opens the window.
TEST(SendWindow, OpensByTheAnswerToTheLastPing) {
  SendWindow window;
  for (int round = 0; round < 100; ++round) {
    const std::vector<std::string> pings = Fill(window);
    ASSERT_FALSE(pings.empty());
    window.OnPong(pings.back());
    EXPECT_FALSE(window.full());
  }
}

TEST(SendWindow, AFrameLargerThanItIsMarkedToo) {
  SendWindow window;
  ASSERT_TRUE(window.OnSent(1 << 20));
  const std::string ping = window.Mark();
  EXPECT_TRUE(window.full());
  window.OnPong(ping);
  EXPECT_FALSE(window.full());
}

TEST(SendWindow, IgnoresPongsThatAnswerNothing) {
  SendWindow window;
  Fill(window);
  window.OnPong("");
  window.OnPong("keep-alive");
  window.OnPong("-1");
  window.OnPong("0");
  window.OnPong("9999999");
  window.OnPong("99999999999999999999999");
  EXPECT_TRUE(window.full());
}

TEST(SendWindow, AnOldAnswerTakesNothingBack) {
  SendWindow window;
  const std::vector<std::string> pings = Fill(window);
  window.OnPong(pings.back());
  window.OnPong(pings.front());
  EXPECT_FALSE(window.full());
}

}  // namespace
}  // namespace fairlead::dataplane
