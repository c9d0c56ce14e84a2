// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// An ICG without a server: who may come in, who must go and when, and what is said of it.
#include "gateway/server_absence.h"

#include <string>

#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

TEST(ServerAbsence, BeginsAsAStartAndBecomesAWarning) {
  const ServerAbsence absence(AbsenceOptions(), absl::Seconds(100));

  EXPECT_STREQ(absence.Status(true, absl::Seconds(129)), "init");
  EXPECT_STREQ(absence.Status(true, absl::Seconds(130)), "warn");
  EXPECT_STREQ(absence.Status(false, absl::Seconds(101)), "err");
}

TEST(ServerAbsence, ALinkMakesAllGood) {
  ServerAbsence absence(AbsenceOptions(), absl::ZeroDuration());
  absence.SetLinked(true, absl::Seconds(1));

  EXPECT_STREQ(absence.Status(true, absl::Seconds(2)), "ok");
  EXPECT_STREQ(absence.Status(false, absl::Seconds(2)), "err");
  EXPECT_EQ(absence.CloseAt(), absl::InfiniteDuration());
  EXPECT_FALSE(absence.TakeClose(absl::Hours(100)));
}

TEST(ServerAbsence, DevicesGoOnceWhenTheGraceIsOver) {
  ServerAbsence absence(AbsenceOptions(), absl::ZeroDuration());
  absence.SetLinked(true, absl::Seconds(1));
  absence.SetLinked(false, absl::Seconds(10));

  EXPECT_STREQ(absence.Status(true, absl::Seconds(11)), "warn");
  EXPECT_EQ(absence.CloseAt(), absl::Seconds(310));
  EXPECT_FALSE(absence.TakeClose(absl::Seconds(309)));
  EXPECT_TRUE(absence.TakeClose(absl::Seconds(310)));
  EXPECT_FALSE(absence.TakeClose(absl::Seconds(311)));
  EXPECT_EQ(absence.CloseAt(), absl::InfiniteDuration());
  EXPECT_EQ(absence.CloseSentence(),
            "No server has been linked to this ICG for 5m; connect again later.");
  EXPECT_LE(absence.CloseSentence().size(), 123u);

  // The next absence counts anew.
  absence.SetLinked(true, absl::Seconds(400));
  absence.SetLinked(false, absl::Seconds(500));
  EXPECT_EQ(absence.CloseAt(), absl::Seconds(800));
}

TEST(ServerAbsence, TheServerSetsTheGrace) {
  ServerAbsence absence(AbsenceOptions(), absl::ZeroDuration());
  absence.SetGracePeriod(absl::Seconds(7));
  EXPECT_EQ(absence.CloseAt(), absl::Seconds(7));
  absence.SetGracePeriod(absl::Hours(1000));
  EXPECT_EQ(absence.CloseAt(), absl::Hours(24));
  absence.SetGracePeriod(absl::ZeroDuration());
  EXPECT_EQ(absence.CloseAt(), absl::Minutes(5));
}

}  // namespace
}  // namespace fairlead::gateway
