// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A program ready to be run on a pseudo-terminal: everything that needs look-ups is done, so that
// between fork and exec only system calls are left. Made by Profiles, run by Pty.
#ifndef FAIRLEAD_DEVICE_PROGRAM_H_
#define FAIRLEAD_DEVICE_PROGRAM_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace fairlead::device {

// The user to become.
struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

struct Program {
  // Absolute path.
  std::string path;
  // With argv[0], which may differ from `path`; not empty.
  std::vector<std::string> argv;
  // "NAME=value".
  std::vector<std::string> environment;
  std::string working_directory;
  // Absent to stay the agent's user.
  std::optional<Credentials> credentials;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_PROGRAM_H_
