// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A whole Fairlead of real processes in a folder of its own: a UMS Server on a port of its choice,
// ICGs, and enrolled agents of both generations. Used by the end-to-end tests and benchmarks.
#ifndef FAIRLEAD_TESTS_SUPPORT_CLUSTER_H_
#define FAIRLEAD_TESTS_SUPPORT_CLUSTER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/api.h"
#include "tests/support/console_leg.h"
#include "tests/support/process.h"
#include "tests/support/tcp_proxy.h"

namespace fairlead::tests {

// How an agent is started.
struct DeviceOptions {
  // 12 or 11.
  int os = 12;
  // The ICG through which it connects; empty for the server. An OS 11 device without an ICG is
  // dialled by the server.
  std::string icg = {};
  // The port that it dials; 0 for that of the server or ICG.
  std::uint16_t port = 0;
  // Further arguments.
  std::vector<std::string> arguments = {};
  // As in Process.
  std::vector<std::string> environment = {};
  // As in Device.connectorPreference; empty for the kind that it is to connect to here.
  std::string preference = {};
};

// How an ICG is registered.
struct IcgOptions {
  // "grpcs" or "wss".
  std::string scheme = "grpcs";
  // Further fields of the Icg.
  nlohmann::json fields = nlohmann::json::object();
};

// An ICG. The server reaches it by one port, devices and Consoles by another, and neither is the
// one on which it listens.
struct IcgNode {
  TcpProxy internal;
  TcpProxy external;
  std::unique_ptr<Process> process;
};

// Thread: one. Lifetime: the destructor kills every process and removes the folder. Failures to set
// up end the program with what the logs say.
class Cluster {
 public:
  struct Options {
    // Further arguments of the server.
    std::vector<std::string> server_arguments = {};
    // Of the server and all ICGs, as in Process.
    std::vector<std::string> environment = {};
    // Whether the server answers with an RSA certificate of a CA of the administrator's.
    bool rsa_certificate = false;
  };

  Cluster();
  explicit Cluster(const Options& options);
  ~Cluster();

  // Starts the server (again), on the same port and folder, and logs in.
  void StartServer();
  void LogIn();
  void KillServer();
  // SIGTERM, and the exit status.
  ExitStatus StopServer();

  // Enrols (the first time) and starts an agent, and waits until the server shows it ONLINE.
  void StartDevice(const std::string& unit_id, const DeviceOptions& options = {});
  // The same without waiting.
  void LaunchDevice(const std::string& unit_id, const DeviceOptions& options = {});
  // Sets a device's preference of connectors, unless it is that already, and waits until a device
  // that is online has been told.
  void SetPreference(const std::string& unit_id, const std::string& preference);
  Process& device(const std::string& unit_id) { return *devices_.at(unit_id); }
  void KillDevice(const std::string& unit_id);
  // Waits until the device is in `state`.
  bool AwaitDevice(const std::string& unit_id, const std::string& state, absl::Duration limit);

  // What stands between the server and an OS 11 device that it dials.
  TcpProxy& dial_proxy(const std::string& unit_id) { return *dial_proxies_.at(unit_id); }

  // Registers (the first time) and starts an ICG, and waits until the server shows it CONNECTED.
  void StartIcg(const std::string& id, const IcgOptions& options = {});
  // The same without waiting.
  void LaunchIcg(const std::string& id, const IcgOptions& options = {});
  void KillIcg(const std::string& id);
  IcgNode& icg(const std::string& id) { return *icgs_.at(id); }
  nlohmann::json GetIcg(const std::string& id);
  bool AwaitIcg(const std::string& id, const std::string& state, absl::Duration limit);

  // Creates a session; the reply's body, or ends the program if it fails.
  nlohmann::json CreateSession(const std::string& unit_id,
                               const nlohmann::json& request = nlohmann::json::object());
  // Creates a session and opens its Console leg.
  std::unique_ptr<ConsoleLeg> Open(
      const std::string& unit_id, nlohmann::json* session = nullptr,
      const nlohmann::json& request = nlohmann::json::object(),
      ConsoleLeg::Acknowledge acknowledge = ConsoleLeg::Acknowledge::kEvery64KiB);
  nlohmann::json GetSession(const std::string& name);
  // Waits until the session is in `state`, and returns it.
  nlohmann::json AwaitSession(const std::string& name, const std::string& state,
                              absl::Duration limit = absl::Seconds(30));
  // The sessions that have not ended.
  std::size_t UnendedSessions();

  Api& api() { return *api_; }
  Process& server() { return *server_; }
  std::uint16_t port() const { return port_; }
  const std::string& folder() const { return folder_; }
  // What verifies the server and its ICGs.
  std::string ca_file() const {
    return folder_ + (options_.rsa_certificate ? "/ca_bundle.pem" : "/server/ca.pem");
  }
  std::string password_file() const { return folder_ + "/server/admin_password"; }
  std::string Log(const std::string& name) const;

  // Runs the console's command line to its end and returns its status; output goes to *output.
  ExitStatus Console(const std::vector<std::string>& arguments, const std::string& input,
                     std::string* output);
  // Starts the console; what it prints goes to the log of that name.
  std::unique_ptr<Process> LaunchConsole(const std::vector<std::string>& arguments,
                                         const std::string& log);

 private:
  [[noreturn]] void Fail(const std::string& what);
  // Starts `process` and waits for the port that it writes to `port_file`.
  std::unique_ptr<Process> StartListening(const Process::Options& process,
                                          const std::string& port_file, std::uint16_t* port);
  void MakeRsaCertificate();
  Process::Options ConsoleProcess(const std::vector<std::string>& arguments) const;
  void EnsureKey(const std::string& folder);
  void SetAddress(const std::string& unit_id, std::uint16_t port);

  const Options options_;
  const std::string folder_;
  // With an RSA certificate: the administrator's CA.
  std::string foreign_ca_pem_;
  std::uint16_t port_ = 0;
  int console_runs_ = 0;
  std::unique_ptr<Process> server_;
  std::unique_ptr<Api> api_;
  // The preferences that were set, by unit ID.
  std::map<std::string, std::string> preferences_;
  std::map<std::string, std::unique_ptr<TcpProxy>> dial_proxies_;
  std::map<std::string, std::unique_ptr<IcgNode>> icgs_;
  std::map<std::string, std::unique_ptr<Process>> devices_;
};

// "CONSOLE_REQUESTED", ... of a session's timeline, in order.
std::vector<std::string> Steps(const nlohmann::json& session);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_CLUSTER_H_
