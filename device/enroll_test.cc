// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment against a small CA in memory: keys, requests, certificates, renewal, refusals; and the
// state folder after a crash at every step of every write.
#include "device/enroll.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::HasSubstr;

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "/stateXXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_ + "/agent"; }

 private:
  std::string path_;
};

StateDir OpenState(const Folder& folder) {
  auto state = StateDir::Open(folder.path());
  EXPECT_THAT(state, IsOk());
  return *std::move(state);
}

// Issues certificates for requests, as an EST server does.
class FakeCa : public EstTransport {
 public:
  FakeCa() {
    key_pem_ = *MakeKey();
    key_.reset(PEM_read_bio_PrivateKey(
        bssl::UniquePtr<BIO>(BIO_new_mem_buf(key_pem_.data(), key_pem_.size())).get(), nullptr,
        nullptr, nullptr));
  }

  net::awaitable<absl::StatusOr<dataplane::HttpResponse>> Send(
      dataplane::HttpRequest request) override {
    requests_.push_back(request);
    dataplane::HttpResponse response;
    if (absl::EndsWith(request.path, "/cacerts")) {
      response.body = CertsOnly(key_.get());
    } else if (status_ != 200) {
      response.status = status_;
      response.body = "no\nway";
    } else {
      response.body = Answer(request.body);
    }
    if (lose_replies_ > 0 && !absl::EndsWith(request.path, "/cacerts")) {
      --lose_replies_;
      co_return absl::UnavailableError("lost half-way");
    }
    co_return response;
  }

  void RefuseWith(int status) { status_ = status; }
  void LoseReplies(int count) { lose_replies_ = count; }
  void IssueForAnotherKey() { wrong_key_ = true; }
  void Lifetime(absl::Duration before, absl::Duration after) {
    before_ = before;
    after_ = after;
  }
  const std::vector<dataplane::HttpRequest>& requests() const { return requests_; }

 private:
  std::string Answer(const std::string& body) {
    std::string der;
    EXPECT_TRUE(absl::Base64Unescape(body, &der));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(der.data());
    const bssl::UniquePtr<X509_REQ> csr(d2i_X509_REQ(nullptr, &bytes, der.size()));
    EXPECT_NE(csr, nullptr);
    const bssl::UniquePtr<EVP_PKEY> key(X509_REQ_get_pubkey(csr.get()));
    EXPECT_EQ(X509_REQ_verify(csr.get(), key.get()), 1);
    return CertsOnly(wrong_key_ ? key_.get() : key.get());
  }

  bssl::UniquePtr<X509> Issue(EVP_PKEY* subject_key) {
    bssl::UniquePtr<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    const auto now = static_cast<time_t>(absl::ToUnixSeconds(absl::Now()));
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now - absl::ToInt64Seconds(before_));
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now + absl::ToInt64Seconds(after_));
    X509_set_pubkey(certificate.get(), subject_key);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    return certificate;
  }

  // The certificate and two of the CA, in whatever order the encoding gives.
  std::string CertsOnly(EVP_PKEY* subject_key) {
    const bssl::UniquePtr<STACK_OF(X509)> list(sk_X509_new_null());
    sk_X509_push(list.get(), Issue(key_.get()).release());
    sk_X509_push(list.get(), Issue(subject_key).release());
    sk_X509_push(list.get(), Issue(key_.get()).release());
    bssl::ScopedCBB out;
    std::uint8_t* der = nullptr;
    std::size_t size = 0;
    EXPECT_TRUE(CBB_init(out.get(), 1024) && PKCS7_bundle_certificates(out.get(), list.get()) &&
                CBB_finish(out.get(), &der, &size));
    const bssl::UniquePtr<std::uint8_t> owned(der);
    const std::string base64 =
        absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(der), size));
    // As servers send it: lines of 64.
    std::string lines;
    for (std::size_t i = 0; i < base64.size(); i += 64) {
      absl::StrAppend(&lines, base64.substr(i, 64), "\r\n");
    }
    return lines;
  }

  std::string key_pem_;
  bssl::UniquePtr<EVP_PKEY> key_;
  int serial_ = 0;
  int status_ = 200;
  int lose_replies_ = 0;
  bool wrong_key_ = false;
  absl::Duration before_ = absl::Hours(1);
  absl::Duration after_ = absl::Hours(24 * 30);
  std::vector<dataplane::HttpRequest> requests_;
};

absl::Status Await(net::awaitable<absl::Status> task) {
  net::io_context context;
  absl::Status result = absl::InternalError("did not finish");
  net::co_spawn(context, std::move(task),
                [&result](std::exception_ptr, absl::Status status) { result = status; });
  context.run();
  return result;
}

TEST(Enroll, GetsACertificateForTheKeptKey) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  auto identity = Identity::Load(state, "00E0C514325B");
  ASSERT_THAT(identity, IsOk());
  EXPECT_FALSE(identity->enrolled());
  FakeCa ca;

  ASSERT_THAT(Await(Enroll(ca, *identity, state, "secret")), IsOk());

  EXPECT_TRUE(identity->enrolled());
  ASSERT_EQ(ca.requests().size(), 2u);
  EXPECT_EQ(ca.requests()[1].path, "/device-connector/device/.well-known/est/simpleenroll");
  EXPECT_EQ(dataplane::FindHeader(ca.requests()[1].headers, "authorization"),
            absl::StrCat("Basic ", absl::Base64Escape("00E0C514325B:secret")));
  EXPECT_EQ(dataplane::FindHeader(ca.requests()[1].headers, "content-type"), "application/pkcs10");

  const auto again = Identity::Load(state, "");
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->enrolled());
  EXPECT_EQ(again->key_pem(), identity->key_pem());
  EXPECT_EQ(again->unit_id(), "00E0C514325B");
}

TEST(Enroll, ARetryUsesTheSameKey) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  auto identity = Identity::Load(state, "unit");
  FakeCa ca;
  ca.LoseReplies(1);
  EXPECT_THAT(Await(Enroll(ca, *identity, state, "k")), StatusIs(absl::StatusCode::kUnavailable));
  auto restarted = Identity::Load(state, "unit");
  ASSERT_THAT(restarted, IsOk());
  EXPECT_EQ(restarted->key_pem(), identity->key_pem());
  EXPECT_THAT(Await(Enroll(ca, *restarted, state, "k")), IsOk());
}

TEST(Enroll, TellsRefusalsFromTroubles) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  auto identity = Identity::Load(state, "unit");
  FakeCa ca;
  for (const int status : {401, 403}) {
    ca.RefuseWith(status);
    EXPECT_THAT(Await(Enroll(ca, *identity, state, "k")),
                StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("enrolling as unit")));
  }
  for (const int status : {202, 400, 404, 429, 500, 503}) {
    ca.RefuseWith(status);
    EXPECT_THAT(Await(Enroll(ca, *identity, state, "k")),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr(std::to_string(status))));
  }
  ca.RefuseWith(200);
  ca.IssueForAnotherKey();
  EXPECT_THAT(Await(Enroll(ca, *identity, state, "k")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another key")));
  EXPECT_FALSE(identity->enrolled());
}

TEST(Renew, KeepsTheOldCertificateUntilTheNewOneWasUsed) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  auto identity = Identity::Load(state, "unit");
  FakeCa ca;
  ca.Lifetime(absl::Hours(20), absl::Hours(11));
  ASSERT_THAT(Await(Enroll(ca, *identity, state, "k")), IsOk());
  const std::string first = identity->chain_pem();
  EXPECT_FALSE(identity->expired(absl::Now()));
  EXPECT_TRUE(identity->expired(absl::Now() + absl::Hours(11)));
  EXPECT_GT(identity->renewal_time(), absl::Now());
  EXPECT_LT(identity->renewal_time(), absl::Now() + absl::Hours(1));

  ASSERT_THAT(Await(Renew(ca, *identity)), IsOk());
  EXPECT_EQ(ca.requests().back().path, "/device-connector/device/.well-known/est/simplereenroll");
  const std::string second = identity->chain_pem();
  EXPECT_NE(second, first);
  EXPECT_EQ(identity->renewal_time(), absl::InfiniteFuture());

  // The server does not take the new one: the old one is tried, then the new one again.
  identity->OnRefused();
  EXPECT_EQ(identity->chain_pem(), first);
  auto restarted = Identity::Load(state, "unit");
  EXPECT_EQ(restarted->chain_pem(), second);
  identity->OnRefused();
  EXPECT_EQ(identity->chain_pem(), second);

  ASSERT_THAT(identity->OnAccepted(), IsOk());
  identity->OnRefused();
  EXPECT_EQ(identity->chain_pem(), second);
  EXPECT_EQ(Identity::Load(state, "unit")->chain_pem(), second);
}

TEST(Identity, SaysWhyItsCertificateIsOfNoUse) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  auto identity = Identity::Load(state, "unit");
  EXPECT_EQ(identity->ValidityProblem(absl::Now()), "");
  FakeCa ca;
  ca.Lifetime(absl::Hours(20), absl::Hours(11));
  ASSERT_THAT(Await(Enroll(ca, *identity, state, "k")), IsOk());
  EXPECT_EQ(identity->ValidityProblem(absl::Now()), "");
  const absl::Time later = absl::FromUnixSeconds(4102444800);
  EXPECT_THAT(identity->ValidityProblem(later),
              testing::AllOf(HasSubstr("certificate expired on 20"), HasSubstr("--key_file"),
                             HasSubstr("clock says 2100-01-01 00:00:00 UTC")));
  EXPECT_THAT(identity->ValidityProblem(absl::UnixEpoch()),
              testing::AllOf(HasSubstr("is not valid before 20"), HasSubstr("correct the clock"),
                             HasSubstr("clock says 1970-01-01 00:00:00 UTC")));
}

TEST(Identity, RefusesAnotherDevicesFolder) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  ASSERT_THAT(Identity::Load(state, "one"), IsOk());
  EXPECT_THAT(Identity::Load(state, "two"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("--state_dir")));
}

TEST(Identity, DamagedCertificatesMeanEnrollingAgain) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  ASSERT_THAT(Identity::Load(state, "unit"), IsOk());
  ASSERT_THAT(state.Write("certificate.pem", "garbage"), IsOk());
  EXPECT_FALSE(Identity::Load(state, "unit")->enrolled());
  ASSERT_THAT(state.Write("device.key", "garbage"), IsOk());
  EXPECT_THAT(Identity::Load(state, "unit"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::AllOf(HasSubstr("device.key"), HasSubstr("--key_file"))));
}

TEST(StateDir, FilesAreForTheOwnerAlone) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  ASSERT_THAT(state.Write("a", "1"), IsOk());
  struct stat info;
  ASSERT_EQ(stat((folder.path() + "/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(stat(folder.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_THAT(state.Read("b"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(StateDir, IsForOneAgentAtATime) {
  const Folder folder;
  const StateDir state = OpenState(folder);
  EXPECT_THAT(StateDir::Open(folder.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another agent")));
}

int crash_at = 0;
void CrashAtStep(int step) {
  if (step == crash_at) _exit(42);
}

// Runs `work` in a process that ends at step `n`. False if it had fewer steps.
bool CrashAt(int n, const std::function<void()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    crash_at = n;
    StateDir::SetStepHookForTest(CrashAtStep);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

TEST(StateDir, ACrashAtAnyStepLeavesOldOrNew) {
  const Folder folder;
  int steps = 0;
  for (bool crashed = true; crashed; ++steps) {
    {
      const StateDir state = OpenState(folder);
      ASSERT_THAT(state.Write("file", "old contents"), IsOk());
    }
    crashed = CrashAt(steps, [&folder] {
      const StateDir state = OpenState(folder);
      (void)state.Write("file", "new contents");
    });
    const StateDir state = OpenState(folder);
    const std::string contents = state.Read("file").value_or("");
    EXPECT_TRUE(contents == "old contents" || contents == "new contents") << contents;
    EXPECT_TRUE(crashed || contents == "new contents");
  }
  EXPECT_GE(steps, 6);
}

TEST(Identity, ACrashAtAnyStepOfEnrolmentAndRenewalCanBeGoneOnFrom) {
  for (int step = 0;; ++step) {
    const Folder folder;
    FakeCa ca;
    const bool crashed = CrashAt(step, [&] {
      const StateDir state = OpenState(folder);
      auto identity = Identity::Load(state, "unit");
      (void)Await(Enroll(ca, *identity, state, "k"));
      (void)Await(Renew(ca, *identity));
      (void)identity->OnAccepted();
    });
    const StateDir state = OpenState(folder);
    auto identity = Identity::Load(state, "unit");
    ASSERT_THAT(identity, IsOk()) << step;
    if (!identity->enrolled()) {
      ASSERT_THAT(Await(Enroll(ca, *identity, state, "k")), IsOk()) << step;
    }
    EXPECT_THAT(InspectCertificate(identity->chain_pem(), identity->key_pem()), IsOk()) << step;
    if (!crashed) {
      EXPECT_GT(step, 25);
      break;
    }
  }
}

}  // namespace
}  // namespace fairlead::device
