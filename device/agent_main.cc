// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The agent: runs on a device, keeps it connected to its server, and gives terminals on it.
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/flag_checks.h"
#include "base/log.h"
#include "base/process.h"
#include "base/status.h"
#include "dataplane/client.h"
#include "device/connectors.h"
#include "device/direct_port.h"
#include "device/identity.h"
#include "device/profiles.h"
#include "device/state_dir.h"
#include "device/unified_client.h"

ABSL_FLAG(std::string, server, "",
          "Where the server or ICG listens: HOST:PORT, or several with commas between, which are "
          "tried in turn. Required. The server may name further places later.");
ABSL_FLAG(std::string, connector_preference, "none",
          "Which kind of the places that the server names is tried first: none, server or icg. A "
          "preference that the server sends wins.");
ABSL_FLAG(std::string, proxy, "",
          "HTTP proxy that all connections of the agent are made through: http://HOST:PORT.");
ABSL_FLAG(int, os, 12,
          "Generation of the operating system: 12, or 11, whose terminals are Telnet streams and "
          "whose server may dial the device.");
ABSL_FLAG(std::string, listen, "",
          "With --os=11: the addresses where servers dial this device, with commas between, by "
          "default 0.0.0.0:30022,[::]:30022; \"none\" for none; port 0 picks one.");
ABSL_FLAG(std::string, port_file, "",
          "With --os=11: file to write the port of the first address to, once it is open.");
ABSL_FLAG(std::string, state_dir, "",
          "Folder for key, certificate and settings; made if missing. Required.");
ABSL_FLAG(std::string, unit_id, "",
          "This device's unit ID; by default the first network interface's hardware address as 12 "
          "hexadecimal digits. Kept in the state folder.");
ABSL_FLAG(std::string, key_file, "",
          "File with the first-authentication key, needed until the device is enrolled. Or set the "
          "environment variable FAIRLEAD_FIRST_AUTHENTICATION_KEY.");
ABSL_FLAG(std::string, ca_file, "",
          "CA certificates (PEM) by which the server is known. Kept in the state folder once the "
          "device is enrolled.");
ABSL_FLAG(std::string, server_fingerprint, "",
          "Instead of --ca_file: SHA-256 of the server's or its CA's certificate, 64 hexadecimal "
          "digits. Kept in the state folder once the device is enrolled.");
ABSL_FLAG(std::string, profiles_file, "",
          "The programs that terminals may run (text format of device/profiles.proto); by default "
          "a log-in shell of the user who runs the agent.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warn or error.");

namespace fairlead::device {
namespace {

constexpr char kKeyVariable[] = "FAIRLEAD_FIRST_AUTHENTICATION_KEY";
constexpr char kCaFile[] = "server_ca.pem";
constexpr char kFingerprintFile[] = "server_fingerprint";

absl::StatusOr<std::string> ReadFile(const std::string& path, absl::string_view flag) {
  std::ifstream file(path);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.str().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", path, " cannot be read, or is empty"));
  }
  return text.str();
}

absl::StatusOr<v1::Device::ConnectorPreference> ParsePreference(const std::string& text) {
  if (text == "none") return v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED;
  if (text == "server") return v1::Device::SERVER;
  if (text == "icg") return v1::Device::ICG;
  return absl::InvalidArgumentError(
      absl::StrCat("--connector_preference=", text, " is neither none, server nor icg"));
}

// Where the device connects, and as what.
absl::Status ReadConnectionFlags(UnifiedClientOptions& options) {
  const std::string servers = absl::GetFlag(FLAGS_server);
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("server", servers, "HOST:PORT"));
  FAIRLEAD_ASSIGN_OR_RETURN(options.servers, ParseEndpoints(servers, "--server"));
  FAIRLEAD_ASSIGN_OR_RETURN(options.connector_preference,
                            ParsePreference(absl::GetFlag(FLAGS_connector_preference)));
  options.proxy = absl::GetFlag(FLAGS_proxy);
  if (!options.proxy.empty()) {
    FAIRLEAD_RETURN_IF_ERROR(Annotate(dataplane::ParseProxy(options.proxy).status(), "--proxy"));
  }
  const int os = absl::GetFlag(FLAGS_os);
  if (os != 11 && os != 12) {
    return absl::InvalidArgumentError(absl::StrCat("--os=", os, " is neither 11 nor 12"));
  }
  options.os_generation = os == 11 ? v1::Device::OS_11 : v1::Device::OS_12;
  return absl::OkStatus();
}

bool HasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// The addresses of the device's own port; empty for none.
absl::StatusOr<std::vector<std::string>> ReadListenFlags() {
  const std::string listen = absl::GetFlag(FLAGS_listen);
  const bool is_os_11 = absl::GetFlag(FLAGS_os) == 11;
  std::vector<std::string> addresses;
  if (!is_os_11 && !listen.empty() && listen != "none") {
    return absl::InvalidArgumentError("--listen is for --os=11; an OS 12 device has no port");
  }
  if (!is_os_11 || listen == "none") {
    if (absl::GetFlag(FLAGS_port_file).empty()) return addresses;
    return absl::InvalidArgumentError("--port_file wants a port: --os=11 with --listen");
  }
  if (!listen.empty()) {
    addresses = absl::StrSplit(listen, ',');
    return addresses;
  }
  addresses.push_back("0.0.0.0:30022");
  if (HasIpv6()) addresses.push_back("[::]:30022");
  return addresses;
}

// Whoever reads the file sees all of it.
absl::Status WritePortFile(std::uint16_t port) {
  const std::string path = absl::GetFlag(FLAGS_port_file);
  if (path.empty()) return absl::OkStatus();
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary);
  file << port << "\n";
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("--port_file=", path, " cannot be written"));
  }
  return absl::OkStatus();
}

// Opens the device's own port, if it has one.
absl::Status OpenPort(net::any_io_executor executor, const std::vector<std::string>& addresses,
                      const StateDir& state, const Identity& identity, const std::string& ca_pem,
                      Terminals& terminals, std::unique_ptr<DirectPort>& port) {
  if (addresses.empty()) return absl::OkStatus();
  dataplane::StreamListenerOptions options;
  options.addresses = addresses;
  port = std::make_unique<DirectPort>(executor, std::move(options), state, identity, ca_pem,
                                      terminals);
  FAIRLEAD_RETURN_IF_ERROR(Annotate(port->Start(), "--listen"));
  spdlog::info("servers may dial this device at port {}", port->ports().front());
  return WritePortFile(port->ports().front());
}

// The hardware address of the first interface that has one, in the order of their names; those of
// real hardware come before bridges and the like.
std::string FirstHardwareAddress() {
  std::set<std::pair<bool, std::string>> interfaces;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net", error)) {
    const bool is_virtual = !std::filesystem::exists(entry.path() / "device", error);
    interfaces.emplace(is_virtual, entry.path().filename());
  }
  for (const auto& [is_virtual, name] : interfaces) {
    std::string address;
    std::ifstream("/sys/class/net/" + name + "/address") >> address;
    address = absl::AsciiStrToUpper(absl::StrReplaceAll(address, {{":", ""}}));
    if (address.size() == 12 && address != "000000000000") return address;
  }
  return "";
}

// Trust given by flags, else what was kept at enrolment.
absl::StatusOr<dataplane::TlsTrust> FindTrust(const StateDir& state) {
  dataplane::TlsTrust trust;
  const std::string ca_file = absl::GetFlag(FLAGS_ca_file);
  trust.sha256_fingerprint = absl::GetFlag(FLAGS_server_fingerprint);
  if (!ca_file.empty() && !trust.sha256_fingerprint.empty()) {
    return absl::InvalidArgumentError("--ca_file and --server_fingerprint exclude each other");
  }
  if (!ca_file.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(trust.ca_pem, ReadFile(ca_file, "ca_file"));
  }
  if (trust.ca_pem.empty() && trust.sha256_fingerprint.empty()) {
    trust.ca_pem = state.Read(kCaFile).value_or("");
    trust.sha256_fingerprint = state.Read(kFingerprintFile).value_or("");
    if (!trust.ca_pem.empty()) trust.sha256_fingerprint.clear();
  }
  if (trust.ca_pem.empty() && trust.sha256_fingerprint.empty()) {
    return absl::InvalidArgumentError(
        "the server cannot be recognised: give --ca_file or --server_fingerprint");
  }
  return trust;
}

// Keeps the trust, so that later starts need no flag. The other kind is emptied last.
absl::Status KeepTrust(const StateDir& state, const dataplane::TlsTrust& trust) {
  if (state.Read(kCaFile).value_or("") == trust.ca_pem &&
      state.Read(kFingerprintFile).value_or("") == trust.sha256_fingerprint) {
    return absl::OkStatus();
  }
  if (!trust.ca_pem.empty()) {
    FAIRLEAD_RETURN_IF_ERROR(state.Write(kCaFile, trust.ca_pem));
    return state.Write(kFingerprintFile, "");
  }
  FAIRLEAD_RETURN_IF_ERROR(state.Write(kFingerprintFile, trust.sha256_fingerprint));
  return state.Write(kCaFile, "");
}

absl::StatusOr<std::string> FindFirstAuthenticationKey() {
  const std::string path = absl::GetFlag(FLAGS_key_file);
  if (!path.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "key_file"));
    return std::string(absl::StripAsciiWhitespace(text));
  }
  return TakeFromEnvironment(kKeyVariable);
}

absl::StatusOr<std::string> FindUnitId(const StateDir& state) {
  std::string unit_id = absl::GetFlag(FLAGS_unit_id);
  if (unit_id.empty() && !state.Read("unit_id").ok()) {
    unit_id = FirstHardwareAddress();
    if (unit_id.empty()) {
      return absl::InvalidArgumentError(
          "no network interface has a hardware address; give --unit_id");
    }
  }
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  if (unit_id.size() > 64 || !std::all_of(unit_id.begin(), unit_id.end(), allowed)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--unit_id=", unit_id, " is not at most 64 letters, digits, '-', '_' or '.'"));
  }
  return unit_id;
}

absl::Status RunAgent() {
  FAIRLEAD_RETURN_IF_ERROR(InitLog("agent", absl::GetFlag(FLAGS_log_level)));
  UnifiedClientOptions options;
  FAIRLEAD_RETURN_IF_ERROR(ReadConnectionFlags(options));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, ReadListenFlags());
  const std::string state_dir = absl::GetFlag(FLAGS_state_dir);
  FAIRLEAD_RETURN_IF_ERROR(CheckGiven("state_dir", state_dir, "FOLDER"));
  FAIRLEAD_ASSIGN_OR_RETURN(options.first_authentication_key, FindFirstAuthenticationKey());
  Profiles profiles = Profiles::Default();
  if (const std::string path = absl::GetFlag(FLAGS_profiles_file); !path.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(profiles, Profiles::Load(path));
  }

  FAIRLEAD_ASSIGN_OR_RETURN(const StateDir state, StateDir::Open(state_dir));
  FAIRLEAD_ASSIGN_OR_RETURN(options.trust, FindTrust(state));
  FAIRLEAD_RETURN_IF_ERROR(
      dataplane::TlsClientContext::Create(options.trust, nullptr, {}).status());
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string unit_id, FindUnitId(state));
  FAIRLEAD_ASSIGN_OR_RETURN(Identity identity, Identity::Load(state, unit_id));
  if (!identity.enrolled() && options.first_authentication_key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("this device is not enrolled yet: give a first-authentication key with "
                     "--key_file or in ",
                     kKeyVariable));
  }
  const dataplane::TlsTrust trust = options.trust;
  const bool enrolled_before = identity.enrolled();
  if (enrolled_before) FAIRLEAD_RETURN_IF_ERROR(KeepTrust(state, trust));
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  options.host_name = host;

  // One thread, the process's first: programs die with the thread that started them.
  net::io_context context;
  UnifiedClient client(context.get_executor(), std::move(options), state, identity,
                       std::move(profiles), SystemClock());
  client.OnEnrolled([&state, trust] { return KeepTrust(state, trust); });
  std::unique_ptr<DirectPort> port;
  FAIRLEAD_RETURN_IF_ERROR(OpenPort(context.get_executor(), addresses, state, identity,
                                    trust.ca_pem, client.terminals(), port));
  net::signal_set signals(context, SIGTERM, SIGINT);
  net::steady_timer patience(context);
  signals.async_wait([&client, &port, &context, &patience](dataplane::error_code error, int) {
    if (error) return;
    spdlog::info("stopping");
    if (port != nullptr) port->Stop();
    client.Stop();
    // Longer than a program may take to end; a server that does not answer is not waited for.
    patience.expires_after(std::chrono::seconds(11));
    patience.async_wait([&context](dataplane::error_code) { context.stop(); });
  });
  net::co_spawn(context, client.Run(), [&context](std::exception_ptr) { context.stop(); });
  spdlog::info("agent {} of {}", kAgentVersion, identity.unit_id());
  context.run();
  return absl::OkStatus();
}

ProgramInfo Program() {
  ProgramInfo program;
  program.name = "agent";
  program.version = kAgentVersion;
  program.main_file = "agent_main.cc";
  program.usage =
      "Fairlead's agent: keeps a device connected to its server and gives terminals on it. For "
      "example:\n  agent --server=ums.example:8443 --ca_file=ca.pem --key_file=key "
      "--state_dir=/var/lib/fairlead\n"
      "--flagfile=FILE reads flags from a file, one a line.";
  return program;
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  const ProgramInfo program = Program();
  absl::Status status = ParseFlags(program, argc, argv);
  if (status.ok()) status = RunAgent();
  if (status.ok()) return 0;
  TellFailure(program, status);
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace
}  // namespace fairlead::device

int main(int argc, char** argv) { return fairlead::device::Main(argc, argv); }
