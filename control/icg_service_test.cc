// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What may be said of a new ICG, and the names in its certificate.
#include "control/icg_service.h"

#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;

TEST(CheckNewIcg, SaysWhatIsWrong) {
  struct Case {
    const char* field;
    void (*spoil)(v1::Icg&);
  };
  const Case cases[] = {
      {"icg.name", [](v1::Icg& icg) { icg.set_name("berlin"); }},
      {"icg.name", [](v1::Icg& icg) { icg.set_name("icgs/Berlin"); }},
      {"icg.name", [](v1::Icg& icg) { icg.set_name("icgs/"); }},
      {"icg.name", [](v1::Icg& icg) { icg.set_name("icgs/" + std::string(65, 'a')); }},
      {"icg.internal_address", [](v1::Icg& icg) { icg.set_internal_address("10.0.0.5:8443"); }},
      {"icg.internal_address", [](v1::Icg& icg) { icg.set_internal_address("https://a:1"); }},
      {"icg.internal_address", [](v1::Icg& icg) { icg.set_internal_address("grpcs://a"); }},
      {"icg.internal_address", [](v1::Icg& icg) { icg.set_internal_address("wss://a:1/path"); }},
      {"icg.external_address", [](v1::Icg& icg) { icg.clear_external_address(); }},
      {"icg.external_address", [](v1::Icg& icg) { icg.set_external_address("wss://a:1"); }},
      {"icg.proxy", [](v1::Icg& icg) { icg.set_proxy("proxy:3128"); }},
      {"icg.proxy", [](v1::Icg& icg) { icg.set_proxy("https://proxy:3128"); }},
      {"icg.grace_period", [](v1::Icg& icg) { icg.mutable_grace_period()->set_seconds(-1); }},
      {"icg.grace_period", [](v1::Icg& icg) { icg.mutable_grace_period()->set_seconds(86'401); }},
  };
  for (const Case& test : cases) {
    v1::Icg icg;
    icg.set_name("icgs/berlin-1");
    icg.set_internal_address("wss://[2001:db8::1]:8443");
    icg.set_external_address("icg.example:8443");
    EXPECT_THAT(CheckNewIcg(icg), IsOk());
    test.spoil(icg);
    EXPECT_THAT(CheckNewIcg(icg),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.field)))
        << icg.ShortDebugString();
  }
}

TEST(CheckNewIcg, TakesOnlyWhatACallerMaySet) {
  v1::Icg icg;
  icg.set_name("icgs/a");
  icg.set_internal_address("grpcs://a:1");
  icg.set_external_address("a:1");
  icg.set_state(v1::Icg::CONNECTED);
  icg.set_last_error("made up");
  icg.mutable_create_time()->set_seconds(1);

  const v1::Icg checked = *CheckNewIcg(icg);

  EXPECT_EQ(checked.state(), v1::Icg::STATE_UNSPECIFIED);
  EXPECT_EQ(checked.last_error(), "");
  EXPECT_FALSE(checked.has_create_time());
  EXPECT_FALSE(checked.has_grace_period());
}

TEST(CertificateNames, AreThoseOfBothAddressesAndAtMost32Further) {
  v1::Icg icg;
  icg.set_internal_address("grpcs://[::1]:1");
  icg.set_external_address("icg.example:1");

  EXPECT_THAT(*CertificateNames(icg, {"x.example"}),
              testing::UnorderedElementsAre("x.example", "::1", "icg.example"));
  EXPECT_THAT(CertificateNames(icg, std::vector<std::string>(32, "x")), IsOk());
  EXPECT_THAT(CertificateNames(icg, std::vector<std::string>(33, "x")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 32")));
}

}  // namespace
}  // namespace fairlead::control
