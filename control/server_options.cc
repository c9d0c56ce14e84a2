// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See server_options.h.
#include "control/server_options.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "control/state_file.h"

namespace fairlead::control {
namespace {

absl::Status Bad(absl::string_view flag, absl::string_view value, absl::string_view takes) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", value, ": wants ", takes));
}

absl::Status CheckRange(absl::string_view flag, int value, int least, int most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Bad(flag, absl::StrCat(value), absl::StrCat("a number from ", least, " to ", most));
}

// "host:port", "192.0.2.1:port" or "[::1]:port", with a port from `least_port` on.
absl::Status CheckHostPort(absl::string_view flag, absl::string_view value, int least_port) {
  const std::size_t colon = value.rfind(':');
  int port = -1;
  const bool good =
      colon != absl::string_view::npos && colon > 0 &&
      absl::SimpleAtoi(value.substr(colon + 1), &port) && port >= least_port && port <= 65535 &&
      (absl::StartsWith(value, "[") ? value[colon - 1] == ']'
                                    : !absl::StrContains(value.substr(0, colon), ":"));
  if (good) return absl::OkStatus();
  return Bad(flag, value, "host:port, for example 0.0.0.0:8443 or [::]:8443");
}

std::vector<std::string> DefaultServerNames() {
  std::vector<std::string> names = {"localhost"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') {
    const std::string name = absl::AsciiStrToLower(host.data());
    if (name != "localhost") names.push_back(name);
  }
  names.push_back("127.0.0.1");
  names.push_back("::1");
  return names;
}

absl::Status CheckNumbers(const ServerFlags& flags) {
  FAIRLEAD_RETURN_IF_ERROR(CheckRange("io_threads", flags.io_threads, 0, 256));
  FAIRLEAD_RETURN_IF_ERROR(CheckRange("worker_threads", flags.worker_threads, 2, 256));
  FAIRLEAD_RETURN_IF_ERROR(
      CheckRange("sessions_per_user_per_minute", flags.sessions_per_user_per_minute, 0, 1'000'000));
  return CheckRange("token_idle_minutes", flags.token_idle_minutes, 1, 43'200);
}

absl::Status CheckWords(const ServerFlags& flags) {
  if (flags.state_dir.empty()) {
    return Bad("state_dir", "", "a folder for keys and store, for example /var/lib/fairlead");
  }
  if (flags.log_level != "debug" && flags.log_level != "info" && flags.log_level != "warn" &&
      flags.log_level != "error") {
    return Bad("log_level", flags.log_level, "debug, info, warn or error");
  }
  if (flags.metrics != "open" && flags.metrics != "off") {
    return Bad("metrics", flags.metrics, "open or off");
  }
  if (flags.tls_certificate_file.empty() != flags.tls_key_file.empty()) {
    return absl::InvalidArgumentError(
        "--tls_certificate_file and --tls_key_file: give both, or neither for a certificate of "
        "the server's own CA");
  }
  return absl::OkStatus();
}

absl::Status ReadPassword(const ServerFlags& flags, ServerOptions& options) {
  if (flags.admin_password_file.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> password = ReadStateFile(flags.admin_password_file);
  if (!password.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--admin_password_file=", flags.admin_password_file, ": ", password.status().message()));
  }
  absl::StripTrailingAsciiWhitespace(&*password);
  if (password->empty()) return Bad("admin_password_file", flags.admin_password_file, "a password");
  options.admin_password = *std::move(password);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerOptions> FinalizeServerFlags(const ServerFlags& flags) {
  ServerOptions options;
  options.listen = absl::StrSplit(flags.listen, ',', absl::SkipWhitespace());
  if (options.listen.empty()) return Bad("listen", "", "at least one host:port");
  for (const std::string& address : options.listen) {
    FAIRLEAD_RETURN_IF_ERROR(CheckHostPort("listen", address, 0));
  }
  if (!flags.public_address.empty()) {
    FAIRLEAD_RETURN_IF_ERROR(CheckHostPort("public_address", flags.public_address, 1));
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckNumbers(flags));
  FAIRLEAD_RETURN_IF_ERROR(CheckWords(flags));
  FAIRLEAD_RETURN_IF_ERROR(ReadPassword(flags, options));
  options.public_address = flags.public_address;
  options.state_dir = flags.state_dir;
  options.server_names = flags.server_names.empty() ? DefaultServerNames() : flags.server_names;
  options.tls_certificate_file = flags.tls_certificate_file;
  options.tls_key_file = flags.tls_key_file;
  options.io_threads = flags.io_threads;
  options.worker_threads = flags.worker_threads;
  options.log_level = flags.log_level;
  options.sessions_per_user_per_minute = flags.sessions_per_user_per_minute;
  options.token_idle_timeout = absl::Minutes(flags.token_idle_minutes);
  options.port_file = flags.port_file;
  options.metrics = flags.metrics == "open";
  return options;
}

std::string PrintServerOptions(const ServerOptions& options) {
  return absl::StrCat(
      "listen=", absl::StrJoin(options.listen, ","), "\npublic_address=",
      options.public_address.empty() ? "localhost:<port>" : options.public_address,
      "\nstate_dir=", options.state_dir,
      "\nserver_names=", absl::StrJoin(options.server_names, ","),
      "\ntls_certificate_file=", options.tls_certificate_file,
      "\ntls_key_file=", options.tls_key_file,
      "\nadmin_password=", options.admin_password.empty() ? "" : "(given)",
      "\nio_threads=", options.io_threads, "\nworker_threads=", options.worker_threads,
      "\nlog_level=", options.log_level,
      "\nsessions_per_user_per_minute=", options.sessions_per_user_per_minute,
      "\ntoken_idle_minutes=", absl::ToInt64Minutes(options.token_idle_timeout),
      "\nport_file=", options.port_file, "\nmetrics=", options.metrics ? "open" : "off", "\n");
}

}  // namespace fairlead::control
