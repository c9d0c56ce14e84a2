// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/icg_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/flag_checks.h"
#include "base/status.h"

namespace fairlead::gateway {

absl::StatusOr<IcgProgramOptions> FinalizeIcgFlags(const IcgFlags& flags, absl::Time now) {
  IcgProgramOptions options;
  FAIRLEAD_ASSIGN_OR_RETURN(options.listen, ReadListenFlag(flags.listen));
  FAIRLEAD_RETURN_IF_ERROR(CheckRange("io_threads", flags.io_threads, 0, 256));
  FAIRLEAD_RETURN_IF_ERROR(CheckLogLevel(flags.log_level));
  FAIRLEAD_ASSIGN_OR_RETURN(options.metrics, ReadMetricsFlag(flags.metrics));
  if (flags.bundle.empty()) {
    return BadFlag("bundle", "", "the file that `console icgs register` has written");
  }
  absl::StatusOr<IcgBundle> bundle = ReadIcgBundle(flags.bundle, now);
  if (!bundle.ok()) return Annotate(bundle.status(), "--bundle");
  options.bundle = *std::move(bundle);
  options.bundle_file = flags.bundle;
  options.io_threads = flags.io_threads;
  options.log_level = flags.log_level;
  options.port_file = flags.port_file;
  return options;
}

std::string PrintIcgOptions(const IcgProgramOptions& options) {
  return absl::StrCat("listen=", absl::StrJoin(options.listen, ","),
                      "\nbundle=", options.bundle_file, "\nicg=icgs/", options.bundle.id,
                      "\nio_threads=", options.io_threads, "\nlog_level=", options.log_level,
                      "\nport_file=", options.port_file,
                      "\nmetrics=", options.metrics ? "open" : "off", "\n");
}

}  // namespace fairlead::gateway
