// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// End to end with real processes: each kind of process killed at each step of each flow. The steps
// of all flows stand side by side in one fleet, so that one death hits each of them, and what must
// hold afterwards is waited for once.
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster.h"
#include "tests/support/descriptors.h"
#include "tests/support/flow.h"
#include "tests/support/terminals.h"

namespace fairlead::tests {
namespace {

// One device for each step of each flow.
struct Place {
  Flow flow;
  Step step;
  std::string unit_id;
};

class Failures : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* scheme : {"grpcs", "wss"}) {
      cluster_.StartIcg(absl::StrCat("icg-", scheme), {.scheme = scheme});
    }
    for (const Flow& flow : AllFlows()) {
      for (const Step step : kSteps) {
        places_.push_back({flow, step, absl::StrCat("00E0C50000", 10 + places_.size())});
        cluster_.LaunchDevice(places_.back().unit_id, flow.device());
      }
    }
    AwaitAll("ONLINE");
    for (const Place& place : places_) ExpectNextSessionWorks(cluster_, place.unit_id);
    ExpectNoSessions(cluster_);
    before_ = OpenDescriptors(Servers());
  }

  void OpenAll() {
    opened_.clear();
    for (const Place& place : places_) {
      opened_.push_back(OpenUpTo(cluster_, place.unit_id, place.step));
    }
  }

  void AwaitAll(const std::string& state, absl::Duration limit = kPresence) {
    for (const Place& place : places_) {
      EXPECT_TRUE(cluster_.AwaitDevice(place.unit_id, state, limit))
          << place.flow.Label() << " is not " << state;
    }
  }

  void ExpectAllWorks() {
    AwaitAll("ONLINE", kReturn);
    for (const Place& place : places_) {
      SCOPED_TRACE(place.flow.Label());
      ExpectNextSessionWorks(cluster_, place.unit_id);
    }
    ExpectNoSessions(cluster_);
    // Each device has one connection again, each ICG its link, and the rest is as it was.
    ExpectDescriptors(Servers(), before_);
  }

  std::string CauseOf(const Opened& opened) {
    return cluster_.GetSession(opened.session["name"]).value("/end/cause"_json_pointer, "");
  }

  std::map<std::string, Process*> Servers() {
    return {{"server", &cluster_.server()},
            {"icg-grpcs", cluster_.icg("icg-grpcs").process.get()},
            {"icg-wss", cluster_.icg("icg-wss").process.get()}};
  }

  Cluster cluster_;
  std::vector<Place> places_;
  // By place.
  std::vector<Opened> opened_;
  // What server and ICGs had open together: a device that comes back may go to another of them.
  int before_ = 0;
};

TEST_F(Failures, R05DevicesKilledAtEachStepOfEachFlow) {
  OpenAll();
  for (const Place& place : places_) cluster_.KillDevice(place.unit_id);

  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    ExpectShellEnds(opened_[i].shell);
    if (opened_[i].leg == nullptr) continue;
    opened_[i].leg->ReadToEnd();
    // A dead process closes its Telnet stream as one that has ended does.
    const bool telnet = places_[i].flow.name == "OS11_DIRECT";
    EXPECT_THAT(opened_[i].leg->close().code, ::testing::AnyOf(4502, telnet ? 1000 : 4502))
        << opened_[i].leg->close().text;
  }
  AwaitAll("OFFLINE");
  ExpectNoSessions(cluster_);
  for (const Place& place : places_) cluster_.LaunchDevice(place.unit_id, place.flow.device());
  ExpectAllWorks();
}

TEST_F(Failures, R26ConsolesKilledAtEachStepOfEachFlow) {
  std::map<std::string, int> devices;
  for (const Place& place : places_) {
    devices[place.unit_id] = OpenDescriptors(cluster_.device(place.unit_id).pid());
  }
  OpenAll();
  for (Opened& opened : opened_) {
    if (opened.leg != nullptr) opened.leg->Cut();
  }

  // A Console that never came is waited for until the pairing time ends.
  ExpectNoSessions(cluster_, absl::Seconds(45));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    ExpectShellEnds(opened_[i].shell);
    EXPECT_EQ(CauseOf(opened_[i]), opened_[i].leg == nullptr ? "NEVER_ATTACHED" : "CONSOLE_LOST");
  }
  opened_.clear();
  ExpectAllWorks();
  for (const Place& place : places_) {
    SCOPED_TRACE(place.flow.Label());
    ExpectDescriptors({{place.unit_id, &cluster_.device(place.unit_id)}}, devices[place.unit_id]);
  }
}

TEST_F(Failures, ServerKilledAtEachStepOfEachFlow) {
  OpenAll();
  cluster_.KillServer();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    if (places_[i].flow.over_icg()) continue;
    ExpectShellEnds(opened_[i].shell);
    if (opened_[i].leg != nullptr) opened_[i].leg->ReadToEnd();
    opened_[i].leg.reset();
  }
  // Over an ICG tunnels outlast the server.
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    if (!places_[i].flow.over_icg() || places_[i].step != Step::kFlowing) continue;
    ASSERT_TRUE(opened_[i].leg->Send("echo with''out-server\n").ok());
    EXPECT_TRUE(opened_[i].leg->ReadUntil("without-server"));
  }
  cluster_.StartServer();

  AwaitAll("ONLINE");
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    if (!places_[i].flow.over_icg()) {
      EXPECT_EQ(CauseOf(opened_[i]), "SERVER_STOPPED");
      continue;
    }
    if (places_[i].step != Step::kFlowing) continue;
    // The restarted server knows the session, and its end.
    EXPECT_EQ(cluster_.GetSession(opened_[i].session["name"]).value("state", ""), "ACTIVE");
    ASSERT_TRUE(opened_[i].leg->Send("exit\n").ok());
    opened_[i].leg->ReadToEnd();
    EXPECT_EQ(opened_[i].leg->close().code, 1000) << opened_[i].leg->close().text;
    const nlohmann::json ended = cluster_.AwaitSession(opened_[i].session["name"], "ENDED");
    EXPECT_EQ(ended["end"].value("cause", ""), "PROGRAM_ENDED");
    EXPECT_TRUE(IsTimelineOf(places_[i].flow, Steps(ended))) << ended["timeline"];
  }
  for (Opened& opened : opened_) {
    if (opened.leg != nullptr) opened.leg->Cut();
  }
  ExpectNoSessions(cluster_, absl::Seconds(45));
  for (const Opened& opened : opened_) ExpectShellEnds(opened.shell);
  opened_.clear();
  ExpectAllWorks();
}

TEST_F(Failures, IcgsKilledAtEachStepOfTheirFlows) {
  OpenAll();
  for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.KillIcg(icg);

  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    if (!places_[i].flow.over_icg()) continue;
    // OFFLINE, or gone to the server, which OS 12 devices know as their next connector.
    EXPECT_TRUE(Eventually(kPresence, [&] {
      const std::string path = absl::StrCat("/api/v1/devices/", places_[i].unit_id);
      return cluster_.api().Call("GET", path).body["connection"].value("via", "") != "ICG";
    }));
    if (opened_[i].leg != nullptr) opened_[i].leg->ReadToEnd();
    ExpectShellEnds(opened_[i].shell);
  }
  EXPECT_TRUE(cluster_.AwaitIcg("icg-grpcs", "DISCONNECTED", kPresence));
  // Only the direct sessions that have a Console, or wait for one, are left.
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    if (!places_[i].flow.over_icg()) {
      if (places_[i].step != Step::kFlowing) continue;
      ASSERT_TRUE(opened_[i].leg->Send("echo un''touched\n").ok());
      EXPECT_TRUE(opened_[i].leg->ReadUntil("untouched"));
      continue;
    }
    const nlohmann::json ended =
        cluster_.AwaitSession(opened_[i].session["name"], "ENDED", kPresence);
    EXPECT_EQ(ended["end"].value("cause", ""), "EDGE_LOST") << ended;
  }
  for (const char* icg : {"icg-grpcs", "icg-wss"}) cluster_.StartIcg(icg);
  for (Opened& opened : opened_) {
    if (opened.leg != nullptr) opened.leg->Cut();
  }
  opened_.clear();
  ExpectNoSessions(cluster_, absl::Seconds(45));
  ExpectAllWorks();
}

TEST_F(Failures, EverythingStopsCleanlyWhileTerminalsRun) {
  OpenAll();
  const auto await = [](Process& process) {
    const auto status = process.Wait(absl::Seconds(30));
    ASSERT_TRUE(status.has_value()) << "does not stop";
    EXPECT_TRUE(status->exited);
    EXPECT_EQ(status->value, 0);
  };
  for (const auto& [name, process] : Servers()) process->Signal(SIGTERM);
  // Those that read are told why.
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    if (opened_[i].leg == nullptr || places_[i].step == Step::kFlooding) continue;
    opened_[i].leg->ReadToEnd();
    EXPECT_EQ(opened_[i].leg->close().code, 4503) << opened_[i].leg->close().text;
  }
  for (const auto& [name, process] : Servers()) {
    SCOPED_TRACE(name);
    await(*process);
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(places_[i].flow.Label(), " step ", static_cast<int>(places_[i].step)));
    ExpectShellEnds(opened_[i].shell);
    cluster_.device(places_[i].unit_id).Signal(SIGTERM);
    await(cluster_.device(places_[i].unit_id));
  }
}

TEST_F(Failures, CertificatesAreReadAgainWhileTerminalsRun) {
  OpenAll();
  for (const auto& [name, process] : Servers()) process->Signal(SIGHUP);
  for (const auto& [name, process] : Servers()) {
    EXPECT_TRUE(Eventually(kCleanUp, [&, log = name] {
      return absl::StrContains(cluster_.Log(log), "read again");
    })) << name;
  }

  for (std::size_t i = 0; i < places_.size(); ++i) {
    SCOPED_TRACE(places_[i].flow.Label());
    if (places_[i].step != Step::kFlowing) continue;
    ASSERT_TRUE(opened_[i].leg->Send("echo still''-here\n").ok());
    EXPECT_TRUE(opened_[i].leg->ReadUntil("still-here"));
  }
}

}  // namespace
}  // namespace fairlead::tests
