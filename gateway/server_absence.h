// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What an ICG does while no server is linked to it: devices stay for a grace period, new ones wait
// outside, and whoever looks is told. Sans-I/O: events go in with the monotonic time at which they
// happen. Used by the gateway of an ICG.
#ifndef FAIRLEAD_GATEWAY_SERVER_ABSENCE_H_
#define FAIRLEAD_GATEWAY_SERVER_ABSENCE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace fairlead::gateway {

struct AbsenceOptions {
  // For how long devices stay, unless the server says otherwise.
  absl::Duration grace_period = absl::Minutes(5);
  // So long after the start the absence of a server worries nobody.
  absl::Duration startup = absl::Seconds(30);
};

// What makes an edge an ICG.
struct IcgOptions {
  // Its identifier, "icgs/<id>".
  std::string id;
  AbsenceOptions absence;
};

// UNAVAILABLE: what a device is told that comes meanwhile.
absl::Status NoServerLinked();

// Thread: one at a time.
class ServerAbsence {
 public:
  ServerAbsence(AbsenceOptions options, absl::Duration now)
      : options_(options), grace_period_(options.grace_period), started_(now), absent_since_(now) {}

  // What the server wants; 0 for the option's. At most a day.
  void SetGracePeriod(absl::Duration grace_period);

  // Whether a server is linked now.
  void SetLinked(bool linked, absl::Duration now);
  bool linked() const { return linked_; }

  // When the devices must go: infinite while a server is linked, or once they were told to.
  absl::Duration CloseAt() const;
  // Whether the devices must go now; true once an absence.
  bool TakeClose(absl::Duration now);
  // What they are told.
  std::string CloseSentence() const;

  // "ok"; "init" shortly after the start, or "warn", while no server is linked; "err" if the ICG's
  // own certificate is not valid.
  const char* Status(bool certificate_valid, absl::Duration now) const;

 private:
  const AbsenceOptions options_;
  absl::Duration grace_period_;
  const absl::Duration started_;
  bool linked_ = false;
  bool was_linked_ = false;
  bool closed_ = false;
  absl::Duration absent_since_;
};

}  // namespace fairlead::gateway

#endif  // FAIRLEAD_GATEWAY_SERVER_ABSENCE_H_
