// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Checks each leg of a terminal's way from where the console stands, and names the one that fails.
// Used by the command line.
#ifndef FAIRLEAD_CONSOLE_DOCTOR_H_
#define FAIRLEAD_CONSOLE_DOCTOR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "console/command_support.h"
#include "console/doctor_checks.h"

namespace fairlead::console {

// The server, the log-in, each ICG and, unless `unit_id` is empty, that device.
std::vector<Check> Diagnose(CommandContext& context, const std::string& unit_id);

// "ok    server  name  ums.example is 192.0.2.1", a line a check, or a JSON array of objects.
std::string FormatChecks(const std::vector<Check>& checks, OutputFormat output);

// Diagnoses and prints. Returns the exit code: 0 only if no check failed.
absl::StatusOr<int> Doctor(CommandContext& context, const std::string& unit_id);

}  // namespace fairlead::console

#endif  // FAIRLEAD_CONSOLE_DOCTOR_H_
