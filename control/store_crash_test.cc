// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// SIGKILL at any moment: a child enrols devices and appends audit events until it is killed; what
// it leaves must open, be sound, and hold every enrolment whole or not at all.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_matchers.h"
#include "control/device_directory.h"
#include "control/est_handler.h"
#include "control/sha256.h"
#include "control/sqlite_store.h"
#include "control/testing/csr.h"
#include "gtest/gtest.h"

namespace fairlead::control {
namespace {

constexpr int kRounds = 60;
constexpr int kMaxStepsBeforeKill = 12;
constexpr int kMaxSpins = 200'000;

std::string UnitId(int round, int step) { return absl::StrCat("R", round, "-", step); }
std::string Secret(int round, int step) { return absl::StrCat("secret-of-", UnitId(round, step)); }

// Works until killed, and reports each finished enrolment by a byte on `progress`.
[[noreturn]] void Child(const std::string& folder, int round, int progress) {
  auto store = SqliteStore::Open(folder + "/store.db");
  auto authority = CertificateAuthority::OpenOrCreate(folder, SystemClock());
  if (!store.ok() || !authority.ok()) _exit(3);
  AuditLog audit(**store, SystemClock());
  DeviceDirectory directory(**store, SystemClock());
  StoreEstHandler handler(**store, **authority, directory, audit, SystemClock(), nullptr);
  const auto pair = EcKeyForTest();
  for (int step = 0;; ++step) {
    KeyRecord key;
    key.sha256 = Sha256(Secret(round, step));
    key.key.set_name(absl::StrCat("firstAuthenticationKeys/", UnitId(round, step)));
    key.key.set_type(v1::FirstAuthenticationKey::ONE_TIME);
    if (!(*store)->InsertKey(key).ok()) _exit(4);
    v1::EstRequest request;
    request.set_operation(v1::EstRequest::SIMPLEENROLL);
    request.set_unit_id(UnitId(round, step));
    request.set_key(Secret(round, step));
    request.set_body(absl::Base64Escape(CsrForTest(pair.get(), "")));
    if (handler.Handle(request).http_status() != 200) _exit(5);
    if (write(progress, "x", 1) != 1) _exit(6);
  }
}

// Runs a child, lets it finish `steps` enrolments, spins `spins` times, and kills it.
void RunAndKill(const std::string& folder, int round, int steps, int spins) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(pipe_fds[0]);
    Child(folder, round, pipe_fds[1]);
  }
  close(pipe_fds[1]);
  char byte;
  for (int i = 0; i < steps; ++i) {
    if (read(pipe_fds[0], &byte, 1) != 1) break;
  }
  std::atomic<int> spun{0};
  while (spun < spins) ++spun;
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child gave up by itself: " << WEXITSTATUS(status);
  close(pipe_fds[0]);
}

// Each key was used if and only if its device has a certificate, an entry and an audit event.
void CheckStore(SqliteStore& store) {
  ASSERT_THAT(store.CheckIntegrity(), IsOk());
  std::set<std::string> enrolled_events;
  std::string token;
  int number = 0;
  const auto any = [](const v1::AuditEvent&) { return true; };
  do {
    const auto page = store.ListAuditEvents({1000, token}, any, &token).value();
    for (const v1::AuditEvent& event : page) {
      if (number == 0) number = std::stoi(event.name().substr(sizeof("auditEvents/") - 1)) + 1;
      ASSERT_EQ(event.name(), absl::StrCat("auditEvents/", --number));
      enrolled_events.insert(event.resource());
    }
  } while (!token.empty());
  EXPECT_LE(number, 1) << "events from the first one on";
  std::size_t used = 0;
  do {
    const auto page = store.ListKeys({1000, token}, &token).value();
    for (const KeyRecord& key : page) {
      const std::string unit_id = key.key.name().substr(sizeof("firstAuthenticationKeys/") - 1);
      const bool consumed = key.key.use_count() == 1;
      used += consumed ? 1 : 0;
      EXPECT_EQ(store.CertificatesOf(unit_id)->size(), consumed ? 1u : 0u) << unit_id;
      EXPECT_EQ(store.GetDevice(unit_id).ok(), consumed) << unit_id;
      EXPECT_EQ(enrolled_events.count("devices/" + unit_id), consumed ? 1u : 0u) << unit_id;
    }
  } while (!token.empty());
  EXPECT_EQ(used, enrolled_events.size());
}

TEST(StoreCrash, R19AKilledServerLeavesEverythingWholeOrUndone) {
  std::string folder = absl::StrCat(::testing::TempDir(), "/crash-XXXXXX");
  ASSERT_NE(mkdtemp(&folder[0]), nullptr);
  std::mt19937 random(20'260'101);
  int finished = 0;
  for (int round = 0; round < kRounds; ++round) {
    const int steps = static_cast<int>(random() % kMaxStepsBeforeKill);
    finished += steps;
    RunAndKill(folder, round, steps, static_cast<int>(random() % kMaxSpins));
    const auto store = SqliteStore::Open(folder + "/store.db").value();
    CheckStore(*store);
    // What the child was told is done, is done.
    for (int step = 0; step < steps; ++step) {
      EXPECT_EQ(store->CertificatesOf(UnitId(round, step))->size(), 1u);
    }
  }
  EXPECT_GT(finished, kRounds);
}

}  // namespace
}  // namespace fairlead::control
