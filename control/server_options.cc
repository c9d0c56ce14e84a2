// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See server_options.h.
#include "control/server_options.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/flag_checks.h"
#include "base/state_file.h"
#include "base/status.h"

namespace fairlead::control {
namespace {

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
    return BadFlag("state_dir", "", "a folder for keys and store, for example /var/lib/fairlead");
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckLogLevel(flags.log_level));
  if (flags.tls_certificate_file.empty() != flags.tls_key_file.empty()) {
    return absl::InvalidArgumentError(
        "--tls_certificate_file and --tls_key_file: give both, or neither for a certificate of "
        "the server's own CA");
  }
  return absl::OkStatus();
}

absl::Status CheckOrigins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    absl::string_view host = origin;
    const bool has_scheme =
        absl::ConsumePrefix(&host, "https://") || absl::ConsumePrefix(&host, "http://");
    if (!has_scheme || host.empty() || host.find_first_of("/?#@* ") != absl::string_view::npos) {
      return BadFlag("allowed_origins", origin,
                     "scheme and host, with the port unless it is the scheme's own, and nothing "
                     "after it, for example https://terminal.example");
    }
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
  if (password->empty())
    return BadFlag("admin_password_file", flags.admin_password_file, "a password");
  options.admin_password = *std::move(password);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerOptions> FinalizeServerFlags(const ServerFlags& flags) {
  ServerOptions options;
  FAIRLEAD_ASSIGN_OR_RETURN(options.listen, ReadListenFlag(flags.listen));
  FAIRLEAD_ASSIGN_OR_RETURN(options.metrics, ReadMetricsFlag(flags.metrics));
  if (!flags.public_address.empty()) {
    FAIRLEAD_RETURN_IF_ERROR(CheckHostPort("public_address", flags.public_address, 1));
  }
  FAIRLEAD_RETURN_IF_ERROR(CheckNumbers(flags));
  FAIRLEAD_RETURN_IF_ERROR(CheckWords(flags));
  FAIRLEAD_RETURN_IF_ERROR(CheckOrigins(flags.allowed_origins));
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
  options.allowed_origins = flags.allowed_origins;
  options.consoles_through_server = flags.consoles_through_server;
  options.port_file = flags.port_file;
  options.web_folder = flags.web_folder;
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
      "\nallowed_origins=", absl::StrJoin(options.allowed_origins, ","),
      "\nconsoles_through_server=", options.consoles_through_server ? "true" : "false",
      "\nport_file=", options.port_file, "\nmetrics=", options.metrics ? "open" : "off",
      "\nweb_folder=", options.web_folder, "\n");
}

}  // namespace fairlead::control
