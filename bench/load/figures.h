// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a process and its children use: CPU time and memory, read from /proc; and quantiles.
#ifndef FAIRLEAD_BENCH_LOAD_FIGURES_H_
#define FAIRLEAD_BENCH_LOAD_FIGURES_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace fairlead::bench {

// `root` and all its descendants that live now. Empty for root 0.
std::vector<pid_t> FamilyOf(pid_t root);

// utime + stime of all of them so far, in seconds (a clock tick is 10 ms).
double CpuSeconds(const std::vector<pid_t>& pids);

// Proportional set size of all of them in KiB: shared pages count in parts.
double PssKib(const std::vector<pid_t>& pids);

// The quantile `q` (0 to 1) of `samples`, in their unit; 0 if there are none.
double Quantile(std::vector<std::int64_t> samples, double q);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_LOAD_FIGURES_H_
