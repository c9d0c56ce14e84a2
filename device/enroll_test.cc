// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment against a small CA in memory: keys, requests, certificates, renewal, refusals; and the
// state folder after a crash at every step of every write.
#include "device/enroll.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_matchers.h"
#include "device/testing/fake_ca.h"
#include "device/testing/folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::device {
namespace {

using ::testing::HasSubstr;

StateDir OpenState(const Folder& folder) {
  auto state = StateDir::Open(folder.path());
  EXPECT_THAT(state, IsOk());
  return *std::move(state);
}

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
