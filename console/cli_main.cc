// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The console's command line: parses arguments, finds the server and the token, runs one command.
// Exit codes: 0 done, 1 the command failed, 2 bad arguments; connect passes the program's on.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/status.h"
#include "console/api_client.h"
#include "console/cli_arguments.h"
#include "console/cli_mistakes.h"
#include "console/commands.h"
#include "console/connect.h"
#include "console/listen.h"
#include "console/saved_state.h"
#include "console/tell.h"
#include "console/tty.h"

namespace fairlead::console {
namespace {

constexpr int kBadArguments = 2;

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What the arguments say, else what was saved by login.
absl::StatusOr<SavedState> FindServer(const Arguments& arguments) {
  SavedState state;
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string path, SavedStatePath());
  absl::StatusOr<SavedState> saved = LoadState(path);
  if (saved.ok()) {
    state = *std::move(saved);
  } else if (!absl::IsNotFound(saved.status())) {
    return saved.status();
  }
  if (!arguments.server.empty() && arguments.server != state.server) {
    // A token of one server is never shown to another.
    state = SavedState();
    state.server = arguments.server;
  }
  if (!arguments.ca_file.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(state.ca_pem, ReadWhole(arguments.ca_file));
    state.fingerprint.clear();
  }
  if (!arguments.fingerprint.empty()) {
    const bool known = state.fingerprint == arguments.fingerprint;
    state.fingerprint = arguments.fingerprint;
    if (arguments.ca_file.empty() && !known) state.ca_pem.clear();
  }
  if (state.server.empty()) {
    return absl::FailedPreconditionError(
        "which server? Log in first: login --server https://HOST:8443 --ca_file FILE");
  }
  if (state.ca_pem.empty() && state.fingerprint.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "how is ", state.server, " to be trusted? Give --ca_file FILE or --fingerprint SHA256"));
  }
  return state;
}

absl::StatusOr<std::string> Password(const Arguments& arguments) {
  if (arguments.password_file.empty()) {
    return AskSecret(absl::StrCat("Password of ", arguments.username, ": "));
  }
  FAIRLEAD_ASSIGN_OR_RETURN(std::string text, ReadWhole(arguments.password_file));
  return std::string(absl::StripSuffix(text, "\n"));
}

v1::FirstAuthenticationKey KeyFrom(const Arguments& arguments) {
  v1::FirstAuthenticationKey key;
  if (arguments.key_type == "mass-deployment") {
    key.set_type(v1::FirstAuthenticationKey::MASS_DEPLOYMENT);
  } else if (arguments.key_type == "one-time-bound") {
    key.set_type(v1::FirstAuthenticationKey::ONE_TIME_BOUND);
  } else {
    key.set_type(v1::FirstAuthenticationKey::ONE_TIME);
  }
  key.set_display_name(arguments.key_name);
  for (const std::string& unit_id : arguments.unit_ids) key.add_unit_ids(unit_id);
  return key;
}

absl::StatusOr<int> RunConnect(const Arguments& a, CommandContext& context) {
  const ConnectRequest request{a.device, a.profile, a.reason};
  const ServerAddress server = ServerOf(context);
  if (a.listen.empty()) return Connect(context.api, context.state.token, server, request);
  ListenOptions options;
  options.keep = a.keep;
  FAIRLEAD_ASSIGN_OR_RETURN(options.address,
                            ParseListenAddress(a.listen, a.allow_remote ? RemoteClients::kAllowed
                                                                        : RemoteClients::kRefused));
  return Listen(context.api, context.state.token, server, request, options);
}

void AddSessionCommands(CLI::App& app, Arguments& a, Command& command) {
  CLI::App* connect = app.add_subcommand("connect", "Open a terminal on a device");
  connect->add_option("device", a.device, "The device's unit ID")->required();
  connect->add_option("--profile", a.profile, "A profile of the device's configuration");
  connect->add_option("--reason", a.reason, "Why, for the audit log");
  CLI::Option* listen = connect->add_option(
      "--listen", a.listen,
      "Offer the terminal to an outside client (PuTTY, telnet, nc) at 127.0.0.1:PORT; port 0 takes "
      "a free one");
  connect->add_flag("--keep", a.keep, "With --listen: go on after the first client")->needs(listen);
  connect
      ->add_flag("--allow_remote", a.allow_remote,
                 "With --listen: allow an address that other hosts can reach")
      ->needs(listen);
  connect->callback([&a, &command] {
    command = [&a](CommandContext& context) { return RunConnect(a, context); };
  });
  CLI::App* sessions = app.add_subcommand("sessions", "List sessions, newest first");
  sessions->add_option("--filter", a.filter, "For example \"state=ACTIVE user=users/admin\"");
  sessions->add_option("--limit", a.limit, "The most to list (100)")->check(CLI::Range(1, 100000));
  sessions->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return Sessions(c, a.filter, a.limit); });
  });
  CLI::App* terminate = app.add_subcommand("terminate", "End a session");
  terminate->add_option("session", a.session, "The session's name")->required();
  terminate->add_option("--reason", a.reason, "Why, for the audit log and the person");
  terminate->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return Terminate(c, a.session, a.reason); });
  });
}

void AddKeyCommands(CLI::App& app, Arguments& a, Command& command) {
  CLI::App* keys =
      app.add_subcommand("keys", "First-authentication keys, with which devices enrol");
  keys->require_subcommand(0, 1);
  CLI::App* create = keys->add_subcommand("create", "Create a key and show it once");
  create->add_option("--type", a.key_type, "one-time, one-time-bound or mass-deployment")
      ->check(CLI::IsMember({"one-time", "one-time-bound", "mass-deployment"}));
  create->add_option("--unit_id", a.unit_ids, "A device that a bound key is for; repeatable")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  create->add_option("--name", a.key_name, "A name for people");
  create->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return CreateKey(c, KeyFrom(a)); });
  });
  keys->add_subcommand("list", "List keys, newest first")->callback([&command] {
    command = Plain(ListKeys);
  });
  CLI::App* disable = keys->add_subcommand("disable", "Disable a key for good");
  disable->add_option("key", a.key, "The key's name")->required();
  disable->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return DisableKey(c, a.key); });
  });
  CLI::App* remove = keys->add_subcommand("delete", "Delete a key");
  remove->add_option("key", a.key, "The key's name")->required();
  remove->callback(
      [&a, &command] { command = Plain([&a](CommandContext& c) { return DeleteKey(c, a.key); }); });
}

void AddCommands(CLI::App& app, Arguments& a, Command& command) {
  CLI::App* login = app.add_subcommand("login", "Log in and keep the token");
  login->add_option("--username", a.username, "The user")->required();
  login->add_option("--password_file", a.password_file, "Else the password is asked for");
  login->callback([&a, &command] {
    command = Plain([&a](CommandContext& context) -> absl::Status {
      FAIRLEAD_ASSIGN_OR_RETURN(const std::string password, Password(a));
      context.state.username = a.username;
      return Login(context, password);
    });
  });
  app.add_subcommand("logout", "Revoke the token")->callback([&command] {
    command = Plain(Logout);
  });
  AddSessionCommands(app, a, command);
  AddKeyCommands(app, a, command);
  AddFleetCommands(app, a, command);
  CLI::App* audit = app.add_subcommand("audit", "Show the audit log, newest first");
  audit->add_option("--filter", a.filter, "For example \"actor=users/admin outcome=REFUSED\"");
  audit->add_option("--limit", a.limit, "The most to show (100)")->check(CLI::Range(1, 1000000));
  audit->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return Audit(c, a.filter, a.limit); });
  });
}

absl::StatusOr<int> RunCommand(const Arguments& arguments, const Command& command) {
  FAIRLEAD_RETURN_IF_ERROR(InitLog("console", arguments.log_level));
  FAIRLEAD_ASSIGN_OR_RETURN(SavedState state, FindServer(arguments));
  ServerAddress server;
  server.url = state.server;
  server.trust.ca_pem = state.ca_pem;
  server.trust.sha256_fingerprint = state.fingerprint;
  server.proxy = arguments.proxy;
  server.call_timeout = arguments.call_timeout;
  FAIRLEAD_ASSIGN_OR_RETURN(std::unique_ptr<ApiClient> api,
                            arguments.grpc ? NewGrpcClient(server) : NewRestClient(server));
  CommandContext context{*api, std::move(state),
                         arguments.output == "json" ? OutputFormat::kJson : OutputFormat::kTable,
                         arguments.proxy};
  return command(context);
}

// Says what is wrong, or gives the help that was asked for; gives the exit code.
int Refuse(const CLI::App& app, const CLI::ParseError& error) {
  const bool is_help = error.get_exit_code() == 0;
  const std::string mistake = is_help ? "" : FindMistake(app);
  if (mistake.empty()) {
    app.exit(error);
  } else {
    Tell(mistake);
  }
  return is_help ? 0 : kBadArguments;
}

int Main(int argc, char** argv) {
  CLI::App app("Fairlead's console: terminals on the devices of a fleet.", "console");
  Arguments arguments;
  Command command;
  app.require_subcommand(0, 1);
  app.fallthrough();
  // As with any flag, the last one counts: scripts append to what a wrapper gives.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--server", arguments.server, "https://HOST:PORT (else the one logged in to)")
      ->envname("FAIRLEAD_SERVER");
  app.add_option("--ca_file", arguments.ca_file, "PEM file of the CA that signed the server")
      ->envname("FAIRLEAD_CA_FILE");
  app.add_option("--fingerprint", arguments.fingerprint,
                 "SHA-256 of the server's or its CA's certificate, in place of --ca_file");
  app.add_option("--proxy", arguments.proxy, "http://HOST:PORT of an HTTP proxy to go through")
      ->envname("FAIRLEAD_PROXY");
  app.add_option("--output", arguments.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_flag("--grpc", arguments.grpc, "Call the typed gRPC services in place of REST");
  app.add_option("--log_level", arguments.log_level, "debug, info, warn or error");
  app.set_config("--flagfile", "", "Read options from a file");
  AddCommands(app, arguments, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Refuse(app, error);
  }
  if (command == nullptr) {
    Tell(FindMistake(app));
    return kBadArguments;
  }
  const absl::StatusOr<int> result = RunCommand(arguments, command);
  if (result.ok()) return *result;
  Tell(result.status().message());
  return 1;
}

}  // namespace
}  // namespace fairlead::console

int main(int argc, char** argv) { return fairlead::console::Main(argc, argv); }
