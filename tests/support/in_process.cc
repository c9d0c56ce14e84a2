// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See in_process.h.
#include "tests/support/in_process.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "control/control.h"
#include "dataplane/client.h"
#include "device/identity.h"
#include "device/profiles.h"
#include "device/state_dir.h"
#include "device/unified_client.h"
#include "gateway/gateway.h"
#include "gateway/grpc_bridge.h"
#include "proto/rest_services.h"
#include "tests/support/blocking.h"
#include "tests/support/process.h"

namespace fairlead::tests {
namespace {

constexpr char kPassword[] = "correct horse battery staple";
constexpr char kProfiles[] =
    "profiles { name: \"sh\" argv: \"/bin/sh\" }\n"
    "profiles { name: \"seven\" argv: \"/bin/sh\" argv: \"-c\" argv: \"printf x; exit 7\" }\n";

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "in-process cluster: %s\n", value.status().ToString().c_str());
  std::abort();
}

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "in-process cluster: %s\n", status.ToString().c_str());
  std::abort();
}

std::string NewFolder() {
  const char* base = std::getenv("TEST_TMPDIR");
  std::string pattern = absl::StrCat(base == nullptr ? "/tmp" : base, "/in_process.XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

// The machine's clock, set wrongly.
class ShiftedClock : public Clock {
 public:
  explicit ShiftedClock(absl::Duration ahead) : ahead_(ahead) {}
  absl::Time Now() const override { return SystemClock().Now() + ahead_; }
  absl::Duration Monotonic() const override { return SystemClock().Monotonic(); }

 private:
  const absl::Duration ahead_;
};

}  // namespace

// Composed as server_main does it.
struct InProcessCluster::Server {
  Server(const std::string& folder, const dataplane::ListenerLimits& limits) {
    control::ControlOptions options;
    options.state_dir = folder;
    options.admin_password = kPassword;
    options.sessions_per_user_per_minute = 0;
    control = Must(control::Control::Create(std::move(options)));
    const auto certificate = Must(
        control->authority().EnsureServerCertificate(folder, "ums", {"localhost", "127.0.0.1"}));
    gateway::GatewayOptions edge;
    edge.listen = {"127.0.0.1:0"};
    edge.io_threads = 2;
    edge.limits = limits;
    edge.certificate_file = certificate.certificate_file;
    edge.private_key_file = certificate.private_key_file;
    edge.client_ca_pem = control->authority().certificate_pem();
    edge.api_services = proto::RestServices();
    gateway = Must(gateway::Gateway::Create(std::move(edge)));
    control->SetCallPeers(&gateway->call_peers());
    grpc::ServerBuilder builder;
    gateway::ConfigureServer(&builder);
    for (grpc::Service* service : control->services()) builder.RegisterService(service);
    builder.RegisterService(gateway->edge_service());
    grpc = builder.BuildAndStart();
    Must(gateway->Start(grpc.get()));
    control->SetPublicAddress(absl::StrCat("localhost:", gateway->port()));
    Must(control->Start(grpc->InProcessChannel(grpc::ChannelArguments())));
    if (!Eventually(absl::Seconds(30), [this] { return gateway->ready(); })) std::abort();
  }

  ~Server() {
    control->Stop();
    gateway->Stop(absl::Seconds(5));
    grpc->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
    grpc->Wait();
    grpc.reset();
  }

  std::unique_ptr<control::Control> control;
  std::unique_ptr<gateway::Gateway> gateway;
  std::unique_ptr<grpc::Server> grpc;
};

// Composed as agent_main does it, on a thread that lives as long as its programs.
struct InProcessCluster::Device {
  Device(const std::string& folder, const std::string& unit_id, std::uint16_t port,
         const std::string& ca_pem, const std::string& key, absl::Duration ahead,
         v1::Device::OsGeneration os)
      : clock(ahead),
        state(Must(device::StateDir::Open(folder))),
        identity(Must(device::Identity::Load(state, unit_id))) {
    device::UnifiedClientOptions options;
    options.servers.push_back(Must(dataplane::ParseUrl(absl::StrCat("https://localhost:", port))));
    options.trust.ca_pem = ca_pem;
    options.first_authentication_key = key;
    options.os_generation = os;
    options.host_name = absl::StrCat("host-of-", unit_id);
    client = std::make_unique<device::UnifiedClient>(
        context.get_executor(), std::move(options), state, identity,
        Must(device::Profiles::Parse(kProfiles)), clock);
    thread = std::thread([this] {
      dataplane::net::co_spawn(context, client->Run(),
                               [this](std::exception_ptr) { context.stop(); });
      context.run();
    });
  }

  ~Device() {
    dataplane::net::post(context, [this] { client->Stop(); });
    thread.join();
  }

  const ShiftedClock clock;
  const device::StateDir state;
  device::Identity identity;
  dataplane::net::io_context context{1};
  std::unique_ptr<device::UnifiedClient> client;
  std::thread thread;
};

struct InProcessCluster::State {
  explicit State(const dataplane::ListenerLimits& limits)
      : server(std::make_unique<Server>(folder + "/server", limits)) {}

  const std::string folder = NewFolder();
  std::unique_ptr<Server> server;
  std::string ca_pem = server->control->authority().certificate_pem();
  Api api{absl::StrCat("https://localhost:", server->gateway->port()), ca_pem};
  std::map<std::string, std::unique_ptr<Device>> devices;
};

InProcessCluster::InProcessCluster(const dataplane::ListenerLimits& limits)
    : state_(std::make_unique<State>(limits)) {
  if (!state_->api.Login("admin", kPassword)) std::abort();
}

InProcessCluster::~InProcessCluster() {
  state_->devices.clear();
  state_->server.reset();
  std::error_code ignored;
  std::filesystem::remove_all(state_->folder, ignored);
}

void InProcessCluster::StopServer() { state_->server.reset(); }

Api& InProcessCluster::api() { return state_->api; }

void InProcessCluster::AddDevice(const std::string& unit_id, absl::Duration ahead,
                                 v1::Device::OsGeneration os) {
  const std::string folder = absl::StrCat(state_->folder, "/", unit_id);
  std::string key;
  if (!std::filesystem::exists(folder)) {
    const Reply reply =
        state_->api.Call("POST", "/api/v1/firstAuthenticationKeys", {{"type", "ONE_TIME"}});
    key = reply.body.value("key", "");
  }
  state_->devices[unit_id] = std::make_unique<Device>(
      folder, unit_id, state_->server->gateway->port(), state_->ca_pem, key, ahead, os);
  const bool online = Eventually(absl::Seconds(60), [&] {
    const Reply device = state_->api.Call("GET", absl::StrCat("/api/v1/devices/", unit_id));
    if (device.status != 200) return false;
    return os == v1::Device::OS_11 ||
           device.body.value("/connection/state"_json_pointer, "") == "ONLINE";
  });
  if (!online) std::abort();
}

std::string InProcessCluster::CertificateOf(const std::string& unit_id) {
  return ReadFile(absl::StrCat(state_->folder, "/", unit_id, "/certificate.pem")).value_or("");
}

void InProcessCluster::RemoveDevice(const std::string& unit_id) { state_->devices.erase(unit_id); }

double InProcessCluster::Metric(const std::string& name) {
  dataplane::DialOptions options;
  options.tls = state_->api.tls();
  const auto endpoint = dataplane::ParseUrl(absl::StrCat(state_->api.url(), "/metrics"));
  dataplane::HttpRequest request;
  request.method = "GET";
  const auto response =
      Block(dataplane::Fetch(*endpoint, options, std::move(request), absl::Seconds(30)));
  if (!response.ok()) return -1;
  for (absl::string_view line : absl::StrSplit(response->body, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    double value = 0;
    if (parts.first == name && absl::SimpleAtod(parts.second, &value)) return value;
  }
  return -1;
}

}  // namespace fairlead::tests
