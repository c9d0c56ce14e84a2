// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The UMS Server: control and a gateway around one gRPC server. SIGHUP reads the certificates
// again, SIGTERM and SIGINT stop it cleanly.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/state_file.h"
#include "base/status.h"
#include "console/web/web_archive.h"
#include "control/control.h"
#include "control/server_options.h"
#include "gateway/edge_dialer.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "proto/rest_services.h"

ABSL_FLAG(std::string, listen, "0.0.0.0:8443,[::]:8443",
          "Addresses to listen on, host:port each, separated by commas. Port 0 picks a free one.");
ABSL_FLAG(
    std::string, public_address, "",
    "host:port at which devices and Consoles reach this server. Default: localhost and the port.");
ABSL_FLAG(std::string, state_dir, "",
          "Folder for keys, certificates and the store; made if missing. Required.");
ABSL_FLAG(std::vector<std::string>, server_names, {},
          "DNS names and addresses for the server's certificate, separated by commas. Default: "
          "localhost, this host's name, 127.0.0.1, ::1.");
ABSL_FLAG(std::string, tls_certificate_file, "",
          "Certificate chain (PEM) to use in place of one by the server's own CA.");
ABSL_FLAG(std::string, tls_key_file, "", "Private key (PEM) of --tls_certificate_file.");
ABSL_FLAG(std::string, admin_password_file, "",
          "File with the password of the first administrator, \"admin\", read at the first start. "
          "Default: a password is made and written to <state_dir>/admin_password.");
ABSL_FLAG(int, io_threads, 0, "Threads for network I/O; 0 for one a core.");
ABSL_FLAG(int, worker_threads, 8, "Threads for calls.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warn or error.");
ABSL_FLAG(int, sessions_per_user_per_minute, 100,
          "How many sessions a user may open in a minute; 0 for any number.");
ABSL_FLAG(int, token_idle_minutes, 30, "After how many minutes without use a log-in expires.");
ABSL_FLAG(std::vector<std::string>, allowed_origins, {},
          "Origins from which browsers may open terminals besides the public address, for example "
          "https://terminal.example, separated by commas.");
ABSL_FLAG(bool, consoles_through_server, false,
          "Whether Consoles that cannot reach the ICG of a session may go through this server, "
          "which then passes the session's bytes on.");
ABSL_FLAG(std::string, port_file, "",
          "File to which the port is written once the server is ready.");
ABSL_FLAG(bool, print_options, false, "Print the options in force, and end.");
ABSL_FLAG(std::string, metrics, "open", "Whether /metrics is served: open or off.");
ABSL_FLAG(std::string, web_folder, "",
          "Folder of a built web console to serve in place of the one in this program.");

namespace fairlead::control {
namespace {

constexpr char kVersion[] = "0.1.0";
constexpr char kServerName[] = "ums";
// How long tunnels may take to close when the server stops.
constexpr absl::Duration kDrain = absl::Seconds(2);
constexpr absl::Duration kReadyTimeout = absl::Seconds(10);

ServerFlags ReadFlags() {
  ServerFlags flags;
  flags.listen = absl::GetFlag(FLAGS_listen);
  flags.public_address = absl::GetFlag(FLAGS_public_address);
  flags.state_dir = absl::GetFlag(FLAGS_state_dir);
  flags.server_names = absl::GetFlag(FLAGS_server_names);
  flags.tls_certificate_file = absl::GetFlag(FLAGS_tls_certificate_file);
  flags.tls_key_file = absl::GetFlag(FLAGS_tls_key_file);
  flags.admin_password_file = absl::GetFlag(FLAGS_admin_password_file);
  flags.io_threads = absl::GetFlag(FLAGS_io_threads);
  flags.worker_threads = absl::GetFlag(FLAGS_worker_threads);
  flags.log_level = absl::GetFlag(FLAGS_log_level);
  flags.sessions_per_user_per_minute = absl::GetFlag(FLAGS_sessions_per_user_per_minute);
  flags.token_idle_minutes = absl::GetFlag(FLAGS_token_idle_minutes);
  flags.allowed_origins = absl::GetFlag(FLAGS_allowed_origins);
  flags.consoles_through_server = absl::GetFlag(FLAGS_consoles_through_server);
  flags.port_file = absl::GetFlag(FLAGS_port_file);
  flags.metrics = absl::GetFlag(FLAGS_metrics);
  flags.web_folder = absl::GetFlag(FLAGS_web_folder);
  return flags;
}

// Renews the certificate of our own CA if it needs that; a foreign one stays as it is.
absl::Status SetCertificate(const ServerOptions& options, const Control& control,
                            gateway::GatewayOptions& edge) {
  edge.certificate_file = options.tls_certificate_file;
  edge.private_key_file = options.tls_key_file;
  if (!options.tls_certificate_file.empty()) return absl::OkStatus();
  FAIRLEAD_ASSIGN_OR_RETURN(const ServerCertificate certificate,
                            control.authority().EnsureServerCertificate(
                                options.state_dir, kServerName, options.server_names));
  edge.certificate_file = certificate.certificate_file;
  edge.private_key_file = certificate.private_key_file;
  return absl::OkStatus();
}

absl::StatusOr<dataplane::TlsIdentity> DialIdentity(Control& control) {
  FAIRLEAD_ASSIGN_OR_RETURN(IssuedIdentity issued, control.DialIdentity());
  dataplane::TlsIdentity identity;
  identity.certificate_chain_pem = std::move(issued.certificate_chain_pem);
  identity.private_key_pem = std::move(issued.private_key_pem);
  return identity;
}

gateway::GatewayOptions EdgeOptions(const ServerOptions& options, Control& control) {
  gateway::GatewayOptions edge;
  edge.version = kVersion;
  edge.listen = options.listen;
  edge.io_threads = options.io_threads;
  edge.client_ca_pem = control.authority().certificate_pem();
  edge.api_services = proto::RestServices();
  edge.metrics = options.metrics;
  edge.web_folder = options.web_folder;
  edge.web_archive = console::WebArchive();
  edge.dial_identity = [&control]() { return DialIdentity(control); };
  return edge;
}

std::unique_ptr<grpc::Server> BuildGrpcServer(Control& control, gateway::Gateway& edge) {
  std::vector<grpc::Service*> services = control.services();
  services.push_back(edge.edge_service());
  return gateway::BuildGrpcServer(services);
}

void Reload(const ServerOptions& options, const Control& control, gateway::Gateway& edge) {
  gateway::GatewayOptions renewed;
  absl::Status status = SetCertificate(options, control, renewed);
  if (status.ok()) status = edge.Reload();
  if (status.ok()) {
    spdlog::info("certificates read again");
  } else {
    spdlog::error("certificates not read again, the old ones stay: {}", status.ToString());
  }
}

// Waits until the edge is linked, so that whoever reads the port finds all of it working.
absl::Status AwaitReady(const gateway::Gateway& edge) {
  const absl::Duration deadline = SystemClock().Monotonic() + kReadyTimeout;
  while (!edge.ready()) {
    if (SystemClock().Monotonic() > deadline) {
      return absl::InternalError("the server's own edge was not linked in time");
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::OkStatus();
}

absl::Status Announce(const ServerOptions& options, const Control& control, std::uint16_t port) {
  if (!control.made_password_file().empty()) {
    spdlog::info("the first administrator is \"admin\"; the password is in {}",
                 control.made_password_file());
  }
  spdlog::info("ready on port {}; clients verify this server with {} (SHA-256 {})", port,
               control.authority().certificate_file(), control.authority().Sha256Fingerprint());
  if (options.port_file.empty()) return absl::OkStatus();
  return WriteStateFile(options.port_file, absl::StrCat(port, "\n"), 0644);
}

absl::Status Run(const ServerOptions& options, const sigset_t& signals) {
  // Outlives what dials with it.
  gateway::LinkDialer dialer;
  ControlOptions control_options;
  control_options.state_dir = options.state_dir;
  control_options.server_name = kServerName;
  control_options.admin_password = options.admin_password;
  control_options.worker_threads = options.worker_threads;
  control_options.sessions_per_user_per_minute = options.sessions_per_user_per_minute;
  control_options.token_idle_timeout = options.token_idle_timeout;
  control_options.allowed_origins = options.allowed_origins;
  control_options.consoles_through_server = options.consoles_through_server;
  control_options.edge_dialer = &dialer;
  FAIRLEAD_ASSIGN_OR_RETURN(const std::unique_ptr<Control> control,
                            Control::Create(std::move(control_options)));
  gateway::GatewayOptions edge_options = EdgeOptions(options, *control);
  FAIRLEAD_RETURN_IF_ERROR(SetCertificate(options, *control, edge_options));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::unique_ptr<gateway::Gateway> edge,
                            gateway::Gateway::Create(std::move(edge_options)));
  control->SetCallPeers(&edge->call_peers());
  const std::unique_ptr<grpc::Server> server = BuildGrpcServer(*control, *edge);
  if (server == nullptr) return absl::InternalError("the gRPC server could not be started");

  absl::Status status = edge->Start(server.get());
  if (status.ok()) {
    control->SetPublicAddress(options.public_address.empty()
                                  ? absl::StrCat("localhost:", edge->port())
                                  : options.public_address);
    status = control->Start(server->InProcessChannel(grpc::ChannelArguments()));
  }
  if (status.ok()) status = AwaitReady(*edge);
  if (status.ok()) status = Announce(options, *control, edge->port());
  if (status.ok()) {
    ServeUntilStopped(signals, [&] { Reload(options, *control, *edge); });
  }

  control->Stop();
  edge->Stop(kDrain);
  gateway::ShutDownGrpcServer(*server);
  return status;
}

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "server";
  program.version = kVersion;
  program.main_file = "server_main.cc";
  program.usage =
      "The UMS Server. For example:\n  server --state_dir=/var/lib/fairlead "
      "--listen=0.0.0.0:8443 --public_address=ums.example:8443\n"
      "--flagfile=FILE reads flags from a file, one a line.";
  return program;
}

int Main(int argc, char** argv) {
  const sigset_t signals = BlockSignals();
  const ProgramInfo program = Program();
  const absl::Status parsed = ParseFlags(program, argc, argv);
  const absl::StatusOr<ServerOptions> options =
      parsed.ok() ? FinalizeServerFlags(ReadFlags()) : parsed;
  absl::Status status = options.status();
  if (status.ok()) status = InitLog(program.name, options->log_level);
  if (!status.ok()) {
    TellFailure(program, status);
    return 2;
  }
  if (absl::GetFlag(FLAGS_print_options)) {
    std::fputs(PrintServerOptions(*options).c_str(), stdout);
    return 0;
  }
  TellOpenFileLimit(RaiseOpenFileLimit());
  status = Run(*options, signals);
  if (status.ok()) return 0;
  TellFailure(program, status);
  return 1;
}

}  // namespace
}  // namespace fairlead::control

int main(int argc, char** argv) { return fairlead::control::Main(argc, argv); }
