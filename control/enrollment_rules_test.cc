// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The rules of enrolment as a table: every type of key in every state, with every history of the
// unit ID.
#include "control/enrollment_rules.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/certificate_authority.h"
#include "control/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using Action = EnrollmentDecision::Action;
using Key = v1::FirstAuthenticationKey;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// One certificate of the unit ID's past.
struct Past {
  const char* key_name;
  const char* public_key;
  bool revoked = false;
  bool expired = false;
};

std::vector<CertificateRecord> Records(const std::vector<Past>& past) {
  std::vector<CertificateRecord> records;
  for (const Past& entry : past) {
    CertificateRecord record;
    record.fingerprint = absl::StrCat("fingerprint", records.size());
    record.unit_id = "A";
    record.key_name = entry.key_name;
    record.public_key_sha256 = entry.public_key;
    record.revoked = entry.revoked;
    record.not_after = entry.expired ? kNow : kNow + absl::Hours(24);
    records.push_back(record);
  }
  return records;
}

struct Case {
  const char* name;
  Key::Type type;
  // "disabled", "expired", "other" (bound to another unit ID), "used" or "".
  const char* key_state;
  std::vector<Past> past;
  bool device_exists;
  Action action;
  // Part of the refusal, or "revoke" and "count" where these are due.
  const char* expect;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class EnrollmentRules : public ::testing::TestWithParam<Case> {};

TEST_P(EnrollmentRules, Decide) {
  const Case& c = GetParam();
  const std::string state = c.key_state;
  Key key;
  key.set_name("k");
  key.set_type(c.type);
  key.set_disabled(state == "disabled");
  if (state == "expired") *key.mutable_expire_time() = ToTimestamp(kNow);
  if (state == "used") key.set_use_count(1);
  if (c.type == Key::ONE_TIME_BOUND) key.add_unit_ids(state == "other" ? "B" : "A");

  const EnrollmentDecision decision =
      DecideEnrollment(key, Records(c.past), {"A", "mine", kNow, c.device_exists});

  EXPECT_EQ(static_cast<int>(decision.action), static_cast<int>(c.action)) << decision.refusal;
  const std::string expect = c.expect;
  if (c.action == Action::kRefuse) {
    EXPECT_THAT(decision.refusal, HasSubstr(expect));
  } else if (c.action == Action::kIssue) {
    EXPECT_EQ(decision.revoke_others, expect.find("revoke") != std::string::npos);
    EXPECT_EQ(decision.count_use, expect.find("count") != std::string::npos);
  }
}

constexpr Action kIssue = Action::kIssue;
constexpr Action kSame = Action::kReturnExisting;
constexpr Action kRefuse = Action::kRefuse;

INSTANTIATE_TEST_SUITE_P(
    Table, EnrollmentRules,
    ::testing::Values(
        // A new device.
        Case{"OneTime", Key::ONE_TIME, "", {}, false, kIssue, "count"},
        Case{"Bound", Key::ONE_TIME_BOUND, "", {}, false, kIssue, "count"},
        Case{"Mass", Key::MASS_DEPLOYMENT, "", {}, false, kIssue, "count"},
        Case{"MassAgain", Key::MASS_DEPLOYMENT, "used", {}, false, kIssue, "count"},
        Case{"OneTimeUsedByAnother", Key::ONE_TIME, "used", {}, false, kRefuse, "used already"},
        Case{"BoundToAnother", Key::ONE_TIME_BOUND, "other", {}, false, kRefuse, "bound to other"},
        Case{"BoundUsedByAnotherListed", Key::ONE_TIME_BOUND, "used", {}, false, kIssue, "count"},
        Case{"UnknownType", Key::TYPE_UNSPECIFIED, "", {}, false, kRefuse, "unknown type"},
        // Withdrawn keys.
        Case{"OneTimeDisabled", Key::ONE_TIME, "disabled", {}, false, kRefuse, "disabled"},
        Case{"BoundDisabled", Key::ONE_TIME_BOUND, "disabled", {}, false, kRefuse, "disabled"},
        Case{"MassDisabled", Key::MASS_DEPLOYMENT, "disabled", {}, false, kRefuse, "disabled"},
        Case{"OneTimeExpired", Key::ONE_TIME, "expired", {}, false, kRefuse, "expired"},
        Case{"BoundExpired", Key::ONE_TIME_BOUND, "expired", {}, false, kRefuse, "expired"},
        Case{"MassExpired", Key::MASS_DEPLOYMENT, "expired", {}, false, kRefuse, "expired"},
        // A retry: same key, same key pair.
        Case{"OneTimeRetry", Key::ONE_TIME, "used", {{"k", "mine"}}, true, kSame, ""},
        Case{"BoundRetry", Key::ONE_TIME_BOUND, "used", {{"k", "mine"}}, true, kSame, ""},
        Case{"MassRetry", Key::MASS_DEPLOYMENT, "used", {{"k", "mine"}}, true, kSame, ""},
        Case{"RetryAfterExpiry", Key::ONE_TIME, "expired", {{"k", "mine"}}, true, kSame, ""},
        Case{"RetryOfDisabled",
             Key::ONE_TIME,
             "disabled",
             {{"k", "mine"}},
             true,
             kRefuse,
             "disabled"},
        Case{"RetryOfDeleted",
             Key::ONE_TIME,
             "used",
             {{"k", "mine", true}},
             false,
             kRefuse,
             "used already"},
        Case{"RetryAYearLater",
             Key::ONE_TIME,
             "used",
             {{"k", "mine", false, true}},
             true,
             kRefuse,
             "used already"},
        // The same key with another key pair is no retry.
        Case{"OneTimeOtherPair",
             Key::ONE_TIME,
             "used",
             {{"k", "other"}},
             true,
             kRefuse,
             "used already"},
        Case{"BoundOtherPair",
             Key::ONE_TIME_BOUND,
             "used",
             {{"k", "other"}},
             true,
             kRefuse,
             "already for this unit ID"},
        Case{"MassOtherPair",
             Key::MASS_DEPLOYMENT,
             "used",
             {{"k", "other"}},
             true,
             kIssue,
             "revoke"},
        // A reset device with a fresh key: its old certificates go.
        Case{"OneTimeAfterReset",
             Key::ONE_TIME,
             "",
             {{"old", "other"}},
             true,
             kIssue,
             "revoke count"},
        Case{"BoundAfterReset",
             Key::ONE_TIME_BOUND,
             "",
             {{"old", "other"}},
             true,
             kIssue,
             "revoke count"},
        Case{"FreshKeySamePair", Key::ONE_TIME, "", {{"old", "mine"}}, true, kIssue, "count"},
        Case{"NothingLiveToRevoke",
             Key::ONE_TIME,
             "",
             {{"old", "other", true}},
             true,
             kIssue,
             "count"},
        // A deleted device cannot return by the key it came with.
        Case{"MassDeleted",
             Key::MASS_DEPLOYMENT,
             "used",
             {{"k", "mine", true}},
             false,
             kRefuse,
             "deleted"},
        Case{"MassDeletedOtherKey",
             Key::MASS_DEPLOYMENT,
             "",
             {{"old", "mine", true}},
             false,
             kIssue,
             "count"},
        Case{"MassDeletedAndCreatedAgain",
             Key::MASS_DEPLOYMENT,
             "used",
             {{"k", "mine", true}},
             true,
             kIssue,
             ""}),
    [](const ::testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

TEST(EnrollmentRules, RefusesAnUnknownKey) {
  const EnrollmentDecision decision =
      DecideEnrollment(absl::nullopt, {}, {"A", "mine", kNow, false});

  EXPECT_EQ(decision.action, kRefuse);
  EXPECT_EQ(decision.refusal, "no such key");
}

TEST(EnrollmentRules, AnAgentInALoopMustWait) {
  std::vector<CertificateRecord> many;
  for (int i = 0; i < kMaxCertificatesAnHour; ++i) {
    CertificateRecord record;
    record.fingerprint = absl::StrCat(i);
    record.public_key_sha256 = absl::StrCat("pair", i);
    record.not_after = kNow + kLeafValidity - absl::Minutes(1);
    many.push_back(record);
  }
  Key key;
  key.set_name("k");
  key.set_type(Key::MASS_DEPLOYMENT);

  EXPECT_EQ(DecideEnrollment(key, many, {"A", "mine", kNow, true}).action, Action::kWait);
  EXPECT_EQ(DecideRenewal("0", many, {"A", "mine", kNow, true}).action, Action::kWait);
  const absl::Time later = kNow + absl::Hours(1);
  EXPECT_EQ(DecideEnrollment(key, many, {"A", "mine", later, true}).action, kIssue);
  EXPECT_EQ(DecideRenewal("0", many, {"A", "mine", later, true}).action, kIssue);
}

TEST(RenewalRules, ALiveCertificateOnRecordRenews) {
  const auto records = Records({{"", "new"}, {"k", "mine"}});

  EXPECT_EQ(DecideRenewal("fingerprint1", records, {"A", "next", kNow, true}).action, kIssue);
  EXPECT_EQ(DecideRenewal("fingerprint1", records, {"A", "mine", kNow, true}).action, kIssue)
      << "the same key pair may be kept";
  EXPECT_EQ(DecideRenewal("fingerprint0", records, {"A", "next", kNow, true}).action, kIssue);
}

TEST(RenewalRules, ARetryGetsWhatWasLost) {
  const auto records = Records({{"", "new"}, {"k", "mine"}});

  const EnrollmentDecision decision =
      DecideRenewal("fingerprint1", records, {"A", "new", kNow, true});

  EXPECT_EQ(decision.action, kSame);
  EXPECT_EQ(decision.existing, 0u);
}

TEST(RenewalRules, RefusesWhatIsNotGoodAnyMore) {
  const auto revoked = Records({{"k", "mine", true}});
  const auto expired = Records({{"k", "mine", false, true}});
  const auto live = Records({{"k", "mine"}});
  const EnrollmentAttempt attempt = {"A", "next", kNow, true};

  EXPECT_THAT(DecideRenewal("fingerprint0", revoked, attempt).refusal, HasSubstr("revoked"));
  EXPECT_THAT(DecideRenewal("fingerprint0", expired, attempt).refusal, HasSubstr("expired"));
  EXPECT_THAT(DecideRenewal("other", live, attempt).refusal, HasSubstr("not on record"));
  EXPECT_THAT(DecideRenewal("fingerprint0", live, {"A", "next", kNow, false}).refusal,
              HasSubstr("deleted"));
}

TEST(CountUse, KeepsTheLastHundredUnitIds) {
  Key key;
  for (int i = 0; i < 150; ++i) CountUse(absl::StrCat("U", i), &key);

  EXPECT_EQ(key.use_count(), 150u);
  ASSERT_EQ(key.used_by_unit_ids_size(), 100);
  EXPECT_EQ(key.used_by_unit_ids(0), "U50");
  EXPECT_EQ(key.used_by_unit_ids(99), "U149");
}

}  // namespace
}  // namespace fairlead::control
