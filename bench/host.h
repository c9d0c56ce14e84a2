// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A program that hosts one piece of the product behind the product's own listener, for load
// generators: flags, TLS, listening and stopping. Used by relay_host and hub_host, which add what
// is served.
#ifndef FAIRLEAD_BENCH_HOST_H_
#define FAIRLEAD_BENCH_HOST_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/io_threads.h"
#include "dataplane/router.h"

namespace fairlead::bench {

// What is served. Lives from before the listener starts until all its connections are closed.
class HostedService {
 public:
  virtual ~HostedService() = default;

  virtual void AddRoutes(dataplane::Router* router) = 0;

  // Closes what is served, as the host is stopping. Called once, after the last connection came.
  virtual void EndAll() = 0;
};

struct HostProgram {
  // "relay_host", for a program with its flags in relay_host.cc.
  std::string name;
  // For --help: what it is, and an example.
  std::string usage;
  // Of the flags that are the program's own. Errors: INVALID_ARGUMENT, with a sentence.
  absl::Status (*check_flags)();
  // The file of the CA that signs clients' certificates; empty if none are asked for.
  std::string (*client_ca_file)();
  absl::StatusOr<std::unique_ptr<HostedService>> (*make_service)(dataplane::IoThreads& threads);
};

// Prints the port once it listens; returns the program's exit code after SIGTERM or SIGINT.
int RunHost(const HostProgram& host, int argc, char** argv);

}  // namespace fairlead::bench

#endif  // FAIRLEAD_BENCH_HOST_H_
