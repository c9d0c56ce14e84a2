// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The filter strings and page parameters of device and session lists, parsed. Used by the services
// and by the directory's watchers. No I/O.
#ifndef FAIRLEAD_CONTROL_FILTER_H_
#define FAIRLEAD_CONTROL_FILTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "control/store.h"
#include "proto/device.pb.h"
#include "proto/session.pb.h"

namespace fairlead::control {

// Selects devices; all terms must hold. The default selects every device.
class DeviceFilter {
 public:
  // Parses the filter of ListDevicesRequest.
  // Errors: INVALID_ARGUMENT too long, or a value that its key does not take.
  static absl::StatusOr<DeviceFilter> Parse(absl::string_view text);

  bool Matches(const v1::Device& device) const;

 private:
  absl::optional<v1::Connection::State> state_;
  absl::optional<v1::Connection::Via> via_;
  absl::optional<v1::Device::OsGeneration> os_;
  absl::optional<std::string> icg_;
  std::vector<std::string> tags_;
  // In lower case.
  std::vector<std::string> words_;
};

// Selects sessions; all terms must hold. The default selects every session.
class SessionFilter {
 public:
  // Parses the filter of ListSessionsRequest.
  // Errors: INVALID_ARGUMENT too long, an unknown term, or a value that its key does not take.
  static absl::StatusOr<SessionFilter> Parse(absl::string_view text);

  bool Matches(const v1::Session& session) const;

 private:
  absl::optional<v1::Session::State> state_;
  absl::optional<std::string> device_;
  absl::optional<std::string> user_;
};

// The page that a list request asks for: 1 to 1000 entries, 0 for 100.
// Errors: INVALID_ARGUMENT a size out of range.
absl::StatusOr<Page> ParsePage(std::int32_t page_size, absl::string_view page_token);

// The identifier in a resource name: "devices/x" with collection "devices" gives "x". `field` is
// what the request calls it. Errors: INVALID_ARGUMENT another collection, or no identifier.
absl::StatusOr<std::string> ParseName(absl::string_view name, absl::string_view collection,
                                      absl::string_view field = "name");

// The token of the page behind the resource `name`, in a list that is sorted by name.
std::string PageTokenAfter(absl::string_view name);

// The identifier behind which the page of `token` begins; empty if there is no token.
// Errors: INVALID_ARGUMENT no PageTokenAfter of this collection.
absl::StatusOr<std::string> ParsePageToken(absl::string_view token, absl::string_view collection);

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_FILTER_H_
