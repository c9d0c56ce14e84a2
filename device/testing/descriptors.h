// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What this process has open, for tests that look for leaks.
#ifndef FAIRLEAD_DEVICE_TESTING_DESCRIPTORS_H_
#define FAIRLEAD_DEVICE_TESTING_DESCRIPTORS_H_

#include <dirent.h>

namespace fairlead::device {

inline int OpenDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TESTING_DESCRIPTORS_H_
