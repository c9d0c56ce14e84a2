// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What the files of the command line share: all that it can say, and the command that it names.
#ifndef FAIRLEAD_CONSOLE_CLI_ARGUMENTS_H_
#define FAIRLEAD_CONSOLE_CLI_ARGUMENTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status.h"
#include "console/command_support.h"

namespace CLI {
class App;
}  // namespace CLI

namespace fairlead::console {

// Everything that the command line can say.
struct Arguments {
  std::string server;
  std::string ca_file;
  std::string fingerprint;
  std::string proxy;
  std::string output = "table";
  bool grpc = false;
  std::string log_level = "error";
  // Set by doctor, which waits less.
  absl::Duration call_timeout = kCallTimeout;

  std::string username;
  std::string password_file;
  std::string device;
  std::string filter;
  std::string profile;
  std::string reason;
  std::string session;
  std::string key;
  std::string key_type = "one-time";
  std::vector<std::string> unit_ids;
  std::string key_name;
  int limit = 100;

  // connect --listen.
  std::string listen;
  bool keep = false;
  bool allow_remote = false;

  // devices create and update. What was not given stays unset.
  std::string display_name;
  std::string address;
  std::string os;
  std::string connector_preference;
  // devices create, tag and untag.
  std::vector<std::string> tags;

  // icgs.
  std::string icg;
  std::string internal_address;
  std::string external_address;
  std::vector<std::string> sans;
  std::uint32_t max_devices = 0;
  std::string grace;
  std::string icg_proxy;
  std::string bundle;
  bool force = false;
};

using Command = std::function<absl::StatusOr<int>(CommandContext&)>;

// A command that gives no exit code of its own.
template <typename Work>
Command Plain(Work work) {
  return [work](CommandContext& context) -> absl::StatusOr<int> {
    FAIRLEAD_RETURN_IF_ERROR(work(context));
    return 0;
  };
}

// Adds the commands about devices and ICGs, and doctor. The arguments and the command must outlive
// the app.
void AddFleetCommands(CLI::App& app, Arguments& arguments, Command& command);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_CLI_ARGUMENTS_H_
