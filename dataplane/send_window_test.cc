// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the send window: when it is full, what opens it, and texts that acknowledge nothing.
#include "dataplane/send_window.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

absl::optional<std::uint64_t> ReadNumber(absl::string_view text) {
  std::uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return absl::nullopt;
  return number;
}

class SendWindowTest : public ::testing::Test {
 protected:
  void Acknowledge(std::uint64_t bytes) { window_.OnText(absl::StrCat(bytes), Fin::kLast); }

  SendWindow window_{&ReadNumber};
};

TEST_F(SendWindowTest, IsFullUntilThePeerHasAcknowledged) {
  Acknowledge(0);
  window_.OnSent(SendWindow::kBytes - 1);
  EXPECT_FALSE(window_.full());
  window_.OnSent(1);
  EXPECT_TRUE(window_.full());
  EXPECT_TRUE(window_.awaits_ack());

  Acknowledge(1);
  EXPECT_FALSE(window_.full());
  window_.OnSent(1);
  EXPECT_TRUE(window_.full());
  Acknowledge(SendWindow::kBytes + 1);
  EXPECT_FALSE(window_.full());
  EXPECT_FALSE(window_.awaits_ack());
}

TEST_F(SendWindowTest, IsNeverFullForAPeerThatDoesNotAcknowledge) {
  window_.OnSent(100 * SendWindow::kBytes);
  EXPECT_FALSE(window_.full());
  EXPECT_FALSE(window_.awaits_ack());
  window_.OnText("something else", Fin::kLast);
  EXPECT_FALSE(window_.full());

  // It begins late, with what it was sent before.
  Acknowledge(1);
  EXPECT_TRUE(window_.full());
}

TEST_F(SendWindowTest, AnOldAcknowledgementTakesNothingBack) {
  window_.OnSent(SendWindow::kBytes);
  Acknowledge(SendWindow::kBytes);
  Acknowledge(0);
  EXPECT_FALSE(window_.full());
}

TEST_F(SendWindowTest, IgnoresWhatWasNotSent) {
  Acknowledge(0);
  window_.OnSent(SendWindow::kBytes);
  Acknowledge(SendWindow::kBytes + 1);
  window_.OnText("-1", Fin::kLast);
  window_.OnText("99999999999999999999999", Fin::kLast);
  window_.OnText("", Fin::kLast);
  EXPECT_TRUE(window_.full());
}

TEST_F(SendWindowTest, TakesATextInPieces) {
  Acknowledge(0);
  window_.OnSent(SendWindow::kBytes);
  window_.OnText("12", Fin::kMore);
  EXPECT_TRUE(window_.full());
  window_.OnText("", Fin::kMore);
  window_.OnText("3", Fin::kLast);
  EXPECT_FALSE(window_.full());
  window_.OnSent(122);
  EXPECT_FALSE(window_.full());
  window_.OnSent(1);
  EXPECT_TRUE(window_.full());
}

// Such as a number behind many zeros; it holds no more of it than it needs to tell.
TEST_F(SendWindowTest, ATextThatIsTooLongIsNoAcknowledgement) {
  Acknowledge(0);
  window_.OnSent(SendWindow::kBytes);
  for (int i = 0; i < 1000; ++i) window_.OnText(std::string(1000, '0'), Fin::kMore);
  window_.OnText("5", Fin::kLast);
  EXPECT_TRUE(window_.full());
  window_.OnText(std::string(SendWindow::kMaxAckBytes, '0') + "5", Fin::kLast);
  EXPECT_TRUE(window_.full());
  window_.OnText(std::string(SendWindow::kMaxAckBytes - 1, '0') + "5", Fin::kLast);
  EXPECT_FALSE(window_.full());
}

}  // namespace
}  // namespace fairlead::dataplane
