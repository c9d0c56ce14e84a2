// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a process tells of itself at /metrics.
#ifndef FAIRLEAD_TESTS_SUPPORT_METRIC_H_
#define FAIRLEAD_TESTS_SUPPORT_METRIC_H_

#include <string>

#include "tests/support/api.h"

namespace fairlead::tests {

// The value of the metric `name` of the process that `api` calls, or -1.
double Metric(Api& api, const std::string& name);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_METRIC_H_
