// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Tickets are good once, in time, for their side and device; every refusal has its close code and a
// sentence that fits into a close frame.
#include "dataplane/ticket_register.h"

#include <string>

#include "base/random.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kStart = absl::Seconds(1000);

class TicketRegisterTest : public ::testing::Test {
 protected:
  TicketRegisterTest() {
    spec_.session_id = "s1";
    spec_.console_ticket_sha256 = HashTicket(console_ticket_);
    spec_.device_ticket_sha256 = HashTicket(device_ticket_);
    spec_.unit_id = "00E0C514325B";
    EXPECT_THAT(tickets_.Add(spec_, kStart), IsOk());
  }

  TicketVerdict ClaimConsole(absl::Duration now = kStart) {
    return tickets_.Claim(console_ticket_, Side::kConsole, "", now);
  }
  TicketVerdict ClaimDevice(absl::string_view unit_id = "00E0C514325B") {
    return tickets_.Claim(device_ticket_, Side::kDevice, unit_id, kStart);
  }
  static void ExpectRefused(const TicketVerdict& verdict, std::uint16_t code,
                            const std::string& text) {
    EXPECT_FALSE(verdict.granted);
    EXPECT_EQ(verdict.refusal.code, code);
    EXPECT_THAT(verdict.refusal.text, HasSubstr(text));
    EXPECT_LE(verdict.refusal.text.size(), 123u);
  }

  const std::string console_ticket_ = RandomSecret();
  const std::string device_ticket_ = RandomSecret();
  SessionSpec spec_;
  TicketRegister tickets_;
};

TEST_F(TicketRegisterTest, HashesAsOthersDo) {
  const std::string hash = HashTicket("abc");
  ASSERT_EQ(hash.size(), 32u);
  EXPECT_EQ(hash.substr(0, 4), "\xBA\x78\x16\xBF");
}

TEST_F(TicketRegisterTest, GrantsEachSideOnce) {
  const TicketVerdict device = ClaimDevice();
  EXPECT_TRUE(device.granted);
  EXPECT_EQ(device.session_id, "s1");
  EXPECT_TRUE(ClaimConsole().granted);

  ExpectRefused(ClaimDevice(), kCloseBadTicket, "already used");
  ExpectRefused(ClaimConsole(), kCloseBadTicket, "already used");
  EXPECT_EQ(ClaimConsole().session_id, "s1");
}

TEST_F(TicketRegisterTest, RefusesWhatItDoesNotKnow) {
  std::string near = console_ticket_;
  near.back() = near.back() == 'A' ? 'B' : 'A';
  const std::string unknown[] = {"",
                                 "x",
                                 near,
                                 console_ticket_ + "A",
                                 RandomSecret(),
                                 std::string(100000, 'x'),
                                 spec_.console_ticket_sha256};
  for (const std::string& ticket : unknown) {
    const TicketVerdict verdict = tickets_.Claim(ticket, Side::kConsole, "", kStart);
    ExpectRefused(verdict, kCloseBadTicket, "not known");
    EXPECT_THAT(verdict.session_id, IsEmpty());
  }
}

TEST_F(TicketRegisterTest, ExpiresWithThePairingTimeout) {
  ExpectRefused(ClaimConsole(kStart + absl::Seconds(30)), kCloseBadTicket, "expired");
  EXPECT_TRUE(ClaimConsole(kStart + absl::Seconds(30) - absl::Nanoseconds(1)).granted);
}

TEST_F(TicketRegisterTest, RefusesTheOtherSidesTicketAndKeepsIt) {
  ExpectRefused(tickets_.Claim(device_ticket_, Side::kConsole, "", kStart), kCloseBadTicket,
                "for the device's side");
  ExpectRefused(tickets_.Claim(console_ticket_, Side::kDevice, "00E0C514325B", kStart),
                kCloseBadTicket, "for the Console's side");

  EXPECT_TRUE(ClaimDevice().granted);
  EXPECT_TRUE(ClaimConsole().granted);
}

TEST_F(TicketRegisterTest, RefusesAnotherDeviceAndKeepsTheTicket) {
  ExpectRefused(ClaimDevice("00E0C5000000"), kCloseDenied, "another device");
  ExpectRefused(ClaimDevice(""), kCloseDenied, "another device");

  EXPECT_TRUE(ClaimDevice().granted);
}

TEST_F(TicketRegisterTest, DemandsNoUnitIdIfNoneIsGiven) {
  SessionSpec spec = spec_;
  spec.session_id = "s2";
  const std::string ticket = RandomSecret();
  spec.device_ticket_sha256 = HashTicket(ticket);
  spec.console_ticket_sha256 = HashTicket(RandomSecret());
  spec.unit_id = "";
  ASSERT_THAT(tickets_.Add(spec, kStart), IsOk());

  EXPECT_TRUE(tickets_.Claim(ticket, Side::kDevice, "anyone", kStart).granted);
}

TEST_F(TicketRegisterTest, RefusesBadHashesAndKeepsNothingOfThem) {
  SessionSpec spec = spec_;
  spec.session_id = "s2";
  spec.device_ticket_sha256 = HashTicket("new");
  EXPECT_THAT(tickets_.Add(spec, kStart), StatusIs(absl::StatusCode::kAlreadyExists));
  spec.console_ticket_sha256 = spec.device_ticket_sha256;
  EXPECT_THAT(tickets_.Add(spec, kStart), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const std::size_t size : {0u, 31u, 33u}) {
    spec.console_ticket_sha256 = std::string(size, 'x');
    EXPECT_THAT(tickets_.Add(spec, kStart), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(tickets_.size(), 2u);
}

TEST_F(TicketRegisterTest, ForgetsASessionButNoOther) {
  SessionSpec other = spec_;
  other.session_id = "s2";
  tickets_.Remove(other);
  EXPECT_EQ(tickets_.size(), 2u);

  tickets_.Remove(spec_);

  EXPECT_EQ(tickets_.size(), 0u);
  ExpectRefused(ClaimConsole(), kCloseBadTicket, "not known");
}

}  // namespace
}  // namespace fairlead::dataplane
