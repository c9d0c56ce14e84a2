// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A UMS Server and devices in the test's own process: the real control, gateway and agent parts
// over real TLS on a port of their own, so that sanitizers see all of them at once and a test can
// look inside. Used by cluster_test.
#ifndef FAIRLEAD_TESTS_SUPPORT_IN_PROCESS_H_
#define FAIRLEAD_TESTS_SUPPORT_IN_PROCESS_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "dataplane/listener_limits.h"
#include "proto/device.pb.h"
#include "tests/support/api.h"

namespace fairlead::tests {

// Thread: one. Lifetime: the destructor stops everything. Failures to set up end the program.
class InProcessCluster {
 public:
  InProcessCluster() : InProcessCluster(dataplane::ListenerLimits()) {}
  explicit InProcessCluster(const dataplane::ListenerLimits& limits);
  ~InProcessCluster();

  // Enrols a device with a one-time key, unless it was there before, and keeps it connected, on a
  // thread of its own. Its clock shows `ahead` more than ours. One of OS 11 is enrolled, and
  // refused as each UMS Server refuses it; it has no port of its own.
  void AddDevice(const std::string& unit_id, absl::Duration ahead = absl::ZeroDuration(),
                 v1::Device::OsGeneration os = v1::Device::OS_12);
  // The certificate that the device holds for good, PEM; a renewed one counts once it was accepted.
  std::string CertificateOf(const std::string& unit_id);
  // Stops it as SIGTERM would.
  void RemoveDevice(const std::string& unit_id);

  // Stops it as SIGTERM would; nothing but RemoveDevice may be called afterwards.
  void StopServer();

  Api& api();
  // The value of a metric without labels; -1 if there is none.
  double Metric(const std::string& name);

 private:
  struct Server;
  struct Device;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_IN_PROCESS_H_
