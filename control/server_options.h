// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a person can set on the server: the flags' values, checked. Used by server_main.cc.
#ifndef FAIRLEAD_CONTROL_SERVER_OPTIONS_H_
#define FAIRLEAD_CONTROL_SERVER_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace fairlead::control {

// As the flags of the same names say.
struct ServerFlags {
  std::string listen;
  std::string public_address;
  std::string state_dir;
  std::vector<std::string> server_names;
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string admin_password_file;
  int io_threads = 0;
  int worker_threads = 8;
  std::string log_level;
  int sessions_per_user_per_minute = 100;
  int token_idle_minutes = 30;
  std::vector<std::string> allowed_origins;
  bool consoles_through_server = false;
  std::string port_file;
  std::string metrics;
  std::string web_folder;
};

// Checked.
struct ServerOptions {
  // "host:port" each.
  std::vector<std::string> listen;
  // "host:port"; empty for localhost and the port that is listened on.
  std::string public_address;
  std::string state_dir;
  // DNS names and addresses for the server's certificate.
  std::vector<std::string> server_names;
  // Both, or neither.
  std::string tls_certificate_file;
  std::string tls_key_file;
  // The content of the file; empty for none.
  std::string admin_password;
  int io_threads = 0;
  int worker_threads = 8;
  std::string log_level;
  int sessions_per_user_per_minute = 100;
  absl::Duration token_idle_timeout;
  // "https://host[:port]" each.
  std::vector<std::string> allowed_origins;
  bool consoles_through_server = false;
  std::string port_file;
  bool metrics = true;
  // Empty for the web console that is part of the program.
  std::string web_folder;
};

// Checks the flags' values, fills in what depends on this host and reads the password's file.
// Errors: INVALID_ARGUMENT, naming the flag, its value, and what it takes.
absl::StatusOr<ServerOptions> FinalizeServerFlags(const ServerFlags& flags);

// One "name=value" a line, without secrets.
std::string PrintServerOptions(const ServerOptions& options);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_SERVER_OPTIONS_H_
