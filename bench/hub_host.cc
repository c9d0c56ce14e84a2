// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The product's own listener and device hub alone, for load generators: devices connect with
// certificates of a CA that is given, and each is welcomed by this program in the server's place.
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/flag_checks.h"
#include "base/process.h"
#include "base/status.h"
#include "dataplane/io_threads.h"
#include "dataplane/listener.h"
#include "dataplane/router.h"
#include "gateway/device_hub.h"
#include "gateway/edge_events.h"

ABSL_FLAG(int, port, 0, "Port to listen on, on all addresses; 0 picks one, which is printed.");
ABSL_FLAG(std::string, cert, "", "The server's certificate chain, PEM.");
ABSL_FLAG(std::string, key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, device_ca, "", "The CA that signs the devices' certificates, PEM.");
ABSL_FLAG(int, io_threads, 1, "Threads for I/O; 0 for one a core.");
ABSL_FLAG(int, max_unauthenticated, 4096,
          "Connections that may be without a certificate, in all "
          "and per address.");

namespace fairlead::bench {
namespace {

// Stands in for the link to a server: every device that comes is welcomed.
class Welcomer : public gateway::EdgeEventSink {
 public:
  explicit Welcomer(dataplane::IoThreads& threads) : threads_(threads) {}

  void set_hub(gateway::DeviceHub* hub) { hub_ = hub; }

  void Publish(v1::EdgeEvent event) override {
    if (!event.has_device_connected()) return;
    // The hub may hold its locks.
    dataplane::net::post(threads_.NextExecutor(),
                         [this, unit_id = event.device_connected().unit_id()] {
                           v1::ServerMessage message;
                           message.mutable_welcome()->set_unit_id(unit_id);
                           hub_->Send(unit_id, message).IgnoreError();
                         });
  }
  void PublishRefusal(v1::EdgeRefusal) override {}

 private:
  dataplane::IoThreads& threads_;
  gateway::DeviceHub* hub_ = nullptr;
};

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

absl::StatusOr<std::shared_ptr<dataplane::TlsServerContext>> MakeTls() {
  dataplane::TlsIdentity identity;
  FAIRLEAD_ASSIGN_OR_RETURN(identity.certificate_chain_pem, ReadAll(absl::GetFlag(FLAGS_cert)));
  FAIRLEAD_ASSIGN_OR_RETURN(identity.private_key_pem, ReadAll(absl::GetFlag(FLAGS_key)));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string ca, ReadAll(absl::GetFlag(FLAGS_device_ca)));
  return dataplane::TlsServerContext::Create(identity, ca);
}

// Runs until SIGTERM or SIGINT, which `signals` holds, blocked.
absl::Status Run(const sigset_t& signals) {
  FAIRLEAD_ASSIGN_OR_RETURN(std::shared_ptr<dataplane::TlsServerContext> tls, MakeTls());
  dataplane::IoThreads threads(absl::GetFlag(FLAGS_io_threads));
  Welcomer welcomer(threads);
  gateway::DeviceHub hub(welcomer, SystemClock(), gateway::DeviceHubOptions());
  welcomer.set_hub(&hub);
  dataplane::Router router;
  dataplane::Route route;
  route.pattern = gateway::kUnifiedPath;
  route.on_upgrade = [&hub](dataplane::HttpRequest request,
                            std::unique_ptr<dataplane::PendingUpgrade> upgrade) {
    return hub.HandleUpgrade(std::move(request), std::move(upgrade));
  };
  router.Add(std::move(route));
  dataplane::ListenerOptions listening;
  listening.addresses = {absl::StrCat("0.0.0.0:", absl::GetFlag(FLAGS_port))};
  const auto limit = static_cast<std::size_t>(absl::GetFlag(FLAGS_max_unauthenticated));
  listening.limits.max_unauthenticated = limit;
  listening.limits.max_unauthenticated_per_host = limit;
  dataplane::Listener listener(threads, tls, router, nullptr, std::move(listening));
  FAIRLEAD_RETURN_IF_ERROR(listener.Start());
  std::printf("%d\n", listener.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  listener.StopAccepting();
  hub.CloseAll({dataplane::kCloseGoingAway, "The host is stopping."});
  listener.CloseAll();
  listener.AwaitClosed(absl::Seconds(5));
  threads.Stop();
  return absl::OkStatus();
}

absl::Status CheckFlags() {
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("cert", absl::GetFlag(FLAGS_cert), "FILE"));
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("key", absl::GetFlag(FLAGS_key), "FILE"));
  return CheckGiven("device_ca", absl::GetFlag(FLAGS_device_ca), "FILE");
}

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "hub_host";
  program.version = "0.1.0";
  program.main_file = "hub_host.cc";
  program.usage =
      "Fairlead's listener and device hub alone. For example:\n"
      "  hub_host --port=8443 --cert=FILE --key=FILE --device_ca=FILE";
  return program;
}

int Main(int argc, char** argv) {
  const ProgramInfo program = Program();
  absl::Status status = ParseFlags(program, argc, argv);
  if (status.ok()) status = CheckFlags();
  if (!status.ok()) {
    TellFailure(program, status);
    return 2;
  }
  RaiseOpenFileLimit();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  status = Run(signals);
  if (status.ok()) return 0;
  TellFailure(program, status);
  return 1;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) { return fairlead::bench::Main(argc, argv); }
