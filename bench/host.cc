// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See host.h.
#include "bench/host.h"

#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "base/flag_checks.h"
#include "base/log.h"
#include "base/process.h"
#include "base/state_file.h"
#include "base/status.h"
#include "dataplane/listener.h"

ABSL_FLAG(int, port, 0, "Port to listen on, on all addresses; 0 picks one, which is printed.");
ABSL_FLAG(std::string, cert, "", "The server's certificate chain, PEM.");
ABSL_FLAG(std::string, key, "", "Its private key, PEM.");
ABSL_FLAG(int, io_threads, 1, "Threads for I/O; 0 for one a core.");
ABSL_FLAG(int, max_unauthenticated, 4096,
          "Connections that may be without a ticket or a certificate, in all and per address.");

namespace fairlead::bench {
namespace {

absl::Status CheckFlags(const HostProgram& host) {
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("cert", absl::GetFlag(FLAGS_cert), "FILE"));
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("key", absl::GetFlag(FLAGS_key), "FILE"));
  return host.check_flags();
}

absl::StatusOr<std::shared_ptr<dataplane::TlsServerContext>> MakeTls(const std::string& ca_file) {
  dataplane::TlsIdentity identity;
  FAIRLEAD_ASSIGN_OR_RETURN(identity.certificate_chain_pem,
                            ReadStateFile(absl::GetFlag(FLAGS_cert)));
  FAIRLEAD_ASSIGN_OR_RETURN(identity.private_key_pem, ReadStateFile(absl::GetFlag(FLAGS_key)));
  std::string ca;
  if (!ca_file.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(ca, ReadStateFile(ca_file));
  }
  return dataplane::TlsServerContext::Create(identity, ca);
}

dataplane::ListenerOptions Listening() {
  dataplane::ListenerOptions options;
  options.addresses = {absl::StrCat("0.0.0.0:", absl::GetFlag(FLAGS_port))};
  const auto limit = static_cast<std::size_t>(absl::GetFlag(FLAGS_max_unauthenticated));
  options.limits.max_unauthenticated = limit;
  options.limits.max_unauthenticated_per_host = limit;
  return options;
}

absl::Status Serve(const HostProgram& host, const sigset_t& signals) {
  FAIRLEAD_ASSIGN_OR_RETURN(std::shared_ptr<dataplane::TlsServerContext> tls,
                            MakeTls(host.client_ca_file()));
  dataplane::IoThreads threads(absl::GetFlag(FLAGS_io_threads));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::unique_ptr<HostedService> service,
                            host.make_service(threads));
  dataplane::Router router;
  service->AddRoutes(&router);
  dataplane::Listener listener(threads, tls, router, nullptr, Listening());
  FAIRLEAD_RETURN_IF_ERROR(listener.Start());
  std::printf("%d\n", listener.port());
  std::fflush(stdout);
  ServeUntilStopped(signals, [] {});
  listener.StopAccepting();
  service->EndAll();
  listener.CloseAll();
  listener.AwaitClosed(absl::Seconds(5));
  threads.Stop();
  return absl::OkStatus();
}

ProgramInfo Program(const HostProgram& host) {
  ProgramInfo program;
  program.name = host.name;
  program.version = "0.1.0";
  // So end the names of this file and of the program's own: --help shows the flags of both.
  program.main_file = "host.cc";
  program.usage = host.usage;
  return program;
}

}  // namespace

int RunHost(const HostProgram& host, int argc, char** argv) {
  const sigset_t signals = BlockSignals();
  const ProgramInfo program = Program(host);
  absl::Status status = ParseFlags(program, argc, argv);
  if (status.ok()) status = CheckFlags(host);
  if (status.ok()) status = InitLog(program.name, "info");
  if (!status.ok()) {
    TellFailure(program, status);
    return 2;
  }
  RaiseOpenFileLimit();
  status = Serve(host, signals);
  if (status.ok()) return 0;
  TellFailure(program, status);
  return 1;
}

}  // namespace fairlead::bench
