// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The console's commands about devices. Used by the command line.
#ifndef FAIRLEAD_CONSOLE_DEVICE_COMMANDS_H_
#define FAIRLEAD_CONSOLE_DEVICE_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "console/command_support.h"
#include "proto/device.pb.h"

namespace fairlead::console {

// The table of devices: its headings, and one device as a row.
std::vector<std::string> DeviceRow(const v1::Device& device);
std::vector<std::string> DeviceHeadings();

// All devices that `filter` selects, or the one with `unit_id`.
absl::Status Devices(CommandContext& context, const std::string& unit_id,
                     const std::string& filter);

// Creates `device`, whose unit_id is set.
absl::Status CreateDevice(CommandContext& context, const v1::Device& device);

// Changes what is present in `device`, whose unit_id names it.
// Errors: INVALID_ARGUMENT nothing to change is given.
absl::Status UpdateDevice(CommandContext& context, const v1::Device& device);

// Gives the device tags and takes tags from it.
absl::Status ChangeTags(CommandContext& context, const std::string& unit_id,
                        const std::vector<std::string>& add,
                        const std::vector<std::string>& remove);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_DEVICE_COMMANDS_H_
