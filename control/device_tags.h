// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A device's tags: what may be one, and how they are changed and compared. Used by the device
// service and by filters. No I/O.
#ifndef FAIRLEAD_CONTROL_DEVICE_TAGS_H_
#define FAIRLEAD_CONTROL_DEVICE_TAGS_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/device.pb.h"

namespace fairlead::control {

using Tags = google::protobuf::RepeatedPtrField<std::string>;

// May `tag` be a tag?
// Errors: INVALID_ARGUMENT it is empty, too long, or has a character that no tag has.
absl::Status CheckTag(absl::string_view tag);

bool HasTag(const v1::Device& device, absl::string_view tag);

// Takes the tags `remove` from `device`, then gives it those of `add`, and sorts what it has.
// Errors: INVALID_ARGUMENT a bad tag, or more than 32 of them; then `device` is unspecified.
absl::Status ApplyTags(const Tags& add, const Tags& remove, v1::Device& device);

// "berlin, till".
std::string TagList(const v1::Device& device);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_DEVICE_TAGS_H_
