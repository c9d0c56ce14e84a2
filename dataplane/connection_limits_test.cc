// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The caps on unauthenticated connections, what they count by, and the gate for warnings.
#include "dataplane/connection_limits.h"

#include <gtest/gtest.h>

#include <memory>

namespace fairlead::dataplane {
namespace {

using Verdict = ConnectionLimits::Verdict;

TEST(ConnectionLimits, RefusesBeyondTheCapOfAHost) {
  ConnectionLimits limits(10, 2);
  EXPECT_EQ(limits.Admit("a"), Verdict::kAdmitted);
  EXPECT_EQ(limits.Admit("a"), Verdict::kAdmitted);
  EXPECT_EQ(limits.Admit("a"), Verdict::kTooManyFromHost);
  EXPECT_EQ(limits.Admit("b"), Verdict::kAdmitted);

  limits.Release("a");

  EXPECT_EQ(limits.Admit("a"), Verdict::kAdmitted);
  EXPECT_EQ(limits.in_all(), 3u);
}

TEST(ConnectionLimits, RefusesBeyondTheCapInAll) {
  ConnectionLimits limits(2, 10);
  EXPECT_EQ(limits.Admit("a"), Verdict::kAdmitted);
  EXPECT_EQ(limits.Admit("b"), Verdict::kAdmitted);
  EXPECT_EQ(limits.Admit("c"), Verdict::kTooManyInAll);
  EXPECT_EQ(limits.of_host("c"), 0u);
}

TEST(ConnectionLimits, ACapOfZeroAdmitsNobody) {
  ConnectionLimits limits(10, 0);
  EXPECT_EQ(limits.Admit("a"), Verdict::kTooManyFromHost);
  EXPECT_EQ(limits.in_all(), 0u);
}

TEST(ConnectionLimits, ReleasingWhatWasNeverAdmittedChangesNothing) {
  ConnectionLimits limits(10, 10);
  limits.Release("a");
  EXPECT_EQ(limits.in_all(), 0u);
}

TEST(AdmittedConnection, GivesItsPlaceBackOnce) {
  auto limits = std::make_shared<ConnectionLimits>(10, 10);
  ASSERT_EQ(limits->Admit("a"), Verdict::kAdmitted);
  ASSERT_EQ(limits->Admit("a"), Verdict::kAdmitted);
  PeerInfo peer;
  peer.admission = std::make_shared<AdmittedConnection>(limits, "a");

  peer.MarkAuthenticated();
  peer.MarkAuthenticated();
  peer.admission.reset();
  peer.MarkAuthenticated();

  EXPECT_EQ(limits->of_host("a"), 1u);
}

TEST(AdmittedConnection, GivesItsPlaceBackAtTheEnd) {
  auto limits = std::make_shared<ConnectionLimits>(10, 10);
  ASSERT_EQ(limits->Admit("a"), Verdict::kAdmitted);
  { const AdmittedConnection connection(limits, "a"); }
  EXPECT_EQ(limits->in_all(), 0u);
}

TEST(LimitKey, IsTheHostOrItsIpv6Network) {
  EXPECT_EQ(LimitKey("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(LimitKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(LimitKey("2001:db8:1:2::1"), "2001:db8:1:2::/64");
  EXPECT_EQ(LimitKey("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(LimitKey("unknown"), "unknown");
}

TEST(WarningGate, LetsOneThroughAnInterval) {
  WarningGate gate(absl::Seconds(10));
  std::size_t suppressed = 99;
  EXPECT_TRUE(gate.Allow(absl::Seconds(1), suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(gate.Allow(absl::Seconds(2), suppressed));
  EXPECT_FALSE(gate.Allow(absl::Seconds(10), suppressed));
  EXPECT_TRUE(gate.Allow(absl::Seconds(11), suppressed));
  EXPECT_EQ(suppressed, 2u);
}

}  // namespace
}  // namespace fairlead::dataplane
