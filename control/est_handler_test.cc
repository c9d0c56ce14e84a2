// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// EST from the device's view: keys are consumed once whatever happens, retries are harmless,
// refusals tell little and are audited.
#include "control/est_handler.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "control/proto_time.h"
#include "control/sha256.h"
#include "control/sqlite_store.h"
#include "control/testing/csr.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

using ::testing::HasSubstr;
using Key = v1::FirstAuthenticationKey;

constexpr char kSecret[] = "a-secret-of-sixteen";

class CountingObserver : public EnrollmentObserver {
 public:
  void OnEnrolled(const v1::Device& device) override {
    last_ = device;
    ++count_;
  }
  void OnRevoked(const std::string& unit_id, const std::vector<std::string>& list) override {
    EXPECT_EQ(unit_id, "A");
    revoked_ = list;
  }
  v1::Device last_;
  std::vector<std::string> revoked_;
  std::atomic<int> count_{0};
};

class EstHandlerTest : public ::testing::Test {
 protected:
  void AddKey(Key::Type type, const std::string& secret = kSecret,
              const std::vector<std::string>& unit_ids = {}) {
    KeyRecord record;
    record.sha256 = Sha256(secret);
    record.key.set_name(absl::StrCat("firstAuthenticationKeys/", secret));
    record.key.set_type(type);
    for (const std::string& unit_id : unit_ids) record.key.add_unit_ids(unit_id);
    ASSERT_THAT(store_->InsertKey(record), IsOk());
  }
  Key KeyOf(const std::string& secret = kSecret) {
    return store_->FindKeyBySecret(Sha256(secret))->key;
  }

  v1::EstRequest Request(const std::string& unit_id, EVP_PKEY* pair,
                         const std::string& secret = kSecret) {
    v1::EstRequest request;
    request.set_request_id(7);
    request.set_operation(v1::EstRequest::SIMPLEENROLL);
    request.set_unit_id(unit_id);
    request.set_key(secret);
    request.set_body(absl::Base64Escape(CsrForTest(pair, unit_id)));
    request.set_peer_address("192.0.2.1:4711");
    return request;
  }
  v1::EstResponse Enroll(const std::string& unit_id, EVP_PKEY* pair,
                         const std::string& secret = kSecret) {
    return handler_.Handle(Request(unit_id, pair, secret));
  }
  v1::EstResponse Renew(const std::string& der, EVP_PKEY* pair, const std::string& name) {
    v1::EstRequest request;
    request.set_operation(v1::EstRequest::SIMPLEREENROLL);
    request.set_client_certificate_der(der);
    request.set_body(absl::Base64Escape(CsrForTest(pair, name)));
    return handler_.Handle(request);
  }
  // The device's certificate in an answer.
  std::string Leaf(const v1::EstResponse& response) {
    EXPECT_EQ(response.http_status(), 200u) << response.body();
    for (const std::string& der : CertificatesInBody(response.body())) {
      if (authority_->CheckDeviceCertificate(der).ok()) return der;
    }
    ADD_FAILURE() << "no device certificate in the answer";
    return std::string();
  }
  v1::AuditEvent LastEvent() {
    std::string token;
    const auto any = [](const v1::AuditEvent&) { return true; };
    const auto events = store_->ListAuditEvents({1, ""}, any, &token).value();
    return events.empty() ? v1::AuditEvent() : events[0];
  }

  FakeClock clock_;
  std::unique_ptr<SqliteStore> store_ = SqliteStore::Open(":memory:").value();
  std::unique_ptr<CertificateAuthority> authority_ =
      CertificateAuthority::CreateInMemory(clock_).value();
  AuditLog audit_{*store_, clock_};
  CountingObserver observer_;
  DeviceDirectory directory_{*store_, clock_};
  StoreEstHandler handler_{*store_, *authority_, directory_, audit_, clock_, &observer_};
  const bssl::UniquePtr<EVP_PKEY> pair_ = EcKeyForTest();
  const bssl::UniquePtr<EVP_PKEY> other_pair_ = EcKeyForTest();
};

TEST_F(EstHandlerTest, ARequestForAnotherNameIsRefusedAndLeavesTheKeyAlone) {
  AddKey(Key::ONE_TIME);
  v1::EstRequest request = Request("A", pair_.get());
  request.set_body(absl::Base64Escape(CsrForTest(pair_.get(), "B")));

  const v1::EstResponse refused = handler_.Handle(request);

  EXPECT_EQ(refused.http_status(), 409u);
  EXPECT_THAT(refused.body(), HasSubstr("common name"));
  EXPECT_EQ(KeyOf().use_count(), 0u);
  request.set_body(absl::Base64Escape(CsrForTest(pair_.get(), "")));
  Leaf(handler_.Handle(request));
}

TEST_F(EstHandlerTest, GivesTheCaCertificate) {
  v1::EstRequest request;
  request.set_request_id(3);
  request.set_operation(v1::EstRequest::CACERTS);

  const v1::EstResponse response = handler_.Handle(request);

  EXPECT_EQ(response.request_id(), 3u);
  EXPECT_EQ(response.http_status(), 200u);
  EXPECT_EQ(response.content_type(), "application/pkcs7-mime; smime-type=certs-only");
  const auto root = CertificateFromPem(authority_->certificate_pem()).value();
  EXPECT_THAT(CertificatesInBody(response.body()),
              ::testing::ElementsAre(CertificateToDer(root.get())));
}

TEST_F(EstHandlerTest, EnrolsADeviceAndRecordsIt) {
  AddKey(Key::ONE_TIME);

  const v1::EstResponse response = Enroll("00E0C514325B", pair_.get());

  EXPECT_EQ(response.request_id(), 7u);
  const std::string der = Leaf(response);
  EXPECT_EQ(authority_->CheckDeviceCertificate(der).value(), "00E0C514325B");
  EXPECT_EQ(KeyOf().use_count(), 1u);
  EXPECT_EQ(KeyOf().used_by_unit_ids(0), "00E0C514325B");
  const v1::Device device = store_->GetDevice("00E0C514325B").value();
  EXPECT_EQ(device.name(), "devices/00E0C514325B");
  EXPECT_TRUE(device.terminal().enabled());
  EXPECT_EQ(FromTimestamp(device.certificate_expire_time()), clock_.Now() + kLeafValidity);
  EXPECT_EQ(store_->CertificatesOf("00E0C514325B")->at(0).der, der);
  EXPECT_EQ(observer_.count_, 1);
  EXPECT_EQ(observer_.last_.unit_id(), "00E0C514325B");
  EXPECT_THAT(directory_.Get("00E0C514325B"), IsOk());
  EXPECT_EQ(LastEvent().actor(), "devices/00E0C514325B");
  EXPECT_EQ(LastEvent().action(), "device.enroll");
  EXPECT_EQ(LastEvent().outcome(), v1::AuditEvent::SUCCEEDED);
  EXPECT_EQ(LastEvent().peer_address(), "192.0.2.1:4711");
}

TEST_F(EstHandlerTest, ARetryGetsTheSameCertificate) {
  AddKey(Key::ONE_TIME);

  const std::string first = Leaf(Enroll("A", pair_.get()));
  const std::string second = Leaf(Enroll("A", pair_.get()));

  EXPECT_EQ(first, second);
  EXPECT_EQ(KeyOf().use_count(), 1u);
  EXPECT_EQ(store_->CertificatesOf("A")->size(), 1u);
  EXPECT_EQ(observer_.count_, 1);
}

TEST_F(EstHandlerTest, AUsedKeyIsRefusedWithoutDetails) {
  AddKey(Key::ONE_TIME);
  Leaf(Enroll("A", pair_.get()));

  const v1::EstResponse response = Enroll("B", other_pair_.get());

  EXPECT_EQ(response.http_status(), 401u);
  EXPECT_THAT(response.body(), HasSubstr("not valid for this device"));
  EXPECT_THAT(response.body(), HasSubstr("administrator"));
  EXPECT_EQ(response.body(), Enroll("B", other_pair_.get(), "no-such-key-at-all").body());
  EXPECT_EQ(LastEvent().actor(), "anonymous");
  EXPECT_EQ(LastEvent().outcome(), v1::AuditEvent::REFUSED);
  EXPECT_THAT(LastEvent().detail(), HasSubstr("no such key"));
  EXPECT_THAT(store_->GetDevice("B"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(EstHandlerTest, WithdrawnKeysHaveAuditDetailsOfTheirOwn) {
  AddKey(Key::MASS_DEPLOYMENT, "disabled-key-disabled");
  KeyRecord record = store_->FindKeyBySecret(Sha256("disabled-key-disabled")).value();
  record.key.set_disabled(true);
  ASSERT_THAT(store_->UpdateKey(record), IsOk());
  AddKey(Key::MASS_DEPLOYMENT, "expired-key-expired");
  record = store_->FindKeyBySecret(Sha256("expired-key-expired")).value();
  *record.key.mutable_expire_time() = ToTimestamp(clock_.Now());
  ASSERT_THAT(store_->UpdateKey(record), IsOk());

  const std::string disabled = Enroll("A", pair_.get(), "disabled-key-disabled").body();
  EXPECT_THAT(LastEvent().detail(), HasSubstr("disabled"));
  const std::string expired = Enroll("A", pair_.get(), "expired-key-expired").body();
  EXPECT_THAT(LastEvent().detail(), HasSubstr("expired"));

  EXPECT_EQ(disabled, expired);
}

TEST_F(EstHandlerTest, OneTimeKeysAreConsumedOnceByThirtyTwoThreads) {
  AddKey(Key::ONE_TIME);
  std::atomic<int> issued{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&, i] {
      const auto pair = EcKeyForTest();
      if (Enroll(absl::StrCat("U", i), pair.get()).http_status() == 200) ++issued;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(issued, 1);
  EXPECT_EQ(KeyOf().use_count(), 1u);
  EXPECT_EQ(store_->AllDevices()->size(), 1u);
}

TEST_F(EstHandlerTest, TheSameDeviceInManyThreadsGetsOneCertificate) {
  AddKey(Key::ONE_TIME_BOUND, kSecret, {"A"});
  const v1::EstRequest request = Request("A", pair_.get());
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(handler_.Handle(request).http_status(), 200u); });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(store_->CertificatesOf("A")->size(), 1u);
  EXPECT_EQ(KeyOf().use_count(), 1u);
}

TEST_F(EstHandlerTest, BoundKeysServeEachListedDeviceOnce) {
  AddKey(Key::ONE_TIME_BOUND, kSecret, {"A", "B"});

  EXPECT_EQ(Enroll("A", pair_.get()).http_status(), 200u);
  EXPECT_EQ(Enroll("B", other_pair_.get()).http_status(), 200u);
  EXPECT_EQ(Enroll("C", pair_.get()).http_status(), 401u);
  EXPECT_EQ(Enroll("A", other_pair_.get()).http_status(), 401u);
  EXPECT_EQ(KeyOf().use_count(), 2u);
}

TEST_F(EstHandlerTest, AResetDeviceLosesItsOldCertificates) {
  AddKey(Key::ONE_TIME, "first-key-first-key");
  AddKey(Key::ONE_TIME, "second-key-second-key");
  const std::string old = Leaf(Enroll("A", pair_.get(), "first-key-first-key"));

  const std::string fresh = Leaf(Enroll("A", other_pair_.get(), "second-key-second-key"));

  EXPECT_EQ(store_->RevokedFingerprints(clock_.Now()).value(),
            std::vector<std::string>{Sha256(old)});
  EXPECT_EQ(observer_.revoked_, std::vector<std::string>{Sha256(old)});
  EXPECT_THAT(LastEvent().detail(), HasSubstr("revoked"));
  EXPECT_EQ(Renew(old, pair_.get(), "A").http_status(), 403u);
  EXPECT_EQ(Renew(fresh, other_pair_.get(), "A").http_status(), 200u);
}

TEST_F(EstHandlerTest, ADeletedDeviceCannotReturnWithItsMassKey) {
  AddKey(Key::MASS_DEPLOYMENT);
  const std::string der = Leaf(Enroll("A", pair_.get()));
  ASSERT_THAT(store_->RevokeCertificatesOf("A"), IsOk());
  ASSERT_THAT(store_->DeleteDevice("A"), IsOk());

  EXPECT_EQ(Enroll("A", pair_.get()).http_status(), 401u);
  EXPECT_EQ(Enroll("A", other_pair_.get()).http_status(), 401u);
  EXPECT_EQ(Renew(der, pair_.get(), "A").http_status(), 403u);
  EXPECT_EQ(KeyOf().use_count(), 1u);
}

TEST_F(EstHandlerTest, KeepsWhatTheDirectoryKnows) {
  AddKey(Key::ONE_TIME);
  v1::Device device;
  device.set_name("devices/A");
  device.set_unit_id("A");
  device.set_display_name("Reception");
  device.mutable_terminal()->set_enabled(false);
  ASSERT_THAT(store_->PutDevice(device), IsOk());

  Leaf(Enroll("A", pair_.get()));

  EXPECT_EQ(store_->GetDevice("A")->display_name(), "Reception");
  EXPECT_FALSE(store_->GetDevice("A")->terminal().enabled());
}

TEST_F(EstHandlerTest, RenewsWithThePresentCertificate) {
  AddKey(Key::ONE_TIME);
  const std::string old = Leaf(Enroll("A", pair_.get()));
  clock_.Advance(absl::Hours(24 * 300));

  const std::string fresh = Leaf(Renew(old, other_pair_.get(), "A"));

  EXPECT_EQ(LastEvent().action(), "device.renew");
  EXPECT_EQ(LastEvent().actor(), "devices/A");
  EXPECT_EQ(Leaf(Renew(old, other_pair_.get(), "A")), fresh) << "the answer was lost";
  EXPECT_EQ(FromTimestamp(store_->GetDevice("A")->certificate_expire_time()),
            clock_.Now() + kLeafValidity);
  EXPECT_TRUE(store_->RevokedFingerprints(clock_.Now())->empty())
      << "the old one is good until the new one is in use";
}

TEST_F(EstHandlerTest, RefusesRenewalWithoutAGoodCertificate) {
  AddKey(Key::ONE_TIME);
  const std::string old = Leaf(Enroll("A", pair_.get()));
  const auto stranger = CertificateAuthority::CreateInMemory(clock_).value();
  const std::string foreign = stranger->IssueDeviceCertificate("A", pair_.get())->der;
  const std::string unrecorded = authority_->IssueDeviceCertificate("A", pair_.get())->der;

  EXPECT_EQ(Renew("", pair_.get(), "A").http_status(), 401u);
  EXPECT_EQ(Renew("nonsense", pair_.get(), "A").http_status(), 403u);
  EXPECT_EQ(Renew(foreign, pair_.get(), "A").http_status(), 403u);
  EXPECT_EQ(LastEvent().actor(), "anonymous");
  EXPECT_EQ(Renew(unrecorded, pair_.get(), "A").http_status(), 403u);
  EXPECT_EQ(LastEvent().actor(), "devices/A");
  EXPECT_EQ(LastEvent().outcome(), v1::AuditEvent::REFUSED);
  EXPECT_EQ(Renew(old, pair_.get(), "B").http_status(), 409u);
  clock_.Advance(kLeafValidity + absl::Seconds(1));
  EXPECT_EQ(Renew(old, pair_.get(), "A").http_status(), 403u);
}

TEST_F(EstHandlerTest, ARenewalOfAnotherUnitIsRefused) {
  AddKey(Key::ONE_TIME);
  v1::EstRequest request;
  request.set_operation(v1::EstRequest::SIMPLEREENROLL);
  request.set_client_certificate_der(Leaf(Enroll("A", pair_.get())));
  request.set_unit_id("B");
  request.set_body(absl::Base64Escape(CsrForTest(pair_.get(), "")));

  EXPECT_EQ(handler_.Handle(request).http_status(), 403u);
}

TEST_F(EstHandlerTest, BadRequestsSayWhatIsWrong) {
  AddKey(Key::ONE_TIME);
  const v1::EstRequest good = Request("A", pair_.get());
  const auto answer = [&](auto change) {
    v1::EstRequest request = good;
    change(request);
    const v1::EstResponse response = handler_.Handle(request);
    EXPECT_EQ(response.content_type(), "text/plain; charset=utf-8");
    return absl::StrCat(response.http_status(), " ", response.body());
  };

  EXPECT_THAT(answer([](auto& r) { r.clear_unit_id(); }), HasSubstr("401 Enrolment needs HTTP"));
  EXPECT_THAT(answer([](auto& r) { r.clear_key(); }), HasSubstr("401 Enrolment needs HTTP"));
  EXPECT_THAT(answer([](auto& r) { r.set_unit_id("a/b"); }), HasSubstr("400 The unit ID"));
  EXPECT_THAT(answer([](auto& r) { r.set_body("!"); }), HasSubstr("400 The body is not base64"));
  EXPECT_THAT(answer([](auto& r) { r.set_body(""); }), HasSubstr("400 The body is not base64"));
  EXPECT_THAT(answer([](auto& r) { r.set_body("AAAA"); }), HasSubstr("400 The body is not a PKCS"));
  EXPECT_THAT(answer([](auto& r) { r.set_body(std::string(65537, 'A')); }),
              HasSubstr("400 The request has more than 64 KiB"));
  EXPECT_THAT(answer([](auto& r) { r.clear_operation(); }), HasSubstr("400 Unknown enrolment"));
  EXPECT_EQ(KeyOf().use_count(), 0u);
  EXPECT_EQ(handler_.Handle(good).http_status(), 200u) << "none of it consumed the key";
}

TEST_F(EstHandlerTest, GuessingIsSlowedDownForTheGuesserAlone) {
  AddKey(Key::ONE_TIME);
  v1::EstResponse response;
  for (int i = 0; i < 6; ++i) response = Enroll("A", pair_.get(), "wrong-key-wrong-key");

  EXPECT_EQ(response.http_status(), 503u);
  EXPECT_EQ(response.retry_after_seconds(), 1u);
  EXPECT_EQ(Enroll("A", pair_.get()).http_status(), 503u);
  EXPECT_EQ(Enroll("B", pair_.get()).http_status(), 200u);
}

}  // namespace
}  // namespace fairlead::control
