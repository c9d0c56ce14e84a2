// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a process has open, counted and listed: leaks are found by the count and named by the list.
#ifndef FAIRLEAD_TESTS_SUPPORT_DESCRIPTORS_H_
#define FAIRLEAD_TESTS_SUPPORT_DESCRIPTORS_H_

#include <sys/types.h>

#include <string>

namespace fairlead::tests {

// How many descriptors the process `pid` has open, 0 if there is no such process. Without epolls:
// an I/O thread makes one at its first tunnel, and which thread a session comes to is chance.
int OpenDescriptors(pid_t pid);

// A line for each: its number, what it is, and for a TCP socket both addresses and the state.
std::string ListDescriptors(pid_t pid);

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_DESCRIPTORS_H_
