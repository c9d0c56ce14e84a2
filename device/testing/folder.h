// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A folder for an agent's state. Used by the tests of whatever keeps some.
#ifndef FAIRLEAD_DEVICE_TESTING_FOLDER_H_
#define FAIRLEAD_DEVICE_TESTING_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace fairlead::device {

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "/stateXXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_ + "/agent"; }

 private:
  std::string path_;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_TESTING_FOLDER_H_
