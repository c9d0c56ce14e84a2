// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The programs that a device offers, from its own configuration. Used by Terminals.
#ifndef FAIRLEAD_DEVICE_PROFILES_H_
#define FAIRLEAD_DEVICE_PROFILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "device/profiles.pb.h"
#include "device/program.h"

namespace fairlead::device {

// Thread: any, after construction; Resolve reads the user database and may block shortly.
class Profiles {
 public:
  // One profile, "shell": a log-in shell of the agent's user.
  static Profiles Default();

  // Reads the text format of profiles.proto.
  // Errors: INVALID_ARGUMENT not such a text, no profile, or a bad or doubled name; says which.
  static absl::StatusOr<Profiles> Parse(absl::string_view text);

  // Parse of a file's contents.
  // Errors: as Parse; NOT_FOUND or PERMISSION_DENIED the file cannot be read.
  static absl::StatusOr<Profiles> Load(const std::string& path);

  // The default first.
  std::vector<std::string> names() const;

  // The program of profile `name`; empty for the default.
  // Errors: NOT_FOUND there is no such profile; FAILED_PRECONDITION its user or program does not
  // exist on this device, or needs root.
  absl::StatusOr<Program> Resolve(absl::string_view name) const;

 private:
  v1::DeviceProfiles profiles_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_PROFILES_H_
