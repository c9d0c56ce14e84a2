// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The load generator: drives sessions, two TLS WebSocket legs each, through a relay (ours, a
// reverse proxy or MeshCentral), verifies every byte, and prints figures as one line of JSON a
// phase. It uses nothing of the product. bench/README.md is its manual.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "bench/load/modes.h"
#include "bench/load/terminal.h"

ABSL_FLAG(std::string, mode, "bulk", "bulk, echo, idle, churn, hold, devices or terminal.");
ABSL_FLAG(std::string, relay, "fairlead", "fairlead, proxy or meshcentral.");
ABSL_FLAG(int, port, 0, "The relay's port on 127.0.0.1.");
ABSL_FLAG(std::string, ca, "", "The CA of the relay's certificate (for localhost), PEM.");
ABSL_FLAG(std::string, sessions_file, "", "fairlead: the tickets, as relay_host gets them.");
ABSL_FLAG(int, backend_port, 0, "proxy: where this program listens as the devices' ends.");
ABSL_FLAG(std::string, backend_cert, "", "proxy: certificate of the devices' ends, PEM.");
ABSL_FLAG(std::string, backend_key, "", "proxy: its key, PEM.");
ABSL_FLAG(int, pid, 0, "The relay's process, whose CPU and memory are read; 0 for none.");
ABSL_FLAG(int, sessions, 10,
          "Sessions at once; with churn, sessions in all; with devices, devices.");
ABSL_FLAG(int, concurrency, 16, "Sessions that open or close at once.");
ABSL_FLAG(int, message_bytes, 0, "Payload of a message; 0 for 16384, with echo and hold 16.");
ABSL_FLAG(int, round_trips, 0, "echo: how many in all, in place of --seconds.");
ABSL_FLAG(int, window, 0, "bulk: messages of a session under way; 0 for as many as TCP takes.");
ABSL_FLAG(int, traffic_bytes, 4 << 20, "idle: payload of each session; 0 for none.");
ABSL_FLAG(double, warm_up, 0.5, "Seconds before measuring begins.");
ABSL_FLAG(double, seconds, 2, "Seconds that are measured, or to settle before memory is read.");
ABSL_FLAG(double, period, 10, "hold, devices: seconds between keystrokes or heartbeats.");
ABSL_FLAG(bool, to_device, false, "bulk: from the Console to the device in place of back.");
ABSL_FLAG(bool, stepwise, false, "hold, devices: after each phase wait for a line on stdin.");
ABSL_FLAG(int, source_addresses, 0, "Addresses 127.x to dial from; 0 for the kernel's choice.");
ABSL_FLAG(int, source_network, 1, "The second byte of those addresses.");
ABSL_FLAG(std::string, device_ca, "", "devices: the CA that signs their certificates, PEM.");
ABSL_FLAG(std::string, device_ca_key, "", "devices: its key, PEM.");
ABSL_FLAG(std::string, measure, "echo", "terminal: echo, output, first_byte or hold.");
ABSL_FLAG(std::vector<std::string>, tickets, {},
          "terminal: Consoles' tickets, at the relay; meshcentral: identifiers of tunnels.");
ABSL_FLAG(std::string, command, "", "terminal: a program that is one, in place of a tunnel.");
ABSL_FLAG(bool, local, false, "terminal: a shell on a pseudo-terminal here, in place of a tunnel.");
ABSL_FLAG(int, lines, 5'000'000, "terminal: how far seq counts.");
ABSL_FLAG(std::string, pid_name, "", "terminal: of --pid and its children, those of this name.");
ABSL_FLAG(int, agent_pid, 0, "terminal: the agent's process.");
ABSL_FLAG(int, first_device, 0, "devices: the number of the first.");

namespace fairlead::bench {
namespace {

// Sees to it that standard input can be waited for without stopping the loop.
class InputLine : public Watcher {
 public:
  explicit InputLine(EventLoop& loop) : loop_(loop) { loop_.Watch(STDIN_FILENO, this, EPOLLIN); }
  ~InputLine() override { loop_.Forget(STDIN_FILENO); }
  bool seen() const { return seen_; }
  void OnEvents(std::uint32_t) override {
    char byte = 0;
    if (read(STDIN_FILENO, &byte, 1) <= 0 || byte == '\n') seen_ = true;
  }

 private:
  EventLoop& loop_;
  bool seen_ = false;
};

void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

RunOptions MakeRunOptions(const std::string& mode) {
  RunOptions options;
  options.sessions = absl::GetFlag(FLAGS_sessions);
  options.concurrency = absl::GetFlag(FLAGS_concurrency);
  const std::size_t usual = mode == "echo" || mode == "hold" ? 16 : 16384;
  const int given = absl::GetFlag(FLAGS_message_bytes);
  options.message_bytes = given > 0 ? static_cast<std::size_t>(given) : usual;
  options.round_trips = absl::GetFlag(FLAGS_round_trips);
  options.window = absl::GetFlag(FLAGS_window);
  options.traffic_bytes = static_cast<std::size_t>(absl::GetFlag(FLAGS_traffic_bytes));
  options.warm_up_seconds = absl::GetFlag(FLAGS_warm_up);
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.period_seconds = absl::GetFlag(FLAGS_period);
  options.to_device = absl::GetFlag(FLAGS_to_device);
  options.pid = absl::GetFlag(FLAGS_pid);
  options.stepwise = absl::GetFlag(FLAGS_stepwise);
  return options;
}

Target::Options MakeTargetOptions() {
  Target::Options options;
  const std::string relay = absl::GetFlag(FLAGS_relay);
  if (relay == "proxy") options.kind = Target::Kind::kReverseProxy;
  if (relay == "meshcentral") options.kind = Target::Kind::kMeshCentral;
  options.port = static_cast<std::uint16_t>(absl::GetFlag(FLAGS_port));
  options.ca_file = absl::GetFlag(FLAGS_ca);
  options.sessions_file = absl::GetFlag(FLAGS_sessions_file);
  options.backend_port = static_cast<std::uint16_t>(absl::GetFlag(FLAGS_backend_port));
  options.backend_certificate = absl::GetFlag(FLAGS_backend_cert);
  options.backend_key = absl::GetFlag(FLAGS_backend_key);
  options.source_addresses = absl::GetFlag(FLAGS_source_addresses);
  options.source_network = absl::GetFlag(FLAGS_source_network);
  return options;
}

DeviceOptions MakeDeviceOptions() {
  DeviceOptions options;
  options.port = static_cast<std::uint16_t>(absl::GetFlag(FLAGS_port));
  options.server_ca_file = absl::GetFlag(FLAGS_ca);
  options.ca_file = absl::GetFlag(FLAGS_device_ca);
  options.ca_key_file = absl::GetFlag(FLAGS_device_ca_key);
  options.first = absl::GetFlag(FLAGS_first_device);
  options.source_addresses = absl::GetFlag(FLAGS_source_addresses);
  options.source_network = absl::GetFlag(FLAGS_source_network);
  return options;
}

TerminalOptions MakeTerminalOptions() {
  TerminalOptions options;
  options.measure = absl::GetFlag(FLAGS_measure);
  options.port = static_cast<std::uint16_t>(absl::GetFlag(FLAGS_port));
  options.ca_file = absl::GetFlag(FLAGS_ca);
  options.tickets = absl::GetFlag(FLAGS_tickets);
  options.meshcentral = absl::GetFlag(FLAGS_relay) == "meshcentral";
  options.command = absl::GetFlag(FLAGS_command);
  options.local = absl::GetFlag(FLAGS_local);
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.lines = absl::GetFlag(FLAGS_lines);
  options.relay_pid = absl::GetFlag(FLAGS_pid);
  options.relay_name = absl::GetFlag(FLAGS_pid_name);
  options.agent_pid = absl::GetFlag(FLAGS_agent_pid);
  return options;
}

nlohmann::json Run(EventLoop& loop, const std::string& mode) {
  const RunOptions options = MakeRunOptions(mode);
  if (mode == "devices") return RunDevices(loop, MakeDeviceOptions(), options);
  if (mode == "terminal") return RunTerminal(loop, MakeTerminalOptions(), options);
  Target target(loop, MakeTargetOptions());
  if (mode != "churn" && static_cast<std::size_t>(options.sessions) > target.max_sessions()) {
    return {{"error", "there are fewer tickets than sessions"}};
  }
  if (mode == "bulk") return RunBulk(target, options);
  if (mode == "echo") return RunEcho(target, options);
  if (mode == "idle") return RunIdle(target, options);
  if (mode == "churn") return RunChurn(target, options);
  if (mode == "hold") return RunHold(target, options);
  return {{"error", "unknown mode " + mode}};
}

int Main() {
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  EventLoop loop;
  const nlohmann::json figures = Run(loop, absl::GetFlag(FLAGS_mode));
  std::printf("%s\n", figures.dump().c_str());
  return figures.contains("error") ? 1 : 0;
}

}  // namespace

void PrintPhase(EventLoop& loop, const RunOptions& options, const nlohmann::json& figures) {
  std::printf("%s\n", figures.dump().c_str());
  std::fflush(stdout);
  if (!options.stepwise) return;
  const InputLine line(loop);
  while (!loop.RunUntil([&] { return line.seen(); }, 60)) {
  }
}

}  // namespace fairlead::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "drives terminal sessions through a relay and prints what they cost");
  absl::ParseCommandLine(argc, argv);
  return fairlead::bench::Main();
}
