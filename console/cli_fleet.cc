// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The command line's commands about devices and ICGs, and doctor.
#include "CLI/CLI.hpp"
#include "console/cli_arguments.h"
#include "console/device_commands.h"
#include "console/doctor.h"
#include "console/icg_commands.h"

namespace fairlead::console {
namespace {

v1::Device::ConnectorPreference PreferenceOf(const std::string& text) {
  if (text == "none") return v1::Device::NONE;
  if (text == "server") return v1::Device::SERVER;
  if (text == "icg") return v1::Device::ICG;
  return v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED;
}

// Adds what create and update have in common, and gives the device that the arguments say.
std::function<v1::Device()> AddDeviceOptions(CLI::App* app, Arguments& a) {
  app->add_option("device", a.device, "The device's unit ID")->required();
  CLI::Option* name = app->add_option("--name", a.display_name, "A name for people");
  CLI::Option* address =
      app->add_option("--address", a.address, "HOST:PORT of an OS 11 device's TLS port");
  app->add_option("--preference,--connector_preference", a.connector_preference,
                  "What the device tries first: none, server or icg")
      ->check(CLI::IsMember({"none", "server", "icg"}));
  return [&a, name, address] {
    v1::Device device;
    device.set_unit_id(LastPart(a.device));
    if (name->count() > 0) device.set_display_name(a.display_name);
    if (address->count() > 0) device.set_address(a.address);
    device.set_connector_preference(PreferenceOf(a.connector_preference));
    device.mutable_tags()->Assign(a.tags.begin(), a.tags.end());
    if (a.os == "11") device.set_os_generation(v1::Device::OS_11);
    if (a.os == "12") device.set_os_generation(v1::Device::OS_12);
    return device;
  };
}

void AddTagCommands(CLI::App* devices, Arguments& a, Command& command) {
  CLI::App* tag = devices->add_subcommand("tag", "Give a device tags, to filter by: tag=NAME");
  CLI::App* untag = devices->add_subcommand("untag", "Take tags away from a device");
  for (CLI::App* app : {tag, untag}) {
    app->add_option("device", a.device, "The device's unit ID")->required();
    app->add_option("tags", a.tags, "Tags: words without blanks and commas")->required();
  }
  tag->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return ChangeTags(c, a.device, a.tags, {}); });
  });
  untag->callback([&a, &command] {
    command = Plain([&a](CommandContext& c) { return ChangeTags(c, a.device, {}, a.tags); });
  });
}

void AddDeviceCommands(CLI::App& app, Arguments& a, Command& command) {
  CLI::App* devices = app.add_subcommand("devices", "List devices, or show one");
  devices->add_option("device", a.device, "A unit ID");
  devices->add_option("--filter", a.filter, "For example \"state=ONLINE os=OS_12 tag=till lobby\"");
  CLI::App* list = devices->add_subcommand("list", "List devices");
  list->add_option("--filter", a.filter, "For example \"via=ICG icg=icgs/berlin\"");
  devices->callback([&a, &command, devices] {
    const bool lists = devices->get_subcommands().empty() || devices->got_subcommand("list");
    if (!lists) return;
    command = Plain([&a](CommandContext& c) { return Devices(c, a.device, a.filter); });
  });
  CLI::App* create = devices->add_subcommand("create", "Create a device before it enrols");
  const auto created = AddDeviceOptions(create, a);
  create->add_option("--os", a.os, "11 or 12")->check(CLI::IsMember({"11", "12"}));
  create->add_option("--tag", a.tags, "A tag; repeatable")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  create->callback([&command, created] {
    command = Plain([created](CommandContext& c) { return CreateDevice(c, created()); });
  });
  CLI::App* update = devices->add_subcommand(
      "update", "Change a device's name, address (\"\" removes it) or connector preference");
  const auto updated = AddDeviceOptions(update, a);
  update->callback([&command, updated] {
    command = Plain([updated](CommandContext& c) { return UpdateDevice(c, updated()); });
  });
  AddTagCommands(devices, a, command);
}

absl::Status RunRegister(const Arguments& a, CommandContext& context) {
  v1::RegisterIcgRequest request;
  v1::Icg& icg = *request.mutable_icg();
  icg.set_name(ResourceName("icgs", a.icg));
  icg.set_internal_address(a.internal_address);
  icg.set_external_address(a.external_address);
  icg.set_max_devices(a.max_devices);
  icg.set_proxy(a.icg_proxy);
  if (!a.grace.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(const absl::Duration grace, ParsePeriod(a.grace));
    icg.mutable_grace_period()->set_seconds(absl::ToInt64Seconds(grace));
  }
  for (const std::string& name : a.sans) request.add_subject_alternative_names(name);
  return RegisterIcg(context, request, a.bundle, a.force ? Overwrite::kYes : Overwrite::kNo);
}

void AddRegister(CLI::App* icgs, Arguments& a, Command& command) {
  CLI::App* add = icgs->add_subcommand("register", "Register an ICG and write its bundle");
  add->add_option("icg", a.icg, "Its name: a-z, 0-9 and '-'")->required();
  add->add_option("--internal", a.internal_address,
                  "Where the server dials it: grpcs://HOST:PORT, or wss://HOST:PORT")
      ->required();
  add->add_option("--external", a.external_address, "Where devices and Consoles dial it: HOST:PORT")
      ->required();
  add->add_option("--san", a.sans, "A further name or IP address for its certificate; repeatable")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add->add_option("--max_devices", a.max_devices, "The most devices at once (no limit)");
  add->add_option("--grace", a.grace,
                  "How long its devices stay connected without a server, for example 5m");
  add->add_option("--proxy", a.icg_proxy,
                  "http://HOST:PORT of the proxy through which the server dials it (the console's "
                  "own goes before the command)");
  add->add_option("--bundle", a.bundle, "The file to write: it will hold the private key")
      ->required();
  add->add_flag("--force", a.force, "Replace the file if it is there");
  add->callback(
      [&a, &command] { command = Plain([&a](CommandContext& c) { return RunRegister(a, c); }); });
}

void AddIcgCommands(CLI::App& app, Arguments& a, Command& command) {
  CLI::App* icgs = app.add_subcommand("icgs", "ICGs, the gateways in a DMZ");
  icgs->require_subcommand(0, 1);
  AddRegister(icgs, a, command);
  icgs->add_subcommand("list", "List ICGs and the state of their links")->callback([&command] {
    command = Plain(ListIcgs);
  });
  CLI::App* remove = icgs->add_subcommand("delete", "Delete an ICG and revoke its certificate");
  remove->add_option("icg", a.icg, "Its name")->required();
  remove->callback(
      [&a, &command] { command = Plain([&a](CommandContext& c) { return DeleteIcg(c, a.icg); }); });
}

}  // namespace

void AddFleetCommands(CLI::App& app, Arguments& a, Command& command) {
  AddDeviceCommands(app, a, command);
  AddIcgCommands(app, a, command);
  CLI::App* doctor = app.add_subcommand(
      "doctor",
      "Check every leg from here: name, port, TLS, certificate, clock, WebSocket, log-in");
  doctor->add_option("device", a.device, "A device's unit ID, to check the way to it too");
  doctor->callback([&a, &command] {
    a.call_timeout = kCheckTimeout;
    command = [&a](CommandContext& c) { return Doctor(c, a.device); };
  });
}

}  // namespace fairlead::console
