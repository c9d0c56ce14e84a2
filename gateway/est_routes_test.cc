// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What of an enrolment request the edge checks itself, and how it answers.
#include "gateway/est_routes.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_matchers.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::gateway {
namespace {

using dataplane::FindHeader;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeForwarder : public EstForwarder {
 public:
  dataplane::net::awaitable<absl::StatusOr<v1::EstResponse>> Forward(
      v1::EstRequest request) override {
    requests.push_back(std::move(request));
    co_return answer;
  }
  std::vector<v1::EstRequest> requests;
  absl::StatusOr<v1::EstResponse> answer;
};

std::string Basic(const std::string& credentials) {
  return absl::StrCat("Basic ", absl::Base64Escape(credentials));
}

HttpRequest Enroll() {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/pkcs10"}, {"Authorization", Basic("a:key")}};
  request.body = "MIIB";
  request.peer.address = "192.0.2.1:4711";
  request.peer.host = "192.0.2.1";
  return request;
}

HttpRequest Reenroll(const std::string& uri) {
  HttpRequest request = Enroll();
  request.headers.pop_back();
  request.peer.certificate.emplace();
  request.peer.certificate->der = "DER";
  request.peer.certificate->fingerprint = "print";
  request.peer.certificate->uris = {uri};
  return request;
}

class EstRoutesTest : public ::testing::Test {
 protected:
  EstRoutesTest() {
    forwarder_.answer = v1::EstResponse();
    forwarder_.answer->set_http_status(200);
    forwarder_.answer->set_content_type("application/pkcs7-mime; smime-type=certs-only");
    forwarder_.answer->set_body("MIIC");
  }
  HttpResponse DoEnroll(HttpRequest request) {
    return Await(io_, routes_.SimpleEnroll(std::move(request)));
  }
  HttpResponse DoReenroll(HttpRequest request) {
    return Await(io_, routes_.SimpleReenroll(std::move(request)));
  }

  dataplane::net::io_context io_;
  FakeClock clock_;
  RecordingSink sink_;
  FakeForwarder forwarder_;
  DeviceHub hub_{sink_, clock_, DeviceHubOptions()};
  EstRoutes routes_{forwarder_, hub_, sink_, clock_, EstRoutesOptions()};
};

TEST(ParseBasic, ReadsUserAndPassword) {
  const auto credentials = ParseBasic(Basic("unit:key:with:colons"));
  ASSERT_THAT(credentials, IsOk());
  EXPECT_EQ(credentials->user, "unit");
  EXPECT_EQ(credentials->password, "key:with:colons");
  EXPECT_THAT(ParseBasic("basic dTprZXk="), IsOk());
}

TEST(ParseBasic, RefusesAllElse) {
  const std::string kBad[] = {"",
                              "Basic",
                              "Basic ",
                              "Basic !!!",
                              "Bearer x",
                              Basic("nocolon"),
                              Basic(":key"),
                              Basic("unit:"),
                              Basic("unit:k\ney"),
                              Basic(std::string(129, 'u') + ":key"),
                              Basic("unit:" + std::string(513, 'k'))};
  for (const std::string& bad : kBad) {
    EXPECT_THAT(ParseBasic(bad), StatusIs(absl::StatusCode::kUnauthenticated)) << bad;
  }
}

TEST_F(EstRoutesTest, ForwardsAnEnrolmentAndItsAnswer) {
  const HttpResponse response = DoEnroll(Enroll());

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "MIIC");
  EXPECT_EQ(FindHeader(response.headers, "Content-Type"),
            "application/pkcs7-mime; smime-type=certs-only");
  EXPECT_EQ(FindHeader(response.headers, "Content-Transfer-Encoding"), "base64");
  ASSERT_EQ(forwarder_.requests.size(), 1u);
  const v1::EstRequest& est = forwarder_.requests[0];
  EXPECT_EQ(est.operation(), v1::EstRequest::SIMPLEENROLL);
  EXPECT_EQ(est.unit_id(), "a");
  EXPECT_EQ(est.key(), "key");
  EXPECT_EQ(est.body(), "MIIB");
  EXPECT_EQ(est.peer_address(), "192.0.2.1:4711");
  EXPECT_THAT(est.client_certificate_der(), IsEmpty());
}

TEST_F(EstRoutesTest, ForwardsARenewalWithItsCertificate) {
  EXPECT_EQ(DoReenroll(Reenroll("urn:fairlead:device:a")).status, 200);

  ASSERT_EQ(forwarder_.requests.size(), 1u);
  EXPECT_EQ(forwarder_.requests[0].operation(), v1::EstRequest::SIMPLEREENROLL);
  EXPECT_EQ(forwarder_.requests[0].unit_id(), "a");
  EXPECT_EQ(forwarder_.requests[0].client_certificate_der(), "DER");
  EXPECT_THAT(forwarder_.requests[0].key(), IsEmpty());
}

TEST_F(EstRoutesTest, CaCertsNeedNothing) {
  HttpRequest request;
  request.method = "GET";
  EXPECT_EQ(Await(io_, routes_.CaCerts(request)).status, 200);
  EXPECT_EQ(forwarder_.requests[0].operation(), v1::EstRequest::CACERTS);
}

TEST_F(EstRoutesTest, ChecksMethodTypeBodyAndKey) {
  HttpRequest get = Enroll();
  get.method = "GET";
  const HttpResponse wrong_method = DoEnroll(get);
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(FindHeader(wrong_method.headers, "Allow"), "POST");

  HttpRequest type = Enroll();
  type.headers[0].second = "text/plain";
  EXPECT_EQ(DoEnroll(type).status, 415);
  type.headers[0].second = "Application/PKCS10 ; charset=x";
  EXPECT_EQ(DoEnroll(type).status, 200);

  HttpRequest empty = Enroll();
  empty.body.clear();
  EXPECT_EQ(DoEnroll(empty).status, 400);

  HttpRequest keyless = Enroll();
  keyless.headers.pop_back();
  const HttpResponse no_key = DoEnroll(keyless);
  EXPECT_EQ(no_key.status, 401);
  EXPECT_THAT(std::string(FindHeader(no_key.headers, "WWW-Authenticate")), HasSubstr("Basic"));
  ASSERT_EQ(sink_.refusals().size(), 1u);
  EXPECT_EQ(sink_.refusals()[0].action(), "device.enroll");
  EXPECT_EQ(forwarder_.requests.size(), 1u);
}

TEST_F(EstRoutesTest, ARenewalNeedsADevicesCertificateThatIsNotRevoked) {
  HttpRequest none = Enroll();
  EXPECT_EQ(DoReenroll(none).status, 401);
  EXPECT_EQ(DoReenroll(Reenroll("urn:fairlead:server:ums")).status, 403);
  hub_.Revoke({"print"});
  EXPECT_EQ(DoReenroll(Reenroll("urn:fairlead:device:a")).status, 403);
  EXPECT_EQ(sink_.refusals().size(), 3u);
  EXPECT_THAT(forwarder_.requests, IsEmpty());
}

TEST_F(EstRoutesTest, WithoutALinkItIsToBeTriedAgain) {
  forwarder_.answer = absl::UnavailableError("not linked");
  const HttpResponse response = DoEnroll(Enroll());
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(FindHeader(response.headers, "Retry-After"), "5");
  forwarder_.answer = absl::DeadlineExceededError("late");
  EXPECT_EQ(DoEnroll(Enroll()).status, 504);
}

TEST_F(EstRoutesTest, PassesTheServersRefusalOn) {
  forwarder_.answer->set_http_status(401);
  forwarder_.answer->set_content_type("application/json");
  forwarder_.answer->set_retry_after_seconds(7);
  const HttpResponse refused = DoEnroll(Enroll());
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(FindHeader(refused.headers, "Retry-After"), "7");
  EXPECT_FALSE(FindHeader(refused.headers, "WWW-Authenticate").empty());

  forwarder_.answer->set_http_status(7);
  EXPECT_EQ(DoEnroll(Enroll()).status, 500);
}

TEST_F(EstRoutesTest, OneAddressMayNotTryWithoutEnd) {
  forwarder_.answer->set_http_status(401);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(DoEnroll(Enroll()).status, 401);
  const HttpResponse limited = DoEnroll(Enroll());
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(FindHeader(limited.headers, "Retry-After"), "2");

  HttpRequest other = Enroll();
  other.peer.host = "192.0.2.2";
  EXPECT_EQ(DoEnroll(other).status, 401);
  clock_.Advance(absl::Milliseconds(1200));
  EXPECT_EQ(DoEnroll(Enroll()).status, 401);
  EXPECT_EQ(DoEnroll(Enroll()).status, 429);
}

TEST_F(EstRoutesTest, AFleetBehindOneAddressMayEnrol) {
  HttpRequest get;
  get.method = "GET";
  get.peer.host = Enroll().peer.host;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(Await(io_, routes_.CaCerts(get)).status, 200);
    ASSERT_EQ(DoEnroll(Enroll()).status, 200);
  }
}

TEST_F(EstRoutesTest, RenewalsCountEvenWhenTheySucceed) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(DoReenroll(Reenroll("urn:fairlead:device:a")).status, 200);
  EXPECT_EQ(DoReenroll(Reenroll("urn:fairlead:device:a")).status, 429);
}

}  // namespace
}  // namespace fairlead::gateway
