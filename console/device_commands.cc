// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See device_commands.h.
#include "console/device_commands.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace fairlead::console {
namespace {

std::string Way(const v1::Connection& connection) {
  if (connection.state() != v1::Connection::ONLINE) return "-";
  const std::string via = v1::Connection::Via_Name(connection.via());
  return connection.icg().empty() ? via : absl::StrCat(via, " ", LastPart(connection.icg()));
}

// What a person is told of a device that was created or changed.
std::string Sentence(const v1::Device& device, absl::string_view done) {
  std::string text = absl::StrCat(device.name(), " is ", done, ".");
  if (!device.display_name().empty()) absl::StrAppend(&text, " Name: ", device.display_name(), ".");
  if (!device.address().empty()) absl::StrAppend(&text, " Address: ", device.address(), ".");
  return text;
}

}  // namespace

std::vector<std::string> DeviceHeadings() {
  return {"UNIT ID",           "NAME",      "OS", "STATE", "VIA", "TERMINAL", "TAGS",
          "SINCE / LAST SEEN", "LAST ERROR"};
}

std::vector<std::string> DeviceRow(const v1::Device& device) {
  const v1::Connection& connection = device.connection();
  const bool online = connection.state() == v1::Connection::ONLINE;
  const bool known_os = device.os_generation() != v1::Device::OS_GENERATION_UNSPECIFIED;
  return {device.unit_id(),
          device.display_name(),
          known_os ? v1::Device::OsGeneration_Name(device.os_generation()) : "-",
          v1::Connection::State_Name(connection.state()),
          Way(connection),
          device.terminal().enabled() ? "enabled" : "disabled",
          absl::StrJoin(device.tags(), ", "),
          LocalTime(online ? connection.since_time() : device.last_seen_time()),
          connection.last_error()};
}

absl::Status Devices(CommandContext& context, const std::string& unit_id,
                     const std::string& filter) {
  std::vector<std::vector<std::string>> rows = {DeviceHeadings()};
  if (!unit_id.empty()) {
    v1::GetDeviceRequest request;
    request.set_name(ResourceName("devices", unit_id));
    v1::Device device;
    FAIRLEAD_RETURN_IF_ERROR(Call(context, "DeviceService.GetDevice", request, &device));
    rows.push_back(DeviceRow(device));
    return Print(context, device, rows);
  }
  v1::ListDevicesRequest request;
  request.set_filter(filter);
  v1::ListDevicesResponse all;
  FAIRLEAD_RETURN_IF_ERROR(
      CallPages<v1::ListDevicesResponse>(context, "DeviceService.ListDevices", request, 1'000'000,
                                         [&](const v1::ListDevicesResponse& page) {
                                           all.mutable_devices()->MergeFrom(page.devices());
                                           for (const v1::Device& device : page.devices())
                                             rows.push_back(DeviceRow(device));
                                           return page.devices_size();
                                         }));
  return Print(context, all, rows);
}

absl::Status CreateDevice(CommandContext& context, const v1::Device& device) {
  v1::CreateDeviceRequest request;
  *request.mutable_device() = device;
  v1::Device created;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "DeviceService.CreateDevice", request, &created));
  return Report(context, created,
                {absl::StrCat(Sentence(created, "created"),
                              " It enrols with a key: keys create --type one-time-bound --unit_id ",
                              created.unit_id())});
}

absl::Status UpdateDevice(CommandContext& context, const v1::Device& device) {
  if (!device.has_display_name() && !device.has_address() &&
      device.connector_preference() == v1::Device::CONNECTOR_PREFERENCE_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        "nothing to change is given: use --name, --address or --preference");
  }
  v1::UpdateDeviceRequest request;
  *request.mutable_device() = device;
  request.mutable_device()->set_name(ResourceName("devices", device.unit_id()));
  request.mutable_device()->clear_unit_id();
  v1::Device updated;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "DeviceService.UpdateDevice", request, &updated));
  return Report(context, updated, {Sentence(updated, "changed")});
}

absl::Status ChangeTags(CommandContext& context, const std::string& unit_id,
                        const std::vector<std::string>& add,
                        const std::vector<std::string>& remove) {
  v1::ChangeDeviceTagsRequest request;
  request.set_name(ResourceName("devices", unit_id));
  request.mutable_add()->Assign(add.begin(), add.end());
  request.mutable_remove()->Assign(remove.begin(), remove.end());
  v1::Device device;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "DeviceService.ChangeDeviceTags", request, &device));
  return Report(context, device,
                {device.tags().empty() ? absl::StrCat(device.name(), " has no tags.")
                                       : absl::StrCat(device.name(), " has the tags ",
                                                      absl::StrJoin(device.tags(), ", "), ".")});
}

}  // namespace fairlead::console
