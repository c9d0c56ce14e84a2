// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a person can set on an ICG: the flags' values, checked. Used by icg_main.cc.
#ifndef FAIRLEAD_GATEWAY_ICG_OPTIONS_H_
#define FAIRLEAD_GATEWAY_ICG_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/icg_bundle.h"

namespace fairlead::gateway {

// As the flags of the same names say.
struct IcgFlags {
  std::string listen;
  std::string bundle;
  int io_threads = 0;
  std::string log_level;
  std::string port_file;
  std::string metrics;
};

// Checked.
struct IcgProgramOptions {
  // "host:port" each.
  std::vector<std::string> listen;
  std::string bundle_file;
  IcgBundle bundle;
  int io_threads = 0;
  std::string log_level;
  std::string port_file;
  bool metrics = true;
};

// Checks the flags' values and reads the bundle.
// Errors: INVALID_ARGUMENT, naming the flag, its value, and what it takes; or as ReadIcgBundle.
absl::StatusOr<IcgProgramOptions> FinalizeIcgFlags(const IcgFlags& flags, absl::Time now);

// One "name=value" a line, without secrets.
std::string PrintIcgOptions(const IcgProgramOptions& options);

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_ICG_OPTIONS_H_
