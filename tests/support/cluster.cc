// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See cluster.h.
#include "tests/support/cluster.h"

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "dataplane/testing/test_pki.h"

namespace fairlead::tests {
namespace {

std::string NewFolder() {
  const char* base = std::getenv("TEST_TMPDIR");
  std::string pattern = absl::StrCat(base == nullptr ? "/tmp" : base, "/cluster.XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), 0600);
}

// The first one is the default.
constexpr char kProfiles[] = R"(
profiles {
  name: "sh"
  argv: "/bin/sh"
  environment { key: "PS1" value: "fairlead> " }
}
profiles { name: "cat" argv: "/bin/cat" }
profiles { name: "seven" argv: "/bin/sh" argv: "-c" argv: "printf x; exit 7" }
profiles {
  name: "three"
  argv: "/bin/sh" argv: "-c" argv: "head -c 1048576 /dev/zero | tr '\\000' a; exit 3"
}
profiles { name: "size" argv: "/bin/sh" argv: "-c" argv: "stty size" }
profiles { name: "killed" argv: "/bin/sh" argv: "-c" argv: "printf x; kill -KILL $$" }
profiles { name: "broken" argv: "/nonexistent/program" }
)";

}  // namespace

Cluster::Cluster() : Cluster(Options()) {}

Cluster::Cluster(const Options& options) : options_(options), folder_(NewFolder()) {
  WriteFile(folder_ + "/profiles.textproto", kProfiles);
  if (options_.rsa_certificate) MakeRsaCertificate();
  StartServer();
}

void Cluster::MakeRsaCertificate() {
  const dataplane::testing::TestCa ca("the administrator's CA");
  dataplane::testing::LeafSpec leaf;
  leaf.key = dataplane::testing::KeyKind::kRsa2048;
  const dataplane::TlsIdentity identity = ca.Issue(leaf);
  WriteFile(folder_ + "/rsa.pem", identity.certificate_chain_pem);
  WriteFile(folder_ + "/rsa_key.pem", identity.private_key_pem);
  foreign_ca_pem_ = ca.pem();
}

Cluster::~Cluster() {
  devices_.clear();
  icgs_.clear();
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Cluster::Fail(const std::string& what) {
  std::fprintf(stderr, "cluster: %s\n--- server ---\n%s\n", what.c_str(), Log("server").c_str());
  for (const auto& icg : icgs_) {
    std::fprintf(stderr, "--- %s ---\n%s\n", icg.first.c_str(), Log(icg.first).c_str());
  }
  for (const auto& device : devices_) {
    std::fprintf(stderr, "--- %s ---\n%s\n", device.first.c_str(), Log(device.first).c_str());
  }
  std::abort();
}

std::string Cluster::Log(const std::string& name) const {
  return ReadFile(absl::StrCat(folder_, "/", name, ".log")).value_or("");
}

std::unique_ptr<Process> Cluster::StartListening(const Process::Options& process,
                                                 const std::string& port_file,
                                                 std::uint16_t* port) {
  std::filesystem::remove(port_file);
  std::unique_ptr<Process> started = Process::Start(process);
  const bool ready = Eventually(absl::Seconds(60), [&] {
    if (started->Wait(absl::ZeroDuration()).has_value()) {
      Fail(absl::StrCat(process.argv[0],
                        " ended at once: ", ReadFile(process.log_path).value_or("")));
    }
    const std::string text(absl::StripSuffix(ReadFile(port_file).value_or(""), "\n"));
    int number = 0;
    if (!absl::SimpleAtoi(text, &number)) return false;
    *port = static_cast<std::uint16_t>(number);
    return true;
  });
  if (!ready) {
    Fail(absl::StrCat(process.argv[0],
                      " did not write its port: ", ReadFile(process.log_path).value_or("")));
  }
  return started;
}

void Cluster::StartServer() {
  const std::string port_file = folder_ + "/port";
  Process::Options process;
  process.argv = {Runfile("control/server"), absl::StrCat("--listen=127.0.0.1:", port_),
                  absl::StrCat("--state_dir=", folder_, "/server"),
                  absl::StrCat("--port_file=", port_file), "--sessions_per_user_per_minute=0"};
  process.argv.insert(process.argv.end(), options_.server_arguments.begin(),
                      options_.server_arguments.end());
  if (options_.rsa_certificate) {
    process.argv.push_back(absl::StrCat("--tls_certificate_file=", folder_, "/rsa.pem"));
    process.argv.push_back(absl::StrCat("--tls_key_file=", folder_, "/rsa_key.pem"));
  }
  process.log_path = folder_ + "/server.log";
  process.environment = options_.environment;
  server_ = StartListening(process, port_file, &port_);
  if (options_.rsa_certificate) {
    WriteFile(ca_file(), foreign_ca_pem_ + ReadFile(folder_ + "/server/ca.pem").value_or(""));
  }
  api_ = std::make_unique<Api>(absl::StrCat("https://localhost:", port_),
                               ReadFile(ca_file()).value_or(""));
  LogIn();
}

void Cluster::LogIn() {
  const std::string password = ReadFile(password_file()).value_or("");
  if (!api_->Login("admin", std::string(absl::StripSuffix(password, "\n")))) Fail("cannot log in");
}

void Cluster::KillServer() {
  server_->Signal(SIGKILL);
  server_->Wait(absl::InfiniteDuration());
}

ExitStatus Cluster::StopServer() {
  server_->Signal(SIGTERM);
  const auto status = server_->Wait(absl::Seconds(30));
  if (!status.has_value()) Fail("the server does not stop");
  return *status;
}

void Cluster::EnsureKey(const std::string& folder) {
  if (std::filesystem::exists(folder)) return;
  std::filesystem::create_directory(folder);
  const Reply key = api_->Call("POST", "/api/v1/firstAuthenticationKeys", {{"type", "ONE_TIME"}});
  if (key.status != 200) Fail(absl::StrCat("cannot create a key: ", key.body.dump()));
  WriteFile(folder + "/key", key.body.value("key", ""));
}

void Cluster::SetPreference(const std::string& unit_id, const std::string& preference) {
  if (std::exchange(preferences_[unit_id], preference) == preference) return;
  const nlohmann::json wanted = {{"unitId", unit_id}, {"connectorPreference", preference}};
  if (api_->Call("POST", "/api/v1/devices", wanted).status == 200) return;
  const Reply changed = api_->Call("PATCH", absl::StrCat("/api/v1/devices/", unit_id),
                                   {{"connectorPreference", preference}});
  if (changed.status != 200) {
    Fail(absl::StrCat(unit_id, ": its preference cannot be set: ", changed.body.dump()));
  }
  if (changed.body.value("/connection/state"_json_pointer, "") != "ONLINE") return;
  const bool told = Eventually(absl::Seconds(30), [&] {
    const std::string log = Log(unit_id);
    const std::size_t at = log.rfind("preference: ");
    return at != std::string::npos && log.compare(at + 12, preference.size(), preference) == 0;
  });
  if (!told) Fail(absl::StrCat(unit_id, " was not told its preference"));
}

void Cluster::LaunchDevice(const std::string& unit_id, const DeviceOptions& options) {
  const std::string folder = absl::StrCat(folder_, "/", unit_id);
  EnsureKey(folder);
  SetPreference(unit_id, !options.preference.empty() ? options.preference
                         : options.icg.empty()       ? "SERVER"
                                                     : "ICG");
  std::uint16_t port = options.icg.empty() ? port_ : icg(options.icg).external.port();
  if (options.port != 0) port = options.port;
  Process::Options process;
  process.argv = {Runfile("device/agent"),
                  absl::StrCat("--os=", options.os),
                  absl::StrCat("--server=localhost:", port),
                  absl::StrCat("--unit_id=", unit_id),
                  absl::StrCat("--state_dir=", folder),
                  absl::StrCat("--key_file=", folder, "/key"),
                  absl::StrCat("--ca_file=", ca_file()),
                  absl::StrCat("--profiles_file=", folder_, "/profiles.textproto")};
  process.argv.insert(process.argv.end(), options.arguments.begin(), options.arguments.end());
  process.log_path = absl::StrCat(folder_, "/", unit_id, ".log");
  process.environment = {"PS1=fairlead> ", "ENV=", "HISTFILE=/dev/null"};
  process.environment.insert(process.environment.end(), options.environment.begin(),
                             options.environment.end());
  if (options.os != 11 || !options.icg.empty()) {
    if (options.os == 11) process.argv.push_back("--listen=none");
    devices_[unit_id] = Process::Start(process);
    return;
  }
  const std::string port_file = folder + "/port";
  process.argv.push_back("--listen=127.0.0.1:0");
  process.argv.push_back(absl::StrCat("--port_file=", port_file));
  std::uint16_t listening = 0;
  devices_[unit_id] = StartListening(process, port_file, &listening);
  SetAddress(unit_id, listening);
}

// The device keeps its address, whatever port it listens on after a restart.
void Cluster::SetAddress(const std::string& unit_id, std::uint16_t port) {
  std::unique_ptr<TcpProxy>& proxy = dial_proxies_[unit_id];
  if (proxy == nullptr) proxy = std::make_unique<TcpProxy>();
  proxy->SetTarget(port);
  const std::string path = absl::StrCat("/api/v1/devices/", unit_id);
  const bool set = Eventually(absl::Seconds(60), [&] {
    return api_->Call("PATCH", path, {{"address", absl::StrCat("localhost:", proxy->port())}})
               .status == 200;
  });
  if (!set) Fail(absl::StrCat(unit_id, ": its address cannot be set"));
}

void Cluster::StartDevice(const std::string& unit_id, const DeviceOptions& options) {
  LaunchDevice(unit_id, options);
  if (!AwaitDevice(unit_id, "ONLINE", absl::Seconds(60))) {
    Fail(absl::StrCat(unit_id, " does not come online"));
  }
}

void Cluster::LaunchIcg(const std::string& id, const IcgOptions& options) {
  const std::string bundle = absl::StrCat(folder_, "/", id, ".bundle");
  std::unique_ptr<IcgNode>& node = icgs_[id];
  if (node == nullptr) {
    node = std::make_unique<IcgNode>();
    nlohmann::json icg = options.fields;
    icg["name"] = absl::StrCat("icgs/", id);
    icg["internalAddress"] = absl::StrCat(options.scheme, "://localhost:", node->internal.port());
    icg["externalAddress"] = absl::StrCat("localhost:", node->external.port());
    const Reply reply = api_->Call("POST", "/api/v1/icgs", {{"icg", icg}});
    if (reply.status != 200) Fail(absl::StrCat("cannot register ", id, ": ", reply.body.dump()));
    WriteFile(bundle, reply.body.dump());
  }
  const std::string port_file = absl::StrCat(folder_, "/", id, ".port");
  Process::Options process;
  process.argv = {Runfile("gateway/icg"), "--listen=127.0.0.1:0", absl::StrCat("--bundle=", bundle),
                  absl::StrCat("--port_file=", port_file)};
  process.log_path = absl::StrCat(folder_, "/", id, ".log");
  process.environment = options_.environment;
  std::uint16_t port = 0;
  node->process = StartListening(process, port_file, &port);
  node->internal.SetTarget(port);
  node->external.SetTarget(port);
}

void Cluster::StartIcg(const std::string& id, const IcgOptions& options) {
  LaunchIcg(id, options);
  if (!AwaitIcg(id, "CONNECTED", absl::Seconds(60))) {
    Fail(absl::StrCat(id, " is not connected: ", GetIcg(id).dump()));
  }
}

void Cluster::KillIcg(const std::string& id) {
  icg(id).process->Signal(SIGKILL);
  icg(id).process->Wait(absl::InfiniteDuration());
}

nlohmann::json Cluster::GetIcg(const std::string& id) {
  const Reply reply = api_->Call("GET", "/api/v1/icgs");
  for (const nlohmann::json& icg : reply.body.value("icgs", nlohmann::json::array())) {
    if (icg.value("name", "") == absl::StrCat("icgs/", id)) return icg;
  }
  return nlohmann::json::object();
}

bool Cluster::AwaitIcg(const std::string& id, const std::string& state, absl::Duration limit) {
  return Eventually(limit, [&] { return GetIcg(id).value("state", "") == state; });
}

void Cluster::KillDevice(const std::string& unit_id) {
  device(unit_id).Signal(SIGKILL);
  device(unit_id).Wait(absl::InfiniteDuration());
}

bool Cluster::AwaitDevice(const std::string& unit_id, const std::string& state,
                          absl::Duration limit) {
  return Eventually(limit, [&] {
    const Reply reply = api_->Call("GET", absl::StrCat("/api/v1/devices/", unit_id));
    return reply.status == 200 && reply.body.value("/connection/state"_json_pointer, "") == state;
  });
}

nlohmann::json Cluster::CreateSession(const std::string& unit_id, const nlohmann::json& request) {
  const Reply reply =
      api_->Call("POST", absl::StrCat("/api/v1/devices/", unit_id, "/sessions"), request);
  if (reply.status != 200) Fail(absl::StrCat("cannot create a session: ", reply.body.dump()));
  return reply.body;
}

std::unique_ptr<ConsoleLeg> Cluster::Open(const std::string& unit_id, nlohmann::json* session,
                                          const nlohmann::json& request,
                                          ConsoleLeg::Acknowledge acknowledge) {
  const nlohmann::json created = CreateSession(unit_id, request);
  if (session != nullptr) *session = created;
  const auto stream = created.value("stream", "") == "TELNET" ? ConsoleLeg::Stream::kTelnet
                                                              : ConsoleLeg::Stream::kPty;
  return std::make_unique<ConsoleLeg>(created.value("consoleUrl", ""),
                                      created.value("consoleTicket", ""), api_->tls(), acknowledge,
                                      stream);
}

nlohmann::json Cluster::GetSession(const std::string& name) {
  return api_->Call("GET", absl::StrCat("/api/v1/", name)).body;
}

nlohmann::json Cluster::AwaitSession(const std::string& name, const std::string& state,
                                     absl::Duration limit) {
  nlohmann::json session;
  const bool reached = Eventually(limit, [&] {
    session = GetSession(name);
    return session.value("state", "") == state;
  });
  if (!reached) Fail(absl::StrCat(name, " is not ", state, " but ", session.dump()));
  return session;
}

std::size_t Cluster::UnendedSessions() {
  std::size_t count = 0;
  for (const char* state : {"OPENING", "ACTIVE"}) {
    const Reply reply =
        api_->Call("GET", absl::StrCat("/api/v1/sessions?pageSize=1000&filter=state%3D", state));
    if (reply.status != 200) Fail(absl::StrCat("cannot list sessions: ", reply.body.dump()));
    count += reply.body.value("sessions", nlohmann::json::array()).size();
  }
  return count;
}

Process::Options Cluster::ConsoleProcess(const std::vector<std::string>& arguments) const {
  Process::Options process;
  process.argv = {Runfile("console/cli"), "--server", api_->url(), "--ca_file", ca_file()};
  process.argv.insert(process.argv.end(), arguments.begin(), arguments.end());
  process.environment = {absl::StrCat("XDG_STATE_HOME=", folder_, "/console")};
  return process;
}

std::unique_ptr<Process> Cluster::LaunchConsole(const std::vector<std::string>& arguments,
                                                const std::string& log) {
  Process::Options process = ConsoleProcess(arguments);
  process.log_path = absl::StrCat(folder_, "/", log, ".log");
  return Process::Start(process);
}

ExitStatus Cluster::Console(const std::vector<std::string>& arguments, const std::string& input,
                            std::string* output) {
  const std::string name = absl::StrCat(folder_, "/console", ++console_runs_);
  WriteFile(name + ".in", input);
  Process::Options process = ConsoleProcess(arguments);
  process.stdin_path = name + ".in";
  process.stdout_path = name + ".out";
  process.log_path = name + ".log";
  const auto status = Process::Start(process)->Wait(absl::Seconds(120));
  *output = ReadFile(name + ".out").value_or("") + ReadFile(name + ".log").value_or("");
  if (!status.has_value()) Fail(absl::StrCat("the console hangs: ", *output));
  return *status;
}

std::vector<std::string> Steps(const nlohmann::json& session) {
  std::vector<std::string> steps;
  for (const nlohmann::json& entry : session.value("timeline", nlohmann::json::array())) {
    steps.push_back(entry.value("step", ""));
  }
  return steps;
}

}  // namespace fairlead::tests
