// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See metric.h.
#include "tests/support/metric.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace fairlead::tests {

double Metric(Api& api, const std::string& name) {
  const Reply reply = api.Call("GET", "/metrics");
  const std::string text = reply.body.is_string() ? reply.body.get<std::string>() : "";
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    double value = 0;
    if (absl::StartsWith(line, name + " ") &&
        absl::SimpleAtod(line.substr(name.size() + 1), &value)) {
      return value;
    }
  }
  return -1;
}

}  // namespace fairlead::tests
