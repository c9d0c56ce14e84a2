// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The files of the state folder, by the names that control uses. See base/state_file.h.
#ifndef FAIRLEAD_CONTROL_STATE_FILE_H_
#define FAIRLEAD_CONTROL_STATE_FILE_H_

#include "base/state_file.h"

namespace fairlead::control {

using fairlead::EnsureFolder;
using fairlead::ReadStateFile;
using fairlead::WriteStateFile;

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_STATE_FILE_H_
