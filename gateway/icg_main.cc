// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The ICG: a gateway on its own host, to which the server links. It starts with a bundle and holds
// no CA key. SIGHUP reads the bundle again, SIGTERM and SIGINT stop it cleanly.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/state_file.h"
#include "base/status.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "gateway/icg_options.h"

ABSL_FLAG(std::string, listen, "0.0.0.0:8443,[::]:8443",
          "Addresses to listen on, host:port each, separated by commas. Port 0 picks a free one.");
ABSL_FLAG(std::string, bundle, "",
          "File with what this ICG is and what it trusts, as `console icgs register` has written "
          "it. Keep it secret: it holds the private key. Required.");
ABSL_FLAG(int, io_threads, 0, "Threads for network I/O; 0 for one a core.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warn or error.");
ABSL_FLAG(std::string, port_file, "", "File to which the port is written once the ICG listens.");
ABSL_FLAG(bool, print_options, false, "Print the options in force, and end.");
ABSL_FLAG(std::string, metrics, "open", "Whether /metrics is served: open or off.");

namespace fairlead::gateway {
namespace {

constexpr char kVersion[] = "0.1.0";
// How long tunnels may take to close when the ICG stops.
constexpr absl::Duration kDrain = absl::Seconds(2);
// A certificate that ends sooner than this is worth a warning.
constexpr absl::Duration kEndsSoon = absl::Hours(24 * 14);

IcgFlags ReadFlags() {
  IcgFlags flags;
  flags.listen = absl::GetFlag(FLAGS_listen);
  flags.bundle = absl::GetFlag(FLAGS_bundle);
  flags.io_threads = absl::GetFlag(FLAGS_io_threads);
  flags.log_level = absl::GetFlag(FLAGS_log_level);
  flags.port_file = absl::GetFlag(FLAGS_port_file);
  flags.metrics = absl::GetFlag(FLAGS_metrics);
  return flags;
}

GatewayOptions EdgeOptions(const IcgProgramOptions& options) {
  GatewayOptions edge;
  edge.role = "icg";
  edge.version = kVersion;
  edge.listen = options.listen;
  edge.io_threads = options.io_threads;
  edge.identity = options.bundle.identity;
  edge.client_ca_pem = options.bundle.ca_pem;
  edge.web_console = false;
  edge.metrics = options.metrics;
  IcgOptions icg;
  icg.id = options.bundle.id;
  edge.icg = std::move(icg);
  return edge;
}

void TellOf(const IcgBundle& bundle) {
  if (!bundle.warning.empty()) spdlog::warn("{}", bundle.warning);
  const std::string until =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", bundle.not_after, absl::UTCTimeZone());
  spdlog::info("this is icgs/{}; its certificate is good until {}", bundle.id, until);
  if (bundle.not_after - SystemClock().Now() < kEndsSoon) {
    spdlog::warn(
        "the certificate of icgs/{} expires soon: register the ICG anew, replace its "
        "bundle and send SIGHUP",
        bundle.id);
  }
}

// Takes the bundle as it is in the file by now; on any mistake the old one stays.
void Reload(const IcgProgramOptions& options, Gateway& edge) {
  const absl::StatusOr<IcgBundle> bundle = ReadIcgBundle(options.bundle_file, SystemClock().Now());
  absl::Status status = bundle.status();
  if (status.ok() && bundle->id != options.bundle.id) {
    status = absl::InvalidArgumentError(
        absl::StrCat(options.bundle_file, " is for icgs/", Printable(bundle->id),
                     " by now, and this is icgs/", options.bundle.id, "; restart to be another"));
  }
  if (status.ok()) status = edge.Replace(bundle->identity, bundle->ca_pem);
  if (!status.ok()) {
    spdlog::error("bundle not read again, the old one stays: {}", std::string(status.message()));
    return;
  }
  spdlog::info("bundle read again");
  TellOf(*bundle);
}

absl::Status Announce(const IcgProgramOptions& options, std::uint16_t port) {
  TellOf(options.bundle);
  spdlog::info("ready on port {}; waiting for the server's link", port);
  if (options.port_file.empty()) return absl::OkStatus();
  return WriteStateFile(options.port_file, absl::StrCat(port, "\n"), 0644);
}

absl::Status Run(const IcgProgramOptions& options, const sigset_t& signals) {
  FAIRLEAD_ASSIGN_OR_RETURN(const std::unique_ptr<Gateway> edge,
                            Gateway::Create(EdgeOptions(options)));
  const std::unique_ptr<grpc::Server> server = BuildGrpcServer({edge->edge_service()});
  if (server == nullptr) return absl::InternalError("the gRPC server could not be started");
  absl::Status status = edge->Start(server.get());
  if (status.ok()) status = Announce(options, edge->port());
  if (status.ok()) {
    ServeUntilStopped(signals, [&] { Reload(options, *edge); });
  }
  edge->Stop(kDrain);
  ShutDownGrpcServer(*server);
  return status;
}

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "icg";
  program.version = kVersion;
  program.main_file = "icg_main.cc";
  program.usage =
      "An ICG: a gateway to which devices and Consoles connect and the UMS Server links. For "
      "example:\n  icg --bundle=/etc/fairlead/icg.json --listen=0.0.0.0:8443\n"
      "--flagfile=FILE reads flags from a file, one a line.";
  return program;
}

int Main(int argc, char** argv) {
  const sigset_t signals = BlockSignals();
  const ProgramInfo program = Program();
  const absl::Status parsed = ParseFlags(program, argc, argv);
  const absl::StatusOr<IcgProgramOptions> options =
      parsed.ok() ? FinalizeIcgFlags(ReadFlags(), SystemClock().Now()) : parsed;
  absl::Status status = options.status();
  if (status.ok()) status = InitLog(program.name, options->log_level);
  if (!status.ok()) {
    TellFailure(program, status);
    return 2;
  }
  if (absl::GetFlag(FLAGS_print_options)) {
    std::fputs(PrintIcgOptions(*options).c_str(), stdout);
    return 0;
  }
  TellOpenFileLimit(RaiseOpenFileLimit());
  status = Run(*options, signals);
  if (status.ok()) return 0;
  TellFailure(program, status);
  return 1;
}

}  // namespace
}  // namespace fairlead::gateway

int main(int argc, char** argv) { return fairlead::gateway::Main(argc, argv); }
