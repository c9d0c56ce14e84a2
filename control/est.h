// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Enrolment over EST (RFC 7030): answers the requests that edges forward. Called by the edge links.
#ifndef FAIRLEAD_CONTROL_EST_H_
#define FAIRLEAD_CONTROL_EST_H_

#include <string>
#include <vector>

#include "proto/device.pb.h"
#include "proto/edge.pb.h"

namespace fairlead::control {

// Thread: worker threads; blocks on the store.
class EstHandler {
 public:
  virtual ~EstHandler() = default;

  // Answers cacerts, simpleenroll and simplereenroll; errors are HTTP statuses with a sentence.
  virtual v1::EstResponse Handle(const v1::EstRequest& request) = 0;
};

// Told when a device was enrolled, and the directory shows it. Called on a worker thread.
class EnrollmentObserver {
 public:
  virtual ~EnrollmentObserver() = default;
  virtual void OnEnrolled(const v1::Device& device) = 0;

  // The device enrolled anew with another key pair, so its older certificates are revoked: edges
  // must refuse them from now on. Called before OnEnrolled. `fingerprints` are 32 bytes each.
  virtual void OnRevoked(const std::string& unit_id, const std::vector<std::string>& fingerprints) {
    static_cast<void>(unit_id);
    static_cast<void>(fingerprints);
  }
};

}  // namespace fairlead::control

#endif  // FAIRLEAD_CONTROL_EST_H_
