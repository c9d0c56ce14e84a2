// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an ICG starts with: each mistake in the bundle or the flags gets a sentence of its own.
#include "gateway/icg_options.h"

#include <google/protobuf/util/json_util.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/state_file.h"
#include "base/status_matchers.h"
#include "dataplane/testing/test_pki.h"
#include "gateway/icg_bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/icg.pb.h"

namespace fairlead::gateway {
namespace {

using dataplane::testing::LeafSpec;
using dataplane::testing::TestCa;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LeafSpec Icg(const std::string& uri = "urn:fairlead:icg:dmz-1") {
  LeafSpec spec;
  spec.uris = {uri};
  return spec;
}

class IcgBundleTest : public ::testing::Test {
 protected:
  v1::RegisterIcgResponse Good(const LeafSpec& spec = Icg()) {
    const dataplane::TlsIdentity identity = ca_.Issue(spec);
    v1::RegisterIcgResponse response;
    response.mutable_icg()->set_name("icgs/dmz-1");
    response.mutable_icg()->set_external_address("icg.example:8443");
    response.set_certificate_chain_pem(identity.certificate_chain_pem);
    response.set_private_key_pem(identity.private_key_pem);
    response.set_ca_certificates_pem(ca_.pem());
    return response;
  }
  static std::string Json(const v1::RegisterIcgResponse& response) {
    std::string json;
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(response, &json).ok());
    return json;
  }
  static absl::StatusOr<IcgBundle> Parse(const v1::RegisterIcgResponse& response) {
    return ParseIcgBundle(Json(response), absl::Now());
  }

  TestCa ca_;
};

TEST_F(IcgBundleTest, TakesAGoodOne) {
  const v1::RegisterIcgResponse response = Good();
  const absl::StatusOr<IcgBundle> bundle = Parse(response);

  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->id, "dmz-1");
  EXPECT_EQ(bundle->external_address, "icg.example:8443");
  EXPECT_EQ(bundle->ca_pem, ca_.pem());
  EXPECT_EQ(bundle->identity.private_key_pem, response.private_key_pem());
  EXPECT_GT(bundle->not_after, absl::Now());
}

TEST_F(IcgBundleTest, TakesOneOfALaterServer) {
  std::string json = Json(Good());
  json.insert(1, "\"later\":{\"a\":1},");

  EXPECT_THAT(ParseIcgBundle(json, absl::Now()), IsOk());
}

TEST_F(IcgBundleTest, SaysThatItIsNone) {
  for (const std::string& text : {std::string(), std::string("hello"), std::string("{\"a\":"),
                                  std::string("{}"), std::string("[1]"), ca_.pem()}) {
    EXPECT_THAT(
        ParseIcgBundle(text, absl::Now()),
        StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("this is no bundle of an ICG"),
                                                           HasSubstr("console icgs register"))))
        << text;
  }
}

TEST_F(IcgBundleTest, SaysWhoseCertificateItIs) {
  EXPECT_THAT(Parse(Good(Icg("urn:fairlead:device:a"))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("this certificate has the role device, not an ICG's")));
  EXPECT_THAT(Parse(Good(Icg("urn:fairlead:server:ums"))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the role server")));
  EXPECT_THAT(Parse(Good(LeafSpec())),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no role")));
  EXPECT_THAT(Parse(Good(Icg("urn:fairlead:icg:other"))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("for icgs/dmz-1, but its certificate for icgs/other")));
}

TEST_F(IcgBundleTest, SaysWhatDoesNotBelongTogether) {
  v1::RegisterIcgResponse response = Good();
  response.set_private_key_pem(Good().private_key_pem());
  EXPECT_THAT(Parse(response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key and the certificate")));

  LeafSpec alone = Icg();
  alone.chain_with_ca = false;
  response = Good(alone);
  response.set_ca_certificates_pem(TestCa("Another CA").pem());
  EXPECT_THAT(Parse(response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not signed by the CA")));
}

TEST_F(IcgBundleTest, SaysBothTimes) {
  const std::string json = Json(Good());

  EXPECT_THAT(ParseIcgBundle(json, absl::FromUnixSeconds(0)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("is not valid yet"), HasSubstr("says 1970-01-01T00:00:00Z"),
                             HasSubstr("valid from 20"), HasSubstr("is the clock wrong?"))));
  EXPECT_THAT(ParseIcgBundle(json, absl::Now() + absl::Hours(48)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has expired")));
}

TEST_F(IcgBundleTest, WarnsOfAFileThatOthersCanRead) {
  const std::string file = absl::StrCat(::testing::TempDir(), "/icg.json");
  ASSERT_THAT(WriteStateFile(file, Json(Good()), 0600), IsOk());
  EXPECT_THAT(ReadIcgBundle(file, absl::Now())->warning, IsEmpty());
  ASSERT_THAT(WriteStateFile(file, Json(Good()), 0644), IsOk());
  EXPECT_THAT(ReadIcgBundle(file, absl::Now())->warning,
              AllOf(HasSubstr("0644"), HasSubstr("chmod 600 ")));

  EXPECT_THAT(ReadIcgBundle(file + "x", absl::Now()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(file + "x")));
  ASSERT_THAT(WriteStateFile(file, "hello", 0600), IsOk());
  EXPECT_THAT(ReadIcgBundle(file, absl::Now()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(file)));
}

TEST_F(IcgBundleTest, BadFlagsAreNamed) {
  IcgFlags good;
  good.listen = "127.0.0.1:0";
  good.log_level = "info";
  good.metrics = "open";
  good.bundle = absl::StrCat(::testing::TempDir(), "/flags.json");
  ASSERT_THAT(WriteStateFile(good.bundle, Json(Good()), 0600), IsOk());

  const auto options = FinalizeIcgFlags(good, absl::Now());
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->bundle.id, "dmz-1");
  EXPECT_THAT(PrintIcgOptions(*options),
              AllOf(HasSubstr("icg=icgs/dmz-1\n"), HasSubstr("listen=127.0.0.1:0\n")));
  EXPECT_THAT(PrintIcgOptions(*options), ::testing::Not(HasSubstr("PRIVATE")));

  const auto refuses = [&](void (*spoil)(IcgFlags&), const std::string& flag) {
    IcgFlags bad = good;
    spoil(bad);
    EXPECT_THAT(FinalizeIcgFlags(bad, absl::Now()),
                ::testing::ResultOf([](const auto& got) { return got.status().message(); },
                                    HasSubstr(flag)));
  };
  refuses([](IcgFlags& flags) { flags.listen = "8443"; }, "--listen=8443");
  refuses([](IcgFlags& flags) { flags.io_threads = -1; }, "--io_threads=-1");
  refuses([](IcgFlags& flags) { flags.log_level = "loud"; }, "--log_level=loud");
  refuses([](IcgFlags& flags) { flags.metrics = "yes"; }, "--metrics=yes");
  refuses([](IcgFlags& flags) { flags.bundle.clear(); }, "--bundle=");
}

}  // namespace
}  // namespace fairlead::gateway
