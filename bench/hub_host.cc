// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The product's own listener and device hub alone, for load generators: devices connect with
// certificates of a CA that is given, and each is welcomed by this program in the server's place.
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "base/clock.h"
#include "base/flag_checks.h"
#include "bench/host.h"
#include "gateway/device_hub.h"
#include "gateway/edge_events.h"

ABSL_FLAG(std::string, device_ca, "", "The CA that signs the devices' certificates, PEM.");

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

class Hub : public HostedService {
 public:
  explicit Hub(dataplane::IoThreads& threads)
      : welcomer_(threads), hub_(welcomer_, SystemClock(), gateway::DeviceHubOptions()) {
    welcomer_.set_hub(&hub_);
  }

  void AddRoutes(dataplane::Router* router) override {
    dataplane::Route route;
    route.pattern = gateway::kUnifiedPath;
    route.on_upgrade = [this](dataplane::HttpRequest request,
                              std::unique_ptr<dataplane::PendingUpgrade> upgrade) {
      return hub_.HandleUpgrade(std::move(request), std::move(upgrade));
    };
    router->Add(std::move(route));
  }

  void EndAll() override { hub_.CloseAll({dataplane::kCloseGoingAway, "The host is stopping."}); }

 private:
  Welcomer welcomer_;
  gateway::DeviceHub hub_;
};

absl::Status CheckFlags() {
  return CheckGiven("device_ca", absl::GetFlag(FLAGS_device_ca), "FILE");
}

std::string DeviceCaFile() { return absl::GetFlag(FLAGS_device_ca); }

absl::StatusOr<std::unique_ptr<HostedService>> MakeHub(dataplane::IoThreads& threads) {
  return std::make_unique<Hub>(threads);
}

HostProgram Program() {
  HostProgram program;
  program.name = "hub_host";
  program.usage =
      "Fairlead's listener and device hub alone. For example:\n"
      "  hub_host --port=8443 --cert=FILE --key=FILE --device_ca=FILE";
  program.check_flags = CheckFlags;
  program.client_ca_file = DeviceCaFile;
  program.make_service = MakeHub;
  return program;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  return fairlead::bench::RunHost(fairlead::bench::Program(), argc, argv);
}
