// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Measures how long a terminal takes to open on loopback through all real processes: from asking
// for a session to the first byte of the prompt, over each flow, and for the direct one its parts.
// The flows take turns. Prints tables and, with --json, JSON. Not a test: the figures are for
// docs/performance.md.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "dataplane/tls_stream.h"
#include "nlohmann/json.hpp"
#include "tests/support/blocking.h"
#include "tests/support/cluster.h"
#include "tests/support/flow.h"

ABSL_FLAG(int, runs, 200, "How many terminals are opened over each flow.");
ABSL_FLAG(bool, json, false, "Print JSON in place of a table.");

namespace fairlead::bench {
namespace {

constexpr char kDevice[] = "Os12Direct";

// Milliseconds by name of the part, one a run.
using Samples = std::map<std::string, std::vector<double>>;

double Milliseconds(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

absl::Time TimeOf(const nlohmann::json& session, const std::string& step) {
  absl::Time time = absl::InfinitePast();
  for (const nlohmann::json& entry : session["timeline"]) {
    if (entry.value("step", "") == step) {
      absl::ParseTime(absl::RFC3339_full, entry.value("time", ""), &time, nullptr);
    }
  }
  return time;
}

dataplane::net::awaitable<absl::Status> HandshakeOnce(dataplane::Endpoint endpoint,
                                                      dataplane::DialOptions options) {
  auto stream = co_await dataplane::DialTls(endpoint, options);
  if (!stream.ok()) co_return stream.status();
  (*stream)->Close();
  co_return absl::OkStatus();
}

void OpenOnce(tests::Cluster& cluster, Samples& samples) {
  dataplane::DialOptions options;
  options.tls = cluster.api().tls();
  const auto endpoint = dataplane::ParseUrl(cluster.api().url());
  const absl::Time handshake_begin = absl::Now();
  tests::Block(HandshakeOnce(*endpoint, options)).IgnoreError();
  const absl::Duration handshake = absl::Now() - handshake_begin;

  const absl::Time begin = absl::Now();
  const nlohmann::json session = cluster.CreateSession(kDevice);
  const absl::Time informed = absl::Now();
  tests::ConsoleLeg leg(session.value("consoleUrl", ""), session.value("consoleTicket", ""),
                        cluster.api().tls());
  const absl::Time attached = absl::Now();
  while (leg.output().empty() && leg.ReadOne()) {
  }
  const absl::Time prompt = absl::Now();

  const absl::Time asked = TimeOf(session, "DEVICE_REQUESTED");
  const absl::Time device = TimeOf(session, "DEVICE_ATTACHED");
  const absl::Duration dial = attached - informed;
  samples["1 RPC: request to session, whole"].push_back(Milliseconds(informed - begin));
  samples["2   device: notified, program started, tunnel attached"].push_back(
      Milliseconds(device - asked));
  samples["3     of it notice and exec (less a tunnel's dial)"].push_back(
      Milliseconds(device - asked - dial));
  samples["4   the rest: REST's TLS, HTTP, gRPC, audit record"].push_back(
      Milliseconds(informed - begin - (device - asked)));
  samples["5 Console's tunnel: TLS and WebSocket"].push_back(Milliseconds(dial));
  samples["6   of it TLS (a handshake alone)"].push_back(Milliseconds(handshake));
  samples["7 first byte of the prompt after that"].push_back(Milliseconds(prompt - attached));
  samples["8 whole: CreateSession to first prompt byte"].push_back(Milliseconds(prompt - begin));
}

// From CreateSession to the first byte of the prompt; Telnet's negotiation is none of it.
void OpenFlow(tests::Cluster& cluster, const tests::Flow& flow, Samples& samples) {
  const absl::Time begin = absl::Now();
  const auto leg = cluster.Open(flow.Label());
  while (leg->output().empty() && leg->ReadOne()) {
  }
  samples[flow.name + (flow.scheme.empty() ? "" : ", " + flow.scheme)].push_back(
      Milliseconds(absl::Now() - begin));
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

nlohmann::json ToJson(const Samples& samples) {
  nlohmann::json json;
  for (const auto& [name, values] : samples) {
    json[name] = {{"p50", Quantile(values, 0.5)}, {"p99", Quantile(values, 0.99)}};
  }
  return json;
}

// Names may begin with what sorts them.
void PrintTable(const char* title, const Samples& samples, std::size_t skip) {
  std::printf("| %s | p50 ms | p99 ms |\n|---|---|---|\n", title);
  for (const auto& [name, values] : samples) {
    std::printf("| %s | %.2f | %.2f |\n", name.c_str() + skip, Quantile(values, 0.5),
                Quantile(values, 0.99));
  }
  std::printf("\n");
}

int Main() {
  tests::Cluster cluster;
  for (const char* scheme : {"grpcs", "wss"}) {
    cluster.StartIcg(std::string("icg-") + scheme, {.scheme = scheme});
  }
  const std::vector<tests::Flow> flows = tests::AllFlows();
  for (const tests::Flow& flow : flows) cluster.StartDevice(flow.Label(), flow.device());
  constexpr int kWarmUp = 10;
  Samples parts;
  Samples whole;
  for (int i = -kWarmUp; i < absl::GetFlag(FLAGS_runs); ++i) {
    if (i == 0) {
      parts.clear();
      whole.clear();
    }
    OpenOnce(cluster, parts);
    for (const tests::Flow& flow : flows) OpenFlow(cluster, flow, whole);
  }
  if (absl::GetFlag(FLAGS_json)) {
    const nlohmann::json json = {{"flows", ToJson(whole)}, {"parts", ToJson(parts)}};
    std::printf("%s\n", json.dump(2).c_str());
    return 0;
  }
  PrintTable("flow: CreateSession to the first byte of the prompt", whole, 0);
  PrintTable("part (OS 12 direct)", parts, 2);
  return 0;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return fairlead::bench::Main();
}
